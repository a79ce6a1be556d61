"""Adam in its fastest form for a device, with a state that can move between devices."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

Adam = torch.optim.Adam


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
