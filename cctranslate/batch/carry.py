"""A change that was predicted at 48x48, carried up to the picture that the face is in.

The picture's own pixels are moved and lit: what was sharp stays sharp. Moves and light fade out
towards the frame's edge, where nothing is left of them, so that there is no border to see.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.align import Frame, bounds, side
from cctranslate.batch.canvas import Levels
from cctranslate.pixels import SIZE, Scaled

REACH = 0.75
"""Share of the way from the frame's middle to its edge where a change begins to fade."""

FAINT, FULL = 0.04, 0.2
"""Fine paint, of [-1, 1], from which on what was there is painted over, and by which in full."""
BROAD, NEAR, COARSE = 4.0, 1.0, 0.8
"""Deviations in pixels of the face: broader paint is light on what is there and covers nothing;
fine paint covers what is near it; and what the model saw of that is coarse."""


def _window() -> Scaled:
    """How much of a change is kept [48,48]: all in the middle, none at the edge."""
    line = np.abs(np.arange(SIZE) - (SIZE - 1) / 2) / (SIZE / 2 - 1)
    # A rounded square: no corner of the frame can show.
    radius = (line[:, None] ** 4 + line[None] ** 4) ** 0.25
    left = ((1 - radius) / (1 - REACH)).clip(0, 1)
    return np.asarray(left * left * (3 - 2 * left), np.float32)


WINDOW = _window()


def carry(levels: Levels, frame: Frame, edit: Scaled, fade: bool = True) -> None:
    """Change the face in a picture [H,W] or [H,W,3], in place, by an edit [3,48,48].

    An edit is where to fetch each place from, as x and y in pixels of the face, and the light
    added to it, in [-1, 1] a gray range. `fade` is for a face within a picture; without it the
    change goes up to the frame's edge. Pixels outside the frame are left alone.
    """
    left, top, right, bottom = bounds(frame, levels.shape)
    local, scale = frame - [[0, 0, left], [0, 0, top]], side(frame) / SIZE
    enlarged = cv2.warpAffine(
        np.ascontiguousarray((edit * WINDOW if fade else edit).transpose(1, 2, 0)),
        local,
        (right - left, bottom - top),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT if fade else cv2.BORDER_REPLICATE,
    )
    field = np.asarray(enlarged, np.float32)
    flow = field[..., :2] @ frame[:, :2].T.astype(np.float32)
    part = levels[top:bottom, left:right]
    moved = _softened(_moved(levels, flow, left, top), _painted(field[..., 2], scale), scale)
    changed = _lit(moved, field[..., 2])
    np.copyto(part, changed, where=field.any(-1).reshape(part.shape[:2] + (1,) * (part.ndim - 2)))


def _moved(levels: Levels, flow: Scaled, left: int, top: int) -> Levels:
    """The part of a picture that begins at `left`, `top`, each pixel fetched from its flow."""
    height, width = flow.shape[:2]
    reach = int(np.abs(flow).max(initial=0)) + 3  # cubic interpolation looks at two more
    x, y = max(left - reach, 0), max(top - reach, 0)
    source = levels[y : top + height + reach, x : left + width + reach]
    columns = np.arange(width, dtype=np.float32) + np.float32(left - x)
    rows = np.arange(height, dtype=np.float32)[:, None] + np.float32(top - y)
    moved = cv2.remap(
        source,
        flow[..., 0] + columns,
        flow[..., 1] + rows,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, levels.dtype)  # type: ignore[return-value]


def _painted(paint: Scaled, scale: float) -> Scaled:
    """How much of what was there is painted over [H,W], from 0 to 1."""
    fine = paint - _blurred(paint, BROAD * scale)
    near = _blurred(np.abs(fine), NEAR * scale)
    share = ((near - FAINT) / (FULL - FAINT)).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _softened(levels: Levels, painted: Scaled, scale: float) -> Levels:
    """What is painted over keeps only what the model saw of it: finer detail would show through."""
    if scale <= 1 or not painted.any():
        return levels
    coarse = _blurred(levels.astype(np.float32), COARSE * scale)
    mixed = levels + _broadcast(painted, levels) * (coarse - levels)
    return np.rint(mixed).astype(levels.dtype)  # type: ignore[return-value]


def _blurred(plane: Scaled, deviation: float) -> Scaled:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), np.float32)


def _lit(levels: Levels, paint: Scaled) -> Levels:
    """Pixels with so much light added [H,W], the luma of each changing by just that.

    Shade scales a colour down, light brings it nearer to white: hues stay, and nothing clips.
    """
    white = float(np.iinfo(levels.dtype).max)
    colours = levels.astype(np.float32)
    luma = colours if levels.ndim == 2 else cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    wanted = (luma + paint * (white / 2)).clip(0, white)
    darker = wanted / luma.clip(1e-3)
    lighter = (wanted - luma) / (white - luma).clip(1e-3)
    darker, lighter = (_broadcast(share, levels) for share in (darker, lighter))
    lit: NDArray[np.float32] = np.where(
        darker <= 1, colours * darker, colours + (white - colours) * lighter.clip(0, 1)
    )
    return np.rint(lit).clip(0, white).astype(levels.dtype)  # type: ignore[return-value]


def _broadcast(plane: Scaled, levels: Levels) -> Scaled:
    return plane if levels.ndim == 2 else plane[..., None]
