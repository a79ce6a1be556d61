"""What is left of a face under paint.

The model painted over what it saw at 48x48. Finer detail of that would show through the paint, in
colours of its own: the teeth of the old smile, gray on the new cheek.
"""

import cv2
import numpy as np

from cctranslate.faces.alignment import FaceTransform, crop
from cctranslate.faces.raster import like, luma
from cctranslate.pixels import SIZE, Scaled

FAINT, FULL = 0.02, 0.1
"""Fine paint, of a gray range, from which on what was there is covered, and by which in full."""
PLAIN, BUSY = 0.01, 0.04
"""Finer detail than the model sees, of a gray range, up to which it is texture that stays under
paint, and from which on it is a shape that would show through."""
GRAYER = 0.1
"""How much less saturated than the skin around it paint must find a place to take all its colour
from there: a shaded tooth would be a gray lip."""
NEAR, BROAD = 1.0, 4.0
"""Deviations in pixels of the face: fine paint covers what is near it, and is of the colour that is
broadly there; broader paint is light on what is there and covers nothing."""


def covered(
    colours: Scaled, seen: Scaled, edit: Scaled, kept: Scaled, local: FaceTransform
) -> tuple[Scaled, Scaled]:
    """Return a part's colors and luma where paint will cover them.

    `colours` [H,W] or [H,W,3] in [0, 1] are moved already; `seen` [48,48] or [48,48,3] is the
    face as the model saw it, unmoved; `edit` [3,48,48] is the change, its light in [0, 1] a range,
    `kept` [48,48] how much there is of it towards the edge, `local` the face's frame in the part.
    """
    bright = luma(colours)
    coarse = luma(_moved(seen, edit))
    painted = kept * _painted(edit[2])
    if not painted.any():
        return colours, bright
    size = colours.shape[1], colours.shape[0]
    view = enlarged(coarse, local, size)
    busy = _busy(crop(np.abs(bright - view), local))
    share = enlarged(painted * busy, local, size).clip(0, 1)
    broad = enlarged(_blurred(seen, BROAD), local, size)
    left = colours + like(share, colours) * (broad - colours)
    if colours.ndim == 3:
        left = _tinted(left, broad, enlarged(painted, local, size).clip(0, 1))
    return left, bright + share * (view - bright)


def enlarged(
    planes: Scaled, local: FaceTransform, size: tuple[int, int], fade: bool = False
) -> Scaled:
    """Planes [48,48,...] of a face in its part of a picture; beyond the frame they go on or end."""
    border = cv2.BORDER_CONSTANT if fade else cv2.BORDER_REPLICATE
    large = cv2.warpAffine(
        np.ascontiguousarray(planes), local, size, flags=cv2.INTER_CUBIC, borderMode=border
    )
    return np.asarray(large, np.float32)


def _moved(seen: Scaled, edit: Scaled) -> Scaled:
    """As the generator moves it."""
    line = np.arange(SIZE, dtype=np.float32)
    places = edit[0] + line, edit[1] + line[:, None]
    moved = cv2.remap(seen, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _tinted(colours: Scaled, broad: Scaled, share: Scaled) -> Scaled:
    """Colours [H,W,3] in that share [H,W] as saturated as what is broadly there, if they are less.

    The luma stays. Lips, which are more saturated than skin, keep their colour.
    """
    skin = (broad * like(luma(colours) / luma(broad).clip(1e-5), colours)).clip(0, 1)
    share = share * _step(_saturation(skin) - _saturation(colours), 0, GRAYER)
    return np.asarray(colours + like(share, colours) * (skin - colours), np.float32)


def _saturation(colours: Scaled) -> Scaled:
    # Plane by plane: over the last axis of three numpy takes many times as long.
    red, green, blue = cv2.split(colours)
    most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return np.asarray((most - least) / most.clip(1e-5), np.float32)


def _painted(light: Scaled) -> Scaled:
    fine = light - _blurred(light, BROAD)
    return _step(_blurred(np.abs(fine), NEAR), FAINT, FULL)


def _busy(detail: Scaled) -> Scaled:
    return _step(_blurred(detail, NEAR), PLAIN, BUSY)


def _step(values: Scaled, none: float, full: float) -> Scaled:
    """0 up to `none`, 1 from `full` on, smooth between them."""
    share = ((values - none) / (full - none)).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _blurred(plane: Scaled, deviation: float) -> Scaled:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), np.float32)
