"""From a detector's five points to the framing that FER2013's faces have."""

from collections.abc import Iterator
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cctranslate.pixels import SIZE, Scaled

FaceTransform = NDArray[np.float64]
"""A 2x3 affine map from places in the 48x48 face, as (x, y, 1), to places in its picture.

Whole numbers are the middles of pixels in both.
"""
Points = NDArray[np.float64]
"""Five (x, y): eyes, nose's tip and mouth's corners, left before right as one sees them."""

Picture = TypeVar("Picture", bound=NDArray[Any])

TEMPLATE: Points = np.array(
    [[14.4, 17.8], [32.6, 17.8], [23.5, 28.0], [16.4, 35.8], [30.6, 35.8]], np.float64
)
"""Where FER2013's faces have them: medians of what the same detector finds in its Training rows,
made symmetric (`python tests/bench/framing.py fer2013.csv`)."""

BAND = 24 << 10
"""Pixels that are drawn at once: some planes of floats of them fit into a core's cache."""


def align(points: Points) -> FaceTransform:
    """Return the similarity that takes the template nearest to `points` (least squares)."""
    here, there = _complex(TEMPLATE), _complex(points)
    centered = here - here.mean()
    turn = np.vdot(centered, there - there.mean()) / np.vdot(centered, centered)
    shift = there.mean() - turn * here.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def whole(width: int, height: int) -> FaceTransform:
    """Return the transform of a picture that is a face from edge to edge."""
    x, y = width / SIZE, height / SIZE
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])


def side(frame: FaceTransform) -> float:
    """Return how many of the picture's pixels the frame is wide."""
    return float(SIZE * np.hypot(*frame[:, 0]))


def crop(picture: Picture, frame: FaceTransform, size: int = SIZE) -> Picture:
    """Return the crop, `size` by `size` pixels; beyond the picture its edges are repeated.

    Each level is the mean over its place in a picture [H,W,...]: no detail turns to noise.
    """
    left, top, right, bottom = bounds(frame, picture.shape, size)
    finer = int(np.ceil(np.hypot(*frame[:, 0])))
    # To the middles of `finer` by `finer` parts of each place.
    part = np.array([[1 / finer, 0, (1 / finer - 1) / 2], [0, 1 / finer, (1 / finer - 1) / 2]])
    large = cv2.warpAffine(
        picture[top:bottom, left:right],
        within(joined(frame, part), left, top),
        (size * finer, size * finer),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    small = cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, picture.dtype)  # type: ignore[return-value]


def joined(outer: FaceTransform, inner: FaceTransform) -> FaceTransform:
    """Return the transform that applies `inner`, then `outer`."""
    return np.asarray(outer @ np.vstack([inner, [0, 0, 1]]), np.float64)


def bounds(
    frame: FaceTransform, shape: tuple[int, ...], size: int = SIZE
) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what a frame touches of a picture [H,W,...].

    It is never empty: a frame that lies beside the picture touches what is nearest to it.
    """
    edge = size - 0.5
    corners = np.array([[-0.5, -0.5, 1], [edge, -0.5, 1], [-0.5, edge, 1], [edge, edge, 1]])
    positions = corners @ frame.T
    limits = np.array([shape[1], shape[0]])
    first = np.clip(np.floor(positions.min(0) - 1), 0, limits - 1).astype(int)
    last = np.clip(np.ceil(positions.max(0) + 2), first + 1, limits).astype(int)
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Return the rows of each band of a picture's part [H,W,...], by which it is drawn."""
    step = max(BAND // shape[1], 1)
    for first in range(0, shape[0], step):
        yield slice(first, min(first + step, shape[0]))


def within(frame: FaceTransform, left: int, top: int) -> FaceTransform:
    """Return a frame in a picture as one in the part of it that begins at `left` and `top`."""
    return np.asarray(frame - [[0, 0, left], [0, 0, top]], np.float64)


def enlarge_planes(
    planes: Scaled, local: FaceTransform, size: tuple[int, int], fade: bool = False
) -> Scaled:
    """Return planes of a face [C,48,48] in its part of a picture [C,H,W].

    Beyond the frame they go on or, with `fade`, end. There are at most four.
    """
    border = cv2.BORDER_CONSTANT if fade else cv2.BORDER_REPLICATE
    large = cv2.warpAffine(
        cv2.merge(list(planes)), local, size, flags=cv2.INTER_CUBIC, borderMode=border
    )
    return np.stack(cv2.split(large))


def _complex(points: Points) -> NDArray[np.complex128]:
    return points[:, 0] + 1j * points[:, 1]
