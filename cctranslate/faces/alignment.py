"""From a detector's five points to the framing that FER2013's faces have."""

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cctranslate.pixels import SIZE

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


def align(points: Points) -> FaceTransform:
    """Return the similarity that takes the template nearest to `points` (least squares)."""
    here, there = _complex(TEMPLATE), _complex(points)
    centred = here - here.mean()
    turn = np.vdot(centred, there - there.mean()) / np.vdot(centred, centred)
    shift = there.mean() - turn * here.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def whole(width: int, height: int) -> FaceTransform:
    """Return the transform of a picture that is a face from edge to edge."""
    x, y = width / SIZE, height / SIZE
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])


def side(frame: FaceTransform) -> float:
    """How many of the picture's pixels the frame is wide."""
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
        joined(frame, part) - [[0, 0, left], [0, 0, top]],
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
    """Left, top, right and bottom of the part of a picture [H,W,...] that a frame touches.

    It is never empty: a frame that lies beside the picture touches what is nearest to it.
    """
    edge = size - 0.5
    corners = np.array([[-0.5, -0.5, 1], [edge, -0.5, 1], [-0.5, edge, 1], [edge, edge, 1]])
    places = corners @ frame.T
    limits = np.array([shape[1], shape[0]])
    first = np.clip(np.floor(places.min(0) - 1), 0, limits - 1).astype(int)
    last = np.clip(np.ceil(places.max(0) + 2), first + 1, limits).astype(int)
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])


def _complex(points: Points) -> NDArray[np.complex128]:
    return points[:, 0] + 1j * points[:, 1]
