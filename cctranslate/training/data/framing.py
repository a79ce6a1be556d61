"""Where faces lie in their pictures, and how they would lie upright and in the middle."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.pixels import SIZE

TILTED_RADIANS = 0.16
"""Tilt from which on a face lies oddly."""
ASIDE_PIXELS = 4.5
"""Distance from the middle of FER2013's faces to that of a face from which on it does."""
LARGER = 1.3
"""How many times as large or as small as FER2013's faces it is then."""
MIDDLE = (SIZE - 1) / 2


def frames(points: Tensor) -> Tensor:
    """Return the maps [N,2,3] from places in upright faces to those in pictures of faces.

    Landmarks [N,5,2] say where a face lies; it is what `faces.alignment.align` does, at once for
    all of them.
    """
    here = torch.view_as_complex(torch.tensor(TEMPLATE, dtype=points.dtype, device=points.device))
    there = torch.view_as_complex(points.contiguous())
    centered = here - here.mean()
    turn = (centered.conj() * (there - there.mean(1, keepdim=True))).sum(1)
    turn = turn / centered.abs().square().sum()
    shift = there.mean(1) - turn * here.mean()
    across, down = (
        torch.stack(row, 1)
        for row in ((turn.real, -turn.imag, shift.real), (turn.imag, turn.real, shift.imag))
    )
    return torch.stack([across, down], 1)


def lies_oddly(maps: Tensor) -> Tensor:
    """Return which faces [N] with maps [N,2,3] are tilted, aside, large or small."""
    tilt = torch.atan2(maps[:, 1, 0], maps[:, 0, 0]).abs()
    size = maps[:, :, 0].norm(dim=1).clamp_min(1e-3)
    middle = torch.tensor(TEMPLATE.mean(0), dtype=maps.dtype, device=maps.device)
    aside = (maps[:, :, :2] @ middle + maps[:, :, 2] - middle).norm(dim=1)
    return (
        (tilt > TILTED_RADIANS) | (torch.maximum(size, 1 / size) > LARGER) | (aside > ASIDE_PIXELS)
    )


def fetched(x: Tensor, maps: Tensor, mode: str, padding: str) -> Tensor:
    """Return pictures [N,C,48,48] whose places show what lies in `x` where the maps lead."""
    turn, shift = maps[:, :, :2], maps[:, :, 2:]
    # From pixels to places in [-1, 1], as affine_grid has them.
    middle = torch.full((2, 1), MIDDLE, dtype=maps.dtype, device=maps.device)
    shift = (turn @ middle + shift - middle) / (SIZE / 2)
    grid = F.affine_grid(torch.cat([turn, shift], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode, padding, align_corners=False)


def inverse(maps: Tensor) -> Tensor:
    """Return the maps [N,2,3] that lead back."""
    turn = torch.linalg.inv(maps[:, :, :2])
    return torch.cat([turn, -turn @ maps[:, :, 2:]], 2)
