"""Crops about the mouths of faces: where they are, their masks, cutting them out and putting back.

All of it also runs in an exported graph. There a network tells the places.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.faces.alignment import MOUTH_POINTS
from cctranslate.pixels import SIZE
from cctranslate.training.data.face_masks import directions, perpendicular

HEIGHT, WIDTH = 24, 32
"""Pixels of a crop: a mouth with the cheeks and the chin about it."""
DOWN, HALF_WIDTH, HALF_HEIGHT = 0.7, 13.5, 9.5
"""The ellipse that is redrawn, in pixels of a face whose landmarks are the template's: how far its
center is below the middle of the mouth's corners, and half of its width and height."""
WIDEST, HIGHEST = 15.5, 11.2
"""The most that the half of an ellipse measures, in pixels: it must fit into the crop."""
LEAST_SCALE = 0.5
"""The least scale of a face: smaller ones are errors of landmarks."""
OFF = 0.7
"""Standard deviation, in pixels, by which places in trainings are off the mouth: so are those that
a network finds."""
SOFTNESS = 0.12
"""Width of a mask's soft edge, as a fraction of the ellipse."""


def places(points: Tensor) -> Tensor:
    """Return where mouths are [N,4], by landmarks [N,5,2].

    A place is the ellipse's center as (x, y), then the vector along the mouth, to the right, whose
    length is the face's scale.
    """
    across, scale = directions(points)
    scale = scale.clamp_min(LEAST_SCALE)
    center = points[:, list(MOUTH_POINTS)].mean(1) + scale * DOWN * perpendicular(across)
    return torch.cat([center, across * scale], 1)


def corners(place: Tensor) -> Tensor:
    """Return the first column and row [N,2] of the crops at places [N,4], as whole numbers.

    Crops may extend beyond the face.
    """
    return (place[:, :2] - (place.new_tensor([WIDTH, HEIGHT]) - 1) / 2).round()


def shifted(place: Tensor) -> Tensor:
    """Return places [N,4] that are off the mouth by some `OFF` pixels."""
    off = OFF * torch.randn_like(place[:, :2])
    return place + torch.cat([off, torch.zeros_like(off)], 1)


def masks(
    place: Tensor, corner: Tensor, size: Tensor | float = 1.0, softness: Tensor | float = SOFTNESS
) -> Tensor:
    """Return the masks [N,1,24,32] of crops: 1 where mouths at places [N,4] are redrawn.

    `size` [N,1,1] scales the ellipses.
    """
    scale = place[:, 2:].square().sum(1).sqrt().clamp_min(LEAST_SCALE)[:, None, None]
    across = place[:, 2:, None, None] / scale[:, None]
    x = torch.arange(WIDTH, device=place.device) + (corner - place[:, :2])[:, :1, None]
    y = torch.arange(HEIGHT, device=place.device)[:, None] + (corner - place[:, :2])[:, 1:, None]
    along, down = x * across[:, 0] + y * across[:, 1], y * across[:, 0] - x * across[:, 1]
    wide = (scale * size * HALF_WIDTH).clamp(max=WIDEST)
    high = (scale * size * HALF_HEIGHT).clamp(max=HIGHEST)
    radius = ((along / wide).square() + (down / high).square()).sqrt()
    return ((1 - radius) / softness).clamp(0, 1)[:, None]


def cut(x: Tensor, corner: Tensor) -> Tensor:
    """Return crops [N,C,24,32] of faces [N,C,48,48], whose edges are repeated beyond them."""
    return F.grid_sample(
        x,
        _grid(corner, (HEIGHT, WIDTH), (SIZE, SIZE)),
        mode="nearest",
        padding_mode="border",
        align_corners=False,
    )


def paste(crops: Tensor, corner: Tensor) -> Tensor:
    """Return crops [N,C,24,32] at their places in faces [N,C,48,48] that are 0 elsewhere."""
    grid = _grid(-corner, (SIZE, SIZE), (HEIGHT, WIDTH))
    return F.grid_sample(crops, grid, mode="nearest", align_corners=False)


def _grid(first: Tensor, shape: tuple[int, int], source: tuple[int, int]) -> Tensor:
    """Return where pixels [N,H,W,2] of `shape` are in `source`, whose edges are at -1 and 1.

    `first` [N,2] is the column and row of the first one.
    """
    (height, width), device = shape, first.device
    x = (torch.arange(width, device=device) + first[:, :1] + 0.5) * (2 / source[1]) - 1
    y = (torch.arange(height, device=device) + first[:, 1:] + 0.5) * (2 / source[0]) - 1
    return torch.stack(
        [x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], -1
    )
