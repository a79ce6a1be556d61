"""What is left of a face under paint.

The model painted over what it saw at 48x48. Finer detail of that would show through the paint, in
colors of its own: the teeth of the old smile, gray on the new cheek.
"""

import cv2
import numpy as np

from cctranslate.faces.alignment import FaceTransform, bands, crop, enlarge_planes, within
from cctranslate.faces.raster import Levels, luma, planes
from cctranslate.pixels import SIZE, Scaled

FAINT, FULL = 0.02, 0.1
"""Fine paint, of a gray range, from which on what was there is covered, and by which in full."""
PLAIN, BUSY = 0.01, 0.04
"""Finer detail than the model sees, of a gray range, up to which it is texture that stays under
paint, and from which on it is a shape that would show through."""
GRAYER = 0.1
"""How much less saturated than the skin around it paint must find a place to take all its color
from there: a shaded tooth would be a gray lip."""
NEAR, BROAD = 1.0, 4.0
"""Deviations in pixels of the face: fine paint covers what is near it, and is of the color that is
broadly there; broader paint is light on what is there and covers nothing."""

NEARBY = 7
"""Places of the face around paint that it may reach: by its blur, and by enlarging."""


class Cover:
    """Covers the part of a picture that a face is in where paint will be."""

    def __init__(
        self,
        face: Scaled,
        edit: Scaled,
        window: Scaled,
        local: FaceTransform,
        shape: tuple[int, ...],
    ) -> None:
        """Find where it will be.

        Args:
            face: The face as the model saw it, unmoved, in planes [C,48,48].
            edit: The change [3,48,48], its light in [0, 1] a range.
            window: How much there is of it towards the edge [48,48].
            local: The face's frame in the part.
            shape: The part's shape, [H,W] or [H,W,3].
        """
        self._local, self._shape = local, shape
        self._painted = window * _painted(edit[2])
        self._coarse = luma(np.stack([_moved(plane, edit) for plane in face]))
        self._broad = np.stack([_blurred(plane, BROAD) for plane in face])
        self._shapes = np.zeros_like(self._painted)
        near = cv2.dilate(np.asarray(self._painted > 0, np.uint8), np.ones((2 * NEARBY + 1,) * 2))
        size = shape[1], shape[0]
        self._near = cv2.warpAffine(near, local, size, flags=cv2.INTER_NEAREST) > 0

    def find_shapes(self, moved: Levels) -> None:
        """Find the shapes of the part [H,W] or [H,W,3] that would show through paint.

        Args:
            moved: The part's levels, moved already.
        """
        detail = np.zeros(self._shape[:2], np.float32)
        for rows in bands(self._shape):
            if columns := self._columns(rows):
                bright = luma(planes(moved[rows, columns]))
                (coarse,) = self._enlarged(self._coarse[None], rows, columns)
                detail[rows, columns] = np.abs(bright - coarse)
        self._shapes = self._painted * _busy(crop(detail, self._local))

    def covered(self, colors: Scaled, bright: Scaled, rows: slice) -> tuple[Scaled, Scaled]:
        """Return planes of some rows of the part [C,N,W], and their luma [N,W], covered."""
        if not (columns := self._columns(rows)):
            return colors, bright
        masks = np.stack([self._shapes, self._painted, self._coarse])
        fraction, painted, coarse = self._enlarged(masks, rows, columns)
        fraction = fraction.clip(0, 1)
        broad = self._enlarged(self._broad, rows, columns)
        colors, bright = colors.copy(), bright.copy()
        part, part_luma = colors[..., columns], bright[:, columns]
        part += fraction * (broad - part)
        if len(colors) > 1:
            part[:] = _tinted(part, broad, painted.clip(0, 1))
        part_luma += fraction * (coarse - part_luma)
        return colors, bright

    def _columns(self, rows: slice) -> slice | None:
        """Return the columns of some rows that paint may reach, None if there are none."""
        reached = np.flatnonzero(self._near[rows].any(0))
        return slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else None

    def _enlarged(self, planes: Scaled, rows: slice, columns: slice) -> Scaled:
        size = columns.stop - columns.start, rows.stop - rows.start
        return enlarge_planes(planes, within(self._local, columns.start, rows.start), size)


def _moved(plane: Scaled, edit: Scaled) -> Scaled:
    """Return a plane as the generator moves it."""
    line = np.arange(SIZE, dtype=np.float32)
    columns_and_rows = edit[0] + line, edit[1] + line[:, None]
    moved = cv2.remap(plane, *columns_and_rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _tinted(colors: Scaled, broad: Scaled, fraction: Scaled) -> Scaled:
    """Return colors [3,H,W] by fractions [H,W] as saturated as what is broadly there, or more.

    The luma stays. Lips, which are more saturated than skin, keep their color.
    """
    skin = (broad * (luma(colors) / luma(broad).clip(1e-5))).clip(0, 1)
    fraction = fraction * smooth_step(_saturation(skin) - _saturation(colors), 0, GRAYER)
    return np.asarray(colors + fraction * (skin - colors), np.float32)


def _saturation(colors: Scaled) -> Scaled:
    most, least = colors.max(0), colors.min(0)
    return np.asarray((most - least) / most.clip(1e-5), np.float32)


def _painted(light: Scaled) -> Scaled:
    fine = light - _blurred(light, BROAD)
    return smooth_step(_blurred(np.abs(fine), NEAR), FAINT, FULL)


def _busy(detail: Scaled) -> Scaled:
    return smooth_step(_blurred(detail, NEAR), PLAIN, BUSY)


def smooth_step(values: Scaled, none: float, full: float) -> Scaled:
    """Return 0 up to `none`, 1 from `full` on, smooth between them."""
    fraction = ((values - none) / (full - none)).clip(0, 1)
    return np.asarray(fraction * fraction * (3 - 2 * fraction), np.float32)


def _blurred(plane: Scaled, deviation: float) -> Scaled:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), np.float32)
