"""Checkpoints: everything a run needs to go on, and the averaged weights that are exported."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from cctranslate.errors import UserError

FILE = "checkpoint.pt"


class CheckpointError(UserError):
    """A checkpoint is missing or not one of ours; the message names it."""


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write the checkpoint beside the old one, then rename: a kill leaves one of the two whole."""
    partial = folder / f"{FILE}.partial"
    torch.save(state, partial)
    partial.replace(folder / FILE)


def load(folder: Path) -> dict[str, Any]:
    """Read a run's checkpoint onto the CPU.

    Raises:
        CheckpointError: none there, or unreadable.
    """
    path = folder / FILE
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: not found: name a run folder that `fit` wrote") from None
    except Exception as error:
        raise CheckpointError(f"{path}: not a readable checkpoint: {error}") from None
    return state


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move `average` a step towards `network`: weights and float buffers by 1 - `decay`."""
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    for mean, value in pairs:
        if mean.is_floating_point():
            mean.lerp_(value.to(mean.dtype), 1 - decay)
        else:
            mean.copy_(value)
