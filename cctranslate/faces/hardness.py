"""How hard faces are to change: turned, tilted, far from the middle, or without landmarks."""

import numpy as np
from numpy.typing import NDArray

from cctranslate.faces.alignment import EYE_POINTS, MOUTH_POINTS, NOSE_POINT
from cctranslate.pixels import SIZE

# Each limit is a pair: where a property begins to count, and where it counts in full.
TURNED = (0.12, 0.36)
"""Distance of the nose's tip from the line between the middles of eyes and mouth. The unit is the
larger of two distances: between the eyes, and from eyes to mouth."""
NARROW = (-0.8, -0.5)
"""Distance between the eyes over the distance from eyes to mouth, negated. Profiles are narrow."""
ASIDE_PIXELS = (6.5, 12.0)
"""Pixels from the middle of the picture to the middle of eyes and mouth, along the farther axis."""
TILTED_DEGREES = (15.0, 40.0)
"""Degrees between the line through the eyes and the horizontal."""
HARD = 0.6
"""Faces of at least this hardness are changed less: 12% of FER2013's Training rows."""


def hardness(points: NDArray[np.floating], has_landmarks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how hard faces are to change, [N] from 0 (not at all) to 1.

    The worst of the properties above decides. A face without landmarks has 1: it is in profile,
    behind hands, or a drawing. In FER2013's Training rows 23% have 0.25 or more and 9% have 0.75
    or more.

    Args:
        points: Landmarks [N,5,2] in pixels of the 48x48 face.
        has_landmarks: Whether the landmarks of each face were found [N].
    """
    points = points.astype(np.float64)
    eyes, mouth = points[:, EYE_POINTS].mean(1), points[:, MOUTH_POINTS].mean(1)
    left_eye, right_eye = EYE_POINTS
    between = points[:, right_eye] - points[:, left_eye]
    width = np.linalg.norm(between, axis=1).clip(1e-6)
    across = between / width[:, None]
    down = np.stack([-across[:, 1], across[:, 0]], 1)
    height = ((mouth - eyes) * down).sum(1).clip(1e-6)
    middle = (eyes + mouth) / 2
    nose = ((points[:, NOSE_POINT] - middle) * across).sum(1)
    worst = np.maximum.reduce(
        [
            _ramp(np.abs(nose) / np.maximum(width, height), *TURNED),
            _ramp(-width / height, *NARROW),
            _ramp(np.abs(middle - (SIZE - 1) / 2).max(1), *ASIDE_PIXELS),
            _ramp(np.abs(np.degrees(np.arctan2(across[:, 1], across[:, 0]))), *TILTED_DEGREES),
        ]
    )
    return np.where(has_landmarks, worst, 1.0).astype(np.float32)


def are_hard(points: NDArray[np.floating], has_landmarks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which faces [N] are changed less; the arguments are those of `hardness`."""
    return hardness(points, has_landmarks) >= HARD


def _ramp(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return 0 up to `low`, 1 from `high` on, and linear values between them."""
    return ((values - low) / (high - low)).clip(0, 1)
