"""Hides details of the old face where the model takes them away.

The model paints over what it sees at 48x48. The picture has finer details of it. They would show
through the paint: the teeth of the old smile, gray on the new cheek. Where paint adds to what is
there, as to an eye that is opened, the details stay: they keep it sharp.
"""

import cv2
import numpy as np

from cctranslate.faces.alignment import FaceTransform, bands, crop, enlarge_planes, within
from cctranslate.faces.raster import Levels, luma, planes
from cctranslate.pixels import SIZE, Floats

FAINT, FULL = 0.02, 0.1
"""Amount of fine paint against details, as a fraction of the gray range, from which on they are
covered, and from which on in full."""
PLAIN, BUSY = 0.01, 0.04
"""Amount of detail, as a fraction of the gray range, up to which it is texture that stays, and
from which on it is a shape that is covered."""
GRAYER = 0.1
"""Difference in saturation from the skin around it at which a painted pixel takes all its color
from there. Without this a shaded tooth would become a gray lip."""
NEAR, BROAD = 1.0, 4.0
"""Standard deviations of blurs, in pixels of the 48x48 face. Paint finer than `BROAD` covers
details within `NEAR` of it, and takes the color of the face blurred by `BROAD`. Broader paint is a
change of light and covers nothing."""

NEARBY = 7
"""Pixels of the 48x48 face around paint that blurring and enlarging spread it to."""


class Cover:
    """Covers details of one face in its part of a picture."""

    def __init__(
        self,
        face: Floats,
        edit: Floats,
        window: Floats,
        local: FaceTransform,
        shape: tuple[int, ...],
    ) -> None:
        """Find where the model takes details away.

        Args:
            face: The face as the model saw it, in planes [C,48,48], before pixels are moved.
            edit: The edit [3,48,48], with its light as a fraction of the gray range.
            window: The factor of the edit at each pixel [48,48].
            local: The face's frame, relative to the part.
            shape: The part's shape, [H,W] or [H,W,3].
        """
        self._local, self._shape = local, shape
        self._coarse = luma(np.stack([_moved(plane, edit) for plane in face]))
        self._covers = window * _taken_away(self._coarse, edit[2])
        self._broad = np.stack([_blurred(plane, BROAD) for plane in face])
        self._shapes = np.zeros_like(self._covers)
        near = cv2.dilate(np.asarray(self._covers > 0, np.uint8), np.ones((2 * NEARBY + 1,) * 2))
        size = shape[1], shape[0]
        self._near = cv2.warpAffine(near, local, size, flags=cv2.INTER_NEAREST) > 0

    def find_shapes(self, moved: Levels) -> None:
        """Find the details that would show through paint.

        Args:
            moved: The part [H,W] or [H,W,3], with its pixels moved by the edit.
        """
        detail = np.zeros(self._shape[:2], np.float32)
        for rows in bands(self._shape):
            if columns := self._columns(rows):
                bright = luma(planes(moved[rows, columns]))
                (coarse,) = self._enlarged(self._coarse[None], rows, columns)
                detail[rows, columns] = np.abs(bright - coarse)
        self._shapes = self._covers * _busy(crop(detail, self._local))

    def covered(self, colors: Floats, bright: Floats, rows: slice) -> tuple[Floats, Floats]:
        """Return planes [C,N,W] of some rows, and their luma [N,W], with details covered."""
        if not (columns := self._columns(rows)):
            return colors, bright
        masks = np.stack([self._shapes, self._covers, self._coarse])
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
        """Return the columns in which paint may lie in some rows, None if in none."""
        reached = np.flatnonzero(self._near[rows].any(0))
        return slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else None

    def _enlarged(self, planes: Floats, rows: slice, columns: slice) -> Floats:
        size = columns.stop - columns.start, rows.stop - rows.start
        return enlarge_planes(planes, within(self._local, columns.start, rows.start), size)


def _moved(plane: Floats, edit: Floats) -> Floats:
    """Return a plane [48,48] moved by an edit, as the generator moves it."""
    line = np.arange(SIZE, dtype=np.float32)
    columns_and_rows = edit[0] + line, edit[1] + line[:, None]
    moved = cv2.remap(plane, *columns_and_rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _tinted(colors: Floats, broad: Floats, fraction: Floats) -> Floats:
    """Return colors [3,H,W] that are at least as saturated as the blurred face, by fractions [H,W].

    The luma stays. Lips keep their color, as they are more saturated than skin.
    """
    skin = (broad * (luma(colors) / luma(broad).clip(1e-5))).clip(0, 1)
    fraction = fraction * smooth_step(_saturation(skin) - _saturation(colors), 0, GRAYER)
    return np.asarray(colors + fraction * (skin - colors), np.float32)


def _saturation(colors: Floats) -> Floats:
    most, least = colors.max(0), colors.min(0)
    return np.asarray((most - least) / most.clip(1e-5), np.float32)


def _taken_away(face: Floats, light: Floats) -> Floats:
    """Return how far fine light covers details: where it darkens bright or brightens dark ones."""
    detail, fine = (plane - _blurred(plane, BROAD) for plane in (face, light))
    opposed = smooth_step(-detail * np.sign(fine), PLAIN, BUSY)
    return smooth_step(_blurred(np.abs(fine) * opposed, NEAR), FAINT, FULL)


def _busy(detail: Floats) -> Floats:
    return smooth_step(_blurred(detail, NEAR), PLAIN, BUSY)


def smooth_step(values: Floats, none: float, full: float) -> Floats:
    """Return 0 up to `none`, 1 from `full` on, and a smooth step between them."""
    fraction = ((values - none) / (full - none)).clip(0, 1)
    return np.asarray(fraction * fraction * (3 - 2 * fraction), np.float32)


def _blurred(plane: Floats, deviation: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), np.float32)
