"""Soft masks of the parts of faces, by their landmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from cctranslate.faces.alignment import EYE_POINTS, MOUTH_POINTS, NOSE_POINT, TEMPLATE
from cctranslate.pixels import SIZE

Region = Literal["eyes", "mouth", "lower", "inner"]


@dataclass(frozen=True, kw_only=True)
class Ellipse:
    """A part of a face, in pixels of a face whose landmarks are the template's."""

    landmarks: tuple[int, ...]
    """Indices of the landmarks whose mean is its reference point."""
    down: float
    """How far below that point its center is."""
    width: float
    """Half of its width."""
    height: float
    """Half of its height."""


ELLIPSES: dict[Region, Ellipse] = {
    # With brows, and the frown between them.
    "eyes": Ellipse(landmarks=EYE_POINTS, down=-3.0, width=18.5, height=10.5),
    "mouth": Ellipse(landmarks=MOUTH_POINTS, down=0.5, width=13.0, height=9.0),
    # A smile lifts the cheeks and creases the skin beside the nose; a cry lowers the jaw.
    "lower": Ellipse(landmarks=(NOSE_POINT, *MOUTH_POINTS), down=1.0, width=18.0, height=14.0),
    "inner": Ellipse(landmarks=EYE_POINTS + MOUTH_POINTS, down=-0.5, width=19.5, height=22.0),
}
WHOLE_EXPRESSION: tuple[Region, ...] = ("eyes", "lower")
"""The parts that must be masked to hide the old expression completely."""
UNSURE = 1.15
"""Factor of the size of masks where no landmarks were found."""
SOFTNESS = 0.12
"""Width of a mask's soft edge, as a fraction of the ellipse."""

_CHOICES: tuple[tuple[float, tuple[Region, ...]], ...] = (
    (0.32, ("eyes", "lower")),
    (0.28, ("inner",)),
    (0.12, ("lower",)),
    (0.05, ("mouth",)),
    (0.11, ("eyes",)),
    (0.12, ()),
)
"""Probabilities of the masked parts in training; an empty tuple masks the whole picture."""
_TEMPLATE = torch.tensor(TEMPLATE, dtype=torch.float32)


def region_masks(points: Tensor, has_landmarks: Tensor, regions: Sequence[Region]) -> Tensor:
    """Return masks [N,1,48,48] of the regions, by landmarks [N,5,2].

    They are larger where `has_landmarks` [N] is false.
    """
    size = torch.where(has_landmarks, 1.0, UNSURE)
    masks = [_ellipse(points, ELLIPSES[region], size, SOFTNESS) for region in regions]
    return torch.stack(masks).amax(0)[:, None]


def random_masks(points: Tensor, has_landmarks: Tensor) -> Tensor:
    """Return random masks [N,1,48,48] for training: parts that are moved, scaled and softened."""
    n, device = len(points), points.device
    chance = torch.tensor([probability for probability, _ in _CHOICES], device=device)
    choice = torch.multinomial(chance, n, replacement=True)
    size = torch.where(has_landmarks, 1.0, UNSURE) * _uniform(0.88, 1.25, n, device)
    softness = _uniform(0.02, 0.3, n, device)[:, None, None]
    moved = points + 1.2 * torch.randn(n, 1, 2, device=device)
    mask = torch.zeros(n, SIZE, SIZE, device=device)
    for region, ellipse in ELLIPSES.items():
        uses = [i for i, (_, regions) in enumerate(_CHOICES) if region in regions]
        hidden = torch.isin(choice, torch.tensor(uses, device=device))[:, None, None]
        mask = torch.maximum(mask, _ellipse(moved, ellipse, size, softness) * hidden)
    whole = torch.tensor([not regions for _, regions in _CHOICES], device=device)
    return torch.where(whole[choice][:, None, None], 1.0, mask)[:, None]


def _ellipse(points: Tensor, ellipse: Ellipse, size: Tensor, softness: Tensor | float) -> Tensor:
    """Return ellipses [N,48,48]: 1 inside, 0 outside, with a linear edge inside the radius."""
    across, scale = directions(points)
    downwards = perpendicular(across)
    middle = points[:, list(ellipse.landmarks)].mean(1) + scale * ellipse.down * downwards
    line = torch.arange(SIZE, device=points.device, dtype=torch.float32)
    dx = line[None, None, :] - middle[:, 0, None, None]
    dy = line[None, :, None] - middle[:, 1, None, None]
    ax, ay = across[:, 0, None, None], across[:, 1, None, None]
    scale = (scale[:, 0] * size)[:, None, None]
    along, down = (dx * ax + dy * ay) / scale, (dy * ax - dx * ay) / scale
    radius = torch.sqrt((along / ellipse.width) ** 2 + (down / ellipse.height) ** 2)
    return ((1 - radius) / softness).clamp(0, 1)


def directions(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the similarity's direction [N,2] along the eyes and its scale [N,1]."""
    template = _TEMPLATE.to(points.device)
    template = template - template.mean(0)
    points = points - points.mean(1, keepdim=True)
    power = template.square().sum()
    x = (points * template).sum((1, 2)) / power
    cross = points[..., 1] * template[..., 0] - points[..., 0] * template[..., 1]
    y = cross.sum(1) / power
    across = torch.stack([x, y], 1)
    scale = across.norm(dim=1, keepdim=True).clamp_min(0.3)
    return across / scale, scale


def perpendicular(across: Tensor) -> Tensor:
    """Return the direction from the eyes to the mouth, at a right angle to `across`."""
    return torch.stack([-across[:, 1], across[:, 0]], 1)


def _uniform(low: float, high: float, n: int, device: torch.device) -> Tensor:
    return torch.rand(n, device=device) * (high - low) + low
