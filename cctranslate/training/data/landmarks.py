"""Find the facial landmarks of training faces with the detector, and store them in the run."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cctranslate.faces.alignment import TEMPLATE, scaling, within
from cctranslate.faces.detector import (
    CONFIDENCE,
    LEFT_TOP,
    POINTS,
    WIDTH_HEIGHT,
    FaceDetector,
)
from cctranslate.pixels import SIZE, Gray
from cctranslate.process import signals
from cctranslate.training.data import computed_arrays

FILE = "landmarks.npz"
MARGIN = 12
"""Pixels of repeated border around a face: YuNet expects some background."""
SIDES = (144, 288)
"""Pixels that a face with its margin is enlarged to; the second if nothing is found at the first.
At 144 YuNet finds 90% of FER2013's faces, at 288 95%, in three times the time."""


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Eyes, nose's tip and mouth's corners of faces, left before right in the picture.

    `points` [N,5,2] float32 are (x, y) in the face's pixels. Faces whose landmarks were not found
    have the template's points, and `has_landmarks` [N] is false.
    """

    points: NDArray[np.float32]
    has_landmarks: NDArray[np.bool_]


def find(images: Gray) -> Landmarks:
    """Find the landmarks of faces [N,48,48] uint8.

    Raises:
        BundleError: The detector's model is missing or altered.
    """
    detector = FaceDetector()
    points = np.tile(TEMPLATE.astype(np.float32), (len(images), 1, 1))
    has_landmarks = np.zeros(len(images), bool)
    for i, image in enumerate(images):
        signals.raise_if_received()
        best = next((p for side in SIDES if (p := _best(detector, image, side)) is not None), None)
        if best is not None:
            points[i], has_landmarks[i] = best, True
    return Landmarks(points=points, has_landmarks=has_landmarks)


def load_or_find(path: Path, images: Gray) -> Landmarks:
    """Return the landmarks of `images` that `path` stores; if there are none, find them.

    Raises:
        BundleError: The detector's model is missing or altered.
    """

    def compute() -> computed_arrays.Arrays:
        found = find(images)
        return {"points": found.points, "found": found.has_landmarks}

    arrays = computed_arrays.load_or_compute(path, (images,), compute)
    return Landmarks(points=arrays["points"], has_landmarks=arrays["found"])


def _best(detector: FaceDetector, image: Gray, side: int) -> NDArray[np.float32] | None:
    """Return the points [5,2] of the surest face in an image [48,48] enlarged to `side` pixels.

    Small detections, and those far from the middle, are patterns in hair or on clothes.
    """
    framed = cv2.copyMakeBorder(image, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    view = cv2.resize(framed, (side, side), interpolation=cv2.INTER_CUBIC)
    step = (SIZE + 2 * MARGIN) / side
    frame = within(scaling(step, step), MARGIN, MARGIN)
    rows = detector.detect_in_view(np.asarray(view, np.uint8), frame)
    off = np.abs(rows[:, LEFT_TOP] + rows[:, WIDTH_HEIGHT] / 2 - (SIZE - 1) / 2).max(1, initial=0)
    rows = rows[(off < SIZE / 3) & (rows[:, WIDTH_HEIGHT].min(1) > SIZE / 3)]
    if not len(rows):
        return None
    return rows[rows[:, CONFIDENCE].argmax(), POINTS].reshape(5, 2).astype(np.float32)
