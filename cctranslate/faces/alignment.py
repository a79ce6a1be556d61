"""Affine transforms from 48x48 faces to pictures, and crops by them.

`align` frames a face as FER2013 does, by the five landmarks of a detector.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cctranslate.pixels import SIZE, Floats

FaceTransform = NDArray[np.float64]
"""A 2x3 affine map from positions (x, y, 1) in the 48x48 face to positions in its picture.

In both, whole numbers are the centers of pixels. A variable of this type is called a frame.
"""
Points = NDArray[np.float64]
"""Landmarks [5,2] as (x, y): eyes, tip of the nose, corners of the mouth. The left one of a pair,
as the viewer sees it, comes first."""
EYE_POINTS, NOSE_POINT, MOUTH_POINTS = (0, 1), 2, (3, 4)
"""The indices of landmarks."""
MIRRORED_POINTS = [1, 0, 2, 4, 3]
"""The order of landmarks after mirroring a face, so that left comes before right again."""

Picture = TypeVar("Picture", bound=NDArray[Any])

TEMPLATE: Points = np.array(
    [[14.4, 17.8], [32.6, 17.8], [23.5, 28.0], [16.4, 35.8], [30.6, 35.8]], np.float64
)
"""Landmarks of FER2013's faces: medians of what the same detector finds in Training rows, made
symmetric (`python tests/bench/framing.py fer2013.csv`)."""

BAND = 24 << 10
"""Pixels that are drawn at once, few enough that their float planes fit into a core's cache."""


def align(points: Points) -> FaceTransform:
    """Return the similarity transform that maps the template closest to `points`.

    Closest is by least squares.
    """
    template, in_picture = _complex(TEMPLATE), _complex(points)
    centered = template - template.mean()
    turn = np.vdot(centered, in_picture - in_picture.mean()) / np.vdot(centered, centered)
    shift = in_picture.mean() - turn * template.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def whole(width: int, height: int) -> FaceTransform:
    """Return the frame of a picture that is a face from edge to edge."""
    return scaling(width / SIZE, height / SIZE)


def scaling(x: float, y: float) -> FaceTransform:
    """Return the transform to a picture that is `x` times as wide and `y` times as high.

    Edges map to edges. Positions are of pixels' centers, so the first center moves.
    """
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])


def side(frame: FaceTransform) -> float:
    """Return the width of a frame in pixels of the picture."""
    return float(SIZE * np.hypot(*frame[:, 0]))


def crop(picture: Picture, frame: FaceTransform, size: int = SIZE) -> Picture:
    """Return a frame's crop of a picture [H,W,...], `size` by `size` pixels.

    Beyond the picture its edges are repeated. Each level is a mean over the area of its pixel, so
    that fine detail does not become noise.
    """
    left, top, right, bottom = bounds(frame, picture.shape, size)
    finer_x, finer_y = (int(np.ceil(np.hypot(*axis))) for axis in frame[:, :2].T)
    # To the centers of `finer_x` by `finer_y` parts of each pixel.
    part = scaling(1 / finer_x, 1 / finer_y)
    large = cv2.warpAffine(
        picture[top:bottom, left:right],
        within(composed(frame, part), left, top),
        (size * finer_x, size * finer_y),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    small = cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, picture.dtype)  # type: ignore[return-value]


def composed(outer: FaceTransform, inner: FaceTransform) -> FaceTransform:
    """Return the transform that applies `inner`, then `outer`."""
    return np.asarray(outer @ np.vstack([inner, [0, 0, 1]]), np.float64)


def bounds(
    frame: FaceTransform, shape: tuple[int, ...], size: int = SIZE
) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the part of a picture [H,W,...] that a crop reads.

    The part is never empty: for a frame outside the picture it is the nearest pixels.
    """
    edge = size - 0.5
    corners = np.array([[-0.5, -0.5, 1], [edge, -0.5, 1], [-0.5, edge, 1], [edge, edge, 1]])
    positions = corners @ frame.T
    limits = np.array([shape[1], shape[0]])
    first = np.clip(np.floor(positions.min(0) - 1), 0, limits - 1).astype(int)
    last = np.clip(np.ceil(positions.max(0) + 2), first + 1, limits).astype(int)
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield the rows of each band in which a part of a picture [H,W,...] is drawn."""
    step = max(BAND // shape[1], 1)
    for first in range(0, shape[0], step):
        yield slice(first, min(first + step, shape[0]))


def within(frame: FaceTransform, left: int, top: int) -> FaceTransform:
    """Return a frame relative to the part of its picture that begins at `left` and `top`."""
    return np.asarray(frame - [[0, 0, left], [0, 0, top]], np.float64)


def enlarge_planes(
    planes: Floats, local: FaceTransform, size: tuple[int, int], fade: bool = False
) -> Floats:
    """Return planes of a face [C,48,48] enlarged to a part of its picture [C,H,W].

    Args:
        planes: At most four planes.
        local: The face's frame, relative to the part.
        size: Width and height of the part.
        fade: Whether planes are zero outside the frame; else their edges are repeated.
    """
    border = cv2.BORDER_CONSTANT if fade else cv2.BORDER_REPLICATE
    large = cv2.warpAffine(
        cv2.merge(list(planes)), local, size, flags=cv2.INTER_CUBIC, borderMode=border
    )
    return np.stack(cv2.split(large))


def _complex(points: Points) -> NDArray[np.complex128]:
    return points[:, 0] + 1j * points[:, 1]
