"""An image pyramid, from which smaller views of a picture are made quickly."""

import cv2
import numpy as np

from cctranslate.faces.alignment import FaceTransform, composed, crop, scaling
from cctranslate.pixels import Pixels

_HALF = scaling(2, 2)
"""From a level of the pyramid to the level that is twice as large."""


class Pyramid:
    """A picture [H,W] or [H,W,3] uint8, at full size, half the size, a quarter and so on.

    Halving is ten times as fast as other reductions, and what is left for a view is less than a
    halving.
    """

    def __init__(self, picture: Pixels) -> None:
        """Hold the picture. Its levels are made when views need them."""
        self._levels = [(picture, np.eye(2, 3))]

    @property
    def picture(self) -> Pixels:
        """The picture itself."""
        return self._levels[0][0]

    def shrunk(self, longer: int) -> tuple[Pixels, FaceTransform]:
        """Return a view whose longer side has at most `longer` pixels, and its frame."""
        level, back = self._level(max(self.picture.shape[:2]) / longer)
        height, width = level.shape[:2]
        scale = min(longer / max(height, width), 1)
        if scale == 1:
            return level, back
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        view = np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        return view, composed(back, scaling(width / size[0], height / size[1]))

    def crop(self, frame: FaceTransform, size: int) -> Pixels:
        """Return the crop [size,size] or [size,size,3] of a frame in the picture.

        The crop is made from the smallest level that has all its detail.
        """
        level, back = self._level(np.hypot(*frame[:, 0]))
        inverse = np.asarray(cv2.invertAffineTransform(back), np.float64)
        return crop(level, composed(inverse, frame), size)

    def _level(self, reduction: float) -> tuple[Pixels, FaceTransform]:
        """Return the smallest level that is reduced no more than this, and its frame."""
        number = int(np.log2(max(reduction, 1)))
        while number >= len(self._levels):
            picture, back = self._levels[-1]
            if min(picture.shape[:2]) == 1:
                break
            self._levels.append((_halved(picture), composed(back, _HALF)))
        return self._levels[min(number, len(self._levels) - 1)]


def _halved(picture: Pixels) -> Pixels:
    """Return a picture at half its size; a last odd row or column is left out."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    even = picture[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
