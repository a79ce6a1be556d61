"""YuNet's network, and the faces in its outputs.

OpenCV's `FaceDetectorYN` does the same with the same network, in twice the time.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from cctranslate.pixels import Floats, Pixels

if TYPE_CHECKING:
    from cctranslate.inference.sessions import OnnxRuntimeGraph

STRIDES = (8, 16, 32)
"""Pixels between neighboring positions of each output; each position may be a face."""
KINDS = ("cls", "obj", "bbox", "kps")
"""Outputs of each stride, for P positions: two scores [P], boxes [P,4] and points [P,10]."""
MOST = 5000
"""Most candidates of non-maximum suppression."""
Rows = NDArray[np.float64]


class YuNet:
    """Finds faces in a picture at its size. Several threads may use it at once."""

    def __init__(self, path: Path) -> None:
        """Remember the path. The network is loaded when a picture first needs it."""
        self._path, self._lock = path, threading.Lock()
        self._graph: OnnxRuntimeGraph | None = None

    def faces(self, view: Pixels, min_score: float, overlap: float) -> Rows:
        """Return the faces in a view [H,W] or [H,W,3] uint8, the surest first.

        Args:
            view: The picture.
            min_score: Least score of a face.
            overlap: Intersection over union of two boxes above which they are one face.

        Returns:
            Rows [N,15]: left, top, width and height of the box, five points, the score.
        """
        pixels = _pixels(view)
        names = [f"{kind}_{stride}" for stride in STRIDES for kind in KINDS]
        results = [result[0] for result in self._opened().run(names, {"input": pixels})]
        parts = [results[i : i + len(KINDS)] for i in range(0, len(results), len(KINDS))]
        width = pixels.shape[3]
        rows = np.concatenate(
            [
                _rows(part, stride, width // stride, min_score)
                for part, stride in zip(parts, STRIDES, strict=True)
            ]
        )
        boxes, scores = rows[:, :4].tolist(), rows[:, 14].tolist()
        distinct = cv2.dnn.NMSBoxes(boxes, scores, min_score, overlap, top_k=MOST)
        return np.asarray(rows[np.asarray(distinct, int).ravel()], np.float64)

    def _opened(self) -> OnnxRuntimeGraph:
        with self._lock:
            if self._graph is None:
                # Most worker processes find no faces, and the import takes a sixth of a second.
                from cctranslate.inference.sessions import OnnxRuntimeGraph

                self._graph = OnnxRuntimeGraph(self._path)
            return self._graph


def _pixels(view: Pixels) -> Floats:
    """Return a view as the network's input, [1,3,H,W] float32: blue, green and red from 0 to 255.

    It is padded at the right and below to multiples of the largest stride.
    """
    height, width = view.shape[:2]
    down, right = -height % STRIDES[-1], -width % STRIDES[-1]
    pixels = np.zeros((1, 3, height + down, width + right), np.float32)
    planes = reversed(cv2.split(view)) if view.ndim == 3 else (view,) * 3
    for i, plane in enumerate(planes):
        pixels[0, i, :height, :width] = plane
    return pixels


def _rows(outputs: list[Floats], stride: int, across: int, min_score: float) -> Floats:
    """Return the rows [N,15] of a stride's positions with a score of at least `min_score`.

    Args:
        outputs: The network's four outputs of the stride.
        stride: Pixels between positions.
        across: Positions in a line.
        min_score: Least score of a face.
    """
    faces, objects, boxes, points = outputs
    scores = np.sqrt(faces[:, 0].clip(0, 1) * objects[:, 0].clip(0, 1))
    (sure,) = np.nonzero(scores >= min_score)
    positions = np.stack([sure % across, sure // across], 1).astype(np.float32)
    sizes = np.exp(boxes[sure, 2:]) * stride
    corners = (positions + boxes[sure, :2]) * stride - sizes / 2
    spots = (positions[:, None] + points[sure].reshape(-1, 5, 2)) * stride
    return np.concatenate(
        [corners, sizes, spots.reshape(-1, 10), scores[sure, None]], 1, dtype=np.float32
    )
