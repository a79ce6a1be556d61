"""Adam and Muon in their fastest forms for a device, with states that can move between devices."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

Adam = torch.optim.Adam
BETAS = (0.9, 0.99)
"""Adam's, beside Muon."""
MOMENTUM = 0.95
"""Muon's."""


def build(
    parameters: Iterable[nn.Parameter],
    lr: float,
    betas: tuple[float, float],
    device: torch.device,
) -> Adam:
    """Build Adam (Kingma and Ba 2015); on CUDA in a form that a graph can record."""
    if device.type != "cuda":
        return Adam(parameters, lr, betas)
    rate = torch.tensor(lr, device=device)
    return Adam(parameters, rate, betas, fused=True, capturable=True)


def half_cosine(progress: float) -> float:
    """Return the learning rate's factor: 1 in the first half of a run, then falling to 0.

    `progress` is the finished fraction of the run. The fall is a half cosine.
    """
    past_half = max(0.0, progress - 0.5) * 2
    return 0.5 * (1 + math.cos(math.pi * past_half))


def set_rate(optimizer: Adam, rate: float) -> None:
    """Set the learning rate; in place if it is a tensor, which a recorded step reads."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def restore(optimizer: Adam, state: dict[str, Any]) -> None:
    """Load a saved state, except for settings of the device that saved it."""
    of_device = ("lr", "fused", "capturable")
    groups = [
        {**saved, **{name: current[name] for name in of_device}}
        for saved, current in zip(state["param_groups"], optimizer.param_groups, strict=True)
    ]
    optimizer.load_state_dict({**state, "param_groups": groups})


class Muon(torch.optim.Optimizer):
    """Momentum whose steps are made orthogonal (Jordan et al. 2024), for weight matrices.

    It takes the steps of `torch.optim.Muon(lr, momentum=..., weight_decay=0,
    adjust_lr_fn="match_rms_adamw")`, but computes in float32: torch's computes in bfloat16, which
    CPUs without such hardware multiply at a hundredth of their speed in float32.
    """

    COEFFICIENTS = (3.4445, -4.7750, 2.0315)
    """Of the quintic Newton-Schulz iteration that takes all singular values to about 1."""
    ITERATIONS = 5

    def __init__(self, matrices: Iterable[nn.Parameter], lr: float, momentum: float) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                mean = state["momentum_buffer"].lerp_(matrix.grad, 1 - momentum)
                direction = self._orthogonal(matrix.grad.lerp(mean, momentum))
                # As long as a step of Adam (Liu et al. 2025).
                matrix.add_(direction, alpha=-lr * 0.2 * math.sqrt(max(matrix.shape)))

    @classmethod
    def _orthogonal(cls, update: Tensor) -> Tensor:
        """Return the orthogonal matrix that is next to an update [out,in], approximately."""
        is_tall = update.size(0) > update.size(1)
        x = update.T if is_tall else update
        x = x / x.norm().clamp_min(1e-7)
        a, b, c = cls.COEFFICIENTS
        for _ in range(cls.ITERATIONS):
            gram = x @ x.T
            x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
        return x.T if is_tall else x


def muon_and_adam(
    network: nn.Module, matrices: Iterable[nn.Parameter], lr: float, adam_lr: float
) -> tuple[Muon, Adam]:
    """Return Muon for the inner `matrices` of a network, and Adam for the rest."""
    inner = list(matrices)
    inside = {id(parameter) for parameter in inner}
    others = [p for p in network.parameters() if id(p) not in inside]
    return Muon(inner, lr, MOMENTUM), build(others, adam_lr, BETAS, others[0].device)
