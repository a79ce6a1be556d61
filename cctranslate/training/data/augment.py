"""Random, differentiable changes to batches of faces: G learns through some of them.

Not by kornia: random numbers are drawn on the faces' device and no branch depends on them, so that
a CUDA graph can record the changes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.faces.alignment import MIRRORED_POINTS


def affine(x: Tensor, *, shift: float, turn: float, zoom: tuple[float, float]) -> Tensor:
    """Shift faces [N,C,H,W] by up to `shift` pixels, turn them by up to `turn` radians, and scale.

    Half of them are mirrored.
    """
    n, size = len(x), x.shape[-1]
    draw = torch.rand(n, 4, device=x.device) * 2 - 1
    low, high = zoom
    angle, scale = draw[:, 0] * turn, (high + low) / 2 + draw[:, 1] * (high - low) / 2
    mirror = 1 - 2 * (torch.rand(n, device=x.device) < 0.5).float()
    cos, sin = angle.cos() / scale, angle.sin() / scale
    offset = draw[:, 2:] * (2 * shift / size)
    theta = torch.stack(
        [
            torch.stack([cos * mirror, -sin, offset[:, 0]], 1),
            torch.stack([sin * mirror, cos, offset[:, 1]], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid.to(x.dtype), padding_mode="border", align_corners=False)


def light(x: Tensor, *, brightness: float, contrast: float) -> Tensor:
    """Shift each face's gray levels by up to `brightness` and spread them by 1 +- `contrast`."""
    draw = torch.rand(len(x), 2, 1, 1, 1, device=x.device) * 2 - 1
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * (1 + draw[:, 1] * contrast) + mean + draw[:, 0] * brightness


def cutout(x: Tensor, *, side: int) -> Tensor:
    """Set one square of `side` pixels of each face to gray (DeVries and Taylor 2017)."""
    n, size = len(x), x.shape[-1]
    corner = torch.randint(-side // 2, size - side // 2, (n, 2, 1), device=x.device)
    line = torch.arange(size, device=x.device)
    inside = (line >= corner) & (line < corner + side)
    hole = inside[:, 0, :, None] & inside[:, 1, None, :]
    return x.masked_fill(hole[:, None], 0.0)


def without_lower_half(x: Tensor, chosen: Tensor) -> Tensor:
    """Gray out all below the middle of the nose in the `chosen` [N] of faces [N,C,H,W]."""
    below = torch.arange(x.shape[-2], device=x.device) >= x.shape[-2] * 0.6
    return x.masked_fill(chosen[:, None, None, None] & below[:, None], 0.0)


def for_classifier(x: Tensor) -> Tensor:
    """Augment faces for training a classifier: moved, mirrored, relit, with a hole."""
    x = affine(x, shift=4, turn=0.2, zoom=(0.85, 1.15))
    return cutout(light(x, brightness=0.2, contrast=0.3), side=14)


def for_identity(x: Tensor) -> Tensor:
    """Augment faces for an encoder: often close up, with a hole.

    Otherwise it would compare hair, collar and background, which do not change with the expression.
    """
    return cutout(affine(x, shift=4, turn=0.15, zoom=(0.95, 1.7)), side=18)


def for_face_recognizer(x: Tensor) -> Tensor:
    """Augment faces slightly for the face recognizer: whole, as in the dataset."""
    return affine(x, shift=2, turn=0.08, zoom=(0.95, 1.15))


def for_encoder(x: Tensor) -> Tensor:
    """Augment faces for training an encoder: also relit and noised."""
    x = light(for_identity(x), brightness=0.2, contrast=0.3)
    return x + 0.1 * torch.rand((), device=x.device) * torch.randn_like(x)


def for_guide(x: Tensor, noise: float) -> Tensor:
    """Augment fakes for a guide, so that G gains nothing from a fragile pattern.

    The hole is large, so that no single spot can carry an expression. Without it G draws a mark
    where that is cheapest, often on one side of the mouth only.
    """
    x = affine(x, shift=3, turn=0.12, zoom=(0.9, 1.1))
    x = cutout(light(x, brightness=0.15, contrast=0.2), side=22)
    return x + noise * torch.randn_like(x)


def turned(x: Tensor, points: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    """Turn faces [N,C,48,48] with landmarks [N,5,2] about the middle by `angles` [N], in radians.

    Corners are filled with the mirrored picture. An angle of 0 leaves a face unchanged.
    """
    cos, sin = angles.cos(), angles.sin()
    turn = torch.stack([cos, -sin, sin, cos], 1).view(-1, 2, 2)
    grid = F.affine_grid(F.pad(turn, (0, 1)), list(x.shape), align_corners=False)
    rotated = F.grid_sample(x, grid, "bicubic", "reflection", align_corners=False).clamp(-1, 1)
    middle = (x.shape[-1] - 1) / 2
    # A turn's inverse is its transpose, by which rows of points are multiplied from the right.
    moved = (points - middle) @ turn + middle
    return torch.where((angles != 0)[:, None, None, None], rotated, x), moved


def with_landmarks(x: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Move faces [N,1,48,48] and their landmarks [N,5,2] a little, and mirror half of them.

    For the teacher, which learns to draw such faces: they vary no more than FER2013's do.
    """
    n, size = len(x), x.shape[-1]
    angle, zoom, dx, dy = torch.randn(4, n, device=x.device)
    angle, zoom, shift = 0.06 * angle, 1 + 0.04 * zoom, 0.03 * torch.stack([dx, dy], 1)
    mirrored = torch.rand(n, device=x.device) < 0.5
    side = torch.where(mirrored, -1.0, 1.0)
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    # From places in the new face to places in the old one, in [-1, 1] as affine_grid has them.
    turn = torch.stack([cos * side, -sin, sin * side, cos], 1).view(n, 2, 2)
    grid = F.affine_grid(torch.cat([turn, shift[:, :, None]], 2), list(x.shape), False)
    moved = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    old = (2 * points + 1) / size - 1
    new = torch.linalg.solve(turn[:, None], (old - shift[:, None])[..., None])[..., 0]
    new = ((new + 1) * size - 1) / 2
    return moved, torch.where(mirrored[:, None, None], new[:, MIRRORED_POINTS], new)
