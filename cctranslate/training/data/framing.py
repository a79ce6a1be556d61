"""Maps between faces as they lie in their pictures and upright, centered faces, on batches."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.pixels import SIZE

TILTED_RADIANS = 0.16
"""Tilt from which a face lies oddly."""
ASIDE_PIXELS = 4.5
"""Distance of a face's middle from the usual one in FER2013 from which it lies oddly."""
LARGER = 1.3
"""Ratio to the usual size in FER2013, or its inverse, from which a face lies oddly."""
MIDDLE = (SIZE - 1) / 2


def frames(points: Tensor) -> Tensor:
    """Return the affine maps [N,2,3] from upright faces to pictures, by landmarks [N,5,2].

    As `faces.alignment.align`, for a batch.
    """
    upright = torch.tensor(TEMPLATE, dtype=points.dtype, device=points.device)
    template = torch.view_as_complex(upright)
    in_picture = torch.view_as_complex(points.contiguous())
    centered = template - template.mean()
    turn = (centered.conj() * (in_picture - in_picture.mean(1, keepdim=True))).sum(1)
    turn = turn / centered.abs().square().sum()
    shift = in_picture.mean(1) - turn * template.mean()
    across, down = (
        torch.stack(row, 1)
        for row in ((turn.real, -turn.imag, shift.real), (turn.imag, turn.real, shift.imag))
    )
    return torch.stack([across, down], 1)


def lies_oddly(maps: Tensor) -> Tensor:
    """Return which faces [N] with maps [N,2,3] are tilted, off the middle, large or small."""
    tilt = torch.atan2(maps[:, 1, 0], maps[:, 0, 0]).abs()
    size = maps[:, :, 0].norm(dim=1).clamp_min(1e-3)
    middle = torch.tensor(TEMPLATE.mean(0), dtype=maps.dtype, device=maps.device)
    aside = (maps[:, :, :2] @ middle + maps[:, :, 2] - middle).norm(dim=1)
    return (
        (tilt > TILTED_RADIANS) | (torch.maximum(size, 1 / size) > LARGER) | (aside > ASIDE_PIXELS)
    )


def fetched(x: Tensor, maps: Tensor, mode: str, padding: str) -> Tensor:
    """Warp pictures [N,C,48,48]: each pixel is fetched from where the map leads."""
    turn, shift = maps[:, :, :2], maps[:, :, 2:]
    # From pixels to places in [-1, 1], as affine_grid has them.
    middle = torch.full((2, 1), MIDDLE, dtype=maps.dtype, device=maps.device)
    shift = (turn @ middle + shift - middle) / (SIZE / 2)
    grid = F.affine_grid(torch.cat([turn, shift], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode, padding, align_corners=False)


def inverse(maps: Tensor) -> Tensor:
    """Return the inverse maps [N,2,3]."""
    turn = torch.linalg.inv(maps[:, :, :2])
    return torch.cat([turn, -turn @ maps[:, :, 2:]], 2)
