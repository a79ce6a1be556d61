"""Frames of faces, in batches: the transforms from upright, centered faces to their pictures.

They are those of `faces/alignment.py`, in torch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.pixels import SIZE

TILTED_RADIANS = 0.16
"""Tilt from which a face counts as misaligned."""
ASIDE_PIXELS = 4.5
"""Distance of a face's middle from the usual one in FER2013 from which it is misaligned."""
LARGER = 1.3
"""Ratio to the usual size in FER2013, or its inverse, from which a face is misaligned."""
MIDDLE = (SIZE - 1) / 2


def align(points: Tensor) -> Tensor:
    """Return the frames [N,2,3] of faces with landmarks [N,5,2], as `faces.alignment.align`."""
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


def are_misaligned(frames: Tensor) -> Tensor:
    """Return which faces [N] are tilted, off the middle, large or small, by frames [N,2,3]."""
    tilt = torch.atan2(frames[:, 1, 0], frames[:, 0, 0]).abs()
    size = frames[:, :, 0].norm(dim=1).clamp_min(1e-3)
    middle = torch.tensor(TEMPLATE.mean(0), dtype=frames.dtype, device=frames.device)
    aside = (frames[:, :, :2] @ middle + frames[:, :, 2] - middle).norm(dim=1)
    return (
        (tilt > TILTED_RADIANS) | (torch.maximum(size, 1 / size) > LARGER) | (aside > ASIDE_PIXELS)
    )


def warp(x: Tensor, transforms: Tensor, mode: str, padding: str) -> Tensor:
    """Warp pictures [N,C,48,48]: each pixel is fetched from where its transform [2,3] leads."""
    turn, shift = transforms[:, :, :2], transforms[:, :, 2:]
    # From pixels to places in [-1, 1], as affine_grid has them.
    middle = torch.full((2, 1), MIDDLE, dtype=transforms.dtype, device=transforms.device)
    shift = (turn @ middle + shift - middle) / (SIZE / 2)
    grid = F.affine_grid(torch.cat([turn, shift], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode, padding, align_corners=False)


def inverse(transforms: Tensor) -> Tensor:
    """Return the inverse transforms [N,2,3]."""
    turn = torch.linalg.inv(transforms[:, :, :2])
    return torch.cat([turn, -turn @ transforms[:, :, 2:]], 2)
