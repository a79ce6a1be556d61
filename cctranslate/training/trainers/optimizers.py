"""Adam as it steps fastest on a device, and its state moved between kinds of devices."""

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
    """Build Adam (Kingma and Ba 2015); on CUDA one that a graph can record."""
    if device.type != "cuda":
        return Adam(parameters, lr, betas)
    rate = torch.tensor(lr, device=device)
    return Adam(parameters, rate, betas, fused=True, capturable=True)


def half_cosine(progress: float) -> float:
    """Return the learning rate's factor: 1 in the run's first half, then a cosine's fall to 0.

    `progress` is the fraction of the run's steps that are done.
    """
    past_half = max(0.0, progress - 0.5) * 2
    return 0.5 * (1 + math.cos(math.pi * past_half))


def set_rate(optimizer: Adam, rate: float) -> None:
    """Set the learning rate, in the tensor that a recorded step reads if there is one."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def restore(optimizer: Adam, state: dict[str, Any]) -> None:
    """Load a saved state, except for how the device that saved it steps."""
    ways = ("lr", "fused", "capturable")
    groups = [
        {**saved, **{way: here[way] for way in ways}}
        for saved, here in zip(state["param_groups"], optimizer.param_groups, strict=True)
    ]
    optimizer.load_state_dict({**state, "param_groups": groups})
