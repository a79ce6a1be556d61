"""A change that was predicted at 48x48, carried up to the picture that the face is in.

The picture's own pixels are moved and lit: what was sharp stays sharp. Moves and light fade out
towards the frame's edge, where nothing is left of them, so that there is no border to see.
"""

import cv2
import numpy as np

from cctranslate.faces.alignment import (
    FaceTransform,
    bands,
    bounds,
    crop,
    enlarge_planes,
    side,
    within,
)
from cctranslate.faces.detail_suppression import Cover, smooth_step
from cctranslate.faces.raster import Box, Canvas, Levels, from_planes, luma, planes
from cctranslate.pixels import SIZE, Floats

Undo = tuple[Levels, Box]
"""A part of a picture as it was, and where it is: what `Canvas.draw` takes."""
REACH = 0.75
"""Fraction of the way from the frame's middle to its edge where a change begins to fade."""
EYES = np.array([2.4, 2.4, 0.35], np.float32).reshape(3, 1, 1)
"""Factors of an edit around eyes and brows: of its moves across and down, and of its light. They
apply in full to faces that are at least twice as large as the model's."""
MOUTH = np.array([2.0, 2.0, 0.5], np.float32).reshape(3, 1, 1)
"""The same for the lower face: a mouth that opens needs light, while eyes with it look painted."""
NOSE = (21, 31)
"""Rows of an aligned face between which its upper half ends and its lower half begins."""
SKIN, TEETH = 0.06, 0.16
"""Amounts of light, as fractions of the gray range: up to the first it falls on skin, from the
second on it draws teeth."""


def _window() -> Floats:
    """Return how much of a change is left [48,48]: all in the middle, none at the edge."""
    # None in the two outermost places: enlarging brings each up to two places further out.
    line = np.abs(np.arange(SIZE) - (SIZE - 1) / 2) / (SIZE / 2 - 2)
    # A rounded square: no corner of the frame can show.
    radius = (line[:, None] ** 4 + line[None] ** 4) ** 0.25
    return smooth_step(1 - radius, 0, 1 - REACH)


WINDOW = _window()
_BELOW = smooth_step(np.arange(SIZE, dtype=np.float32), *NOSE)[:, None]
LARGER = EYES + _BELOW * (MOUTH - EYES)
"""`EYES` above, `MOUTH` below, and between them a smooth step [3,48,1]."""


def adapt(edits: Floats, scale: float) -> Floats:
    """Return edits [V,3,48,48], as `carry` takes them, for a face that is larger in its photograph.

    Light that is a pixel wide passes for lips and teeth at 48x48. Enlarged it looks like paint on a
    photograph, and a move does not. So larger faces are moved further, and lit less, their eyes
    most of all. What a redrawn mouth adds fades out with them. Edits that move nothing, as of a
    generator that draws the face anew, are not adapted.

    Args:
        edits: Changes as the models return them [V,4,48,48]: what a redrawn mouth adds comes last.
        scale: Width of the face in its picture over 48. Up to 1 it is no larger.
    """
    change, mouth = edits[:, :3], edits[:, 3:]
    fraction = min(max(scale - 1, 0), 1) if change[:, :2].any() else 0
    change = change * (1 + fraction * (LARGER - 1))
    change[:, 2:] += (1 - fraction) * mouth
    return change


def carry(levels: Levels, frame: FaceTransform, edit: Floats, fade: bool = True) -> None:
    """Change the face in a picture [H,W] or [H,W,3], in place, by an edit [3,48,48].

    An edit says from how far away each pixel is fetched (x and y, in pixels of the face), and how
    much light is added to it (gray levels span [-1, 1]). `fade` is for a face within a picture;
    without it the change goes up to the frame's edge. Pixels outside the frame are left alone.
    """
    left, top, right, bottom = bounds(frame, levels.shape)
    part = levels[top:bottom, left:right]
    local = within(frame, left, top)
    window = WINDOW if fade else np.ones_like(WINDOW)
    # From here on gray levels span [0, 1], as those of `planes` do.
    edit = edit * window * np.array([1, 1, 0.5], np.float32).reshape(3, 1, 1)
    cover = None
    if side(frame) > SIZE:
        cover = Cover(planes(crop(levels, frame)), edit, window, local, part.shape)
    turned = np.einsum("ij,jhw->ihw", frame[:, :2].astype(np.float32), edit[:2])
    change = np.stack([*turned, edit[2]])
    moved, light = part.copy(), np.zeros(part.shape[:2], np.float32)
    concerned = np.zeros(part.shape[:2], np.uint8)
    for rows in bands(part.shape):
        size = part.shape[1], rows.stop - rows.start
        x, y, light[rows] = enlarge_planes(change, within(local, 0, rows.start), size, fade)
        concerned[rows] = (x != 0) | (y != 0) | (light[rows] != 0)
        moved[rows] = _moved(levels, x, y, left, top + rows.start)
    if cover:
        cover.find_shapes(moved)
    for rows in bands(part.shape):
        colors = planes(moved[rows])
        bright = luma(colors)
        if cover:
            colors, bright = cover.covered(colors, bright, rows)
        lit = from_planes(_lit(colors, bright + light[rows]), levels.dtype)
        cv2.copyTo(lit, concerned[rows], part[rows])


def draw(canvas: Canvas, frame: FaceTransform, edit: Floats, fade: bool = True) -> Undo:
    """Change the face in a canvas as `carry` does; return the part that is changed, as it was."""
    box = _concerned(frame, edit, canvas.image.size)
    before = canvas.levels(box)
    levels = before.copy()
    carry(levels, within(frame, box[0], box[1]), edit, fade)
    canvas.draw(levels, box)
    return before, box


def _concerned(frame: FaceTransform, edit: Floats, size: tuple[int, int]) -> Box:
    """Return the part of a picture that `carry` reads and changes."""
    width, height = size
    left, top, right, bottom = bounds(frame, (height, width))
    # Cubic enlarging goes beyond what it enlarges, by less than its double.
    farthest = 2 * np.abs(edit[:2]).max(initial=0) * np.abs(frame[:, :2]).sum(1).max()
    reach = int(farthest) + 4
    return (
        max(left - reach, 0),
        max(top - reach, 0),
        min(right + reach, width),
        min(bottom + reach, height),
    )


def _moved(levels: Levels, across: Floats, down: Floats, left: int, top: int) -> Levels:
    """Return a part of a picture, with each pixel fetched from `across` and `down` away.

    The part begins at `left` and `top`.
    """
    height, width = across.shape
    farthest = max(np.abs(plane).max(initial=0) for plane in (across, down))
    reach = int(farthest) + 3  # cubic interpolation looks at two more
    x, y = max(left - reach, 0), max(top - reach, 0)
    source = levels[y : top + height + reach, x : left + width + reach]
    columns = np.arange(width, dtype=np.float32) + np.float32(left - x)
    rows = np.arange(height, dtype=np.float32)[:, None] + np.float32(top - y)
    moved = cv2.remap(
        source, across + columns, down + rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, levels.dtype)  # type: ignore[return-value]


def _lit(colors: Floats, target: Floats) -> Floats:
    """Return colors [C,H,W] in [0, 1] brought to the luma `target` [H,W].

    A little light scales a color, as more light on skin does; much of it is teeth, and brings the
    color nearer to white. Shade scales a color down and deepens it, as light does that was
    scattered in skin: scaled alone, a dark mouth would look like ash on it. Nothing clips.
    """
    bright, target = luma(colors), target.clip(0, 1)
    light = target - bright
    white = colors + (1 - colors) * (light / (1 - bright).clip(1e-5)).clip(0, 1)
    skin = _scaled(colors, target)
    lighter = skin + smooth_step(light, SKIN, TEETH) * (white - skin)
    # Cubic enlarging may have gone a little below black, which has no power.
    deep = colors.clip(0) ** (1 + (-light).clip(0))
    darker = deep * (target / luma(deep).clip(1e-5))
    return np.asarray(np.where(light < 0, darker, lighter).clip(0, 1), np.float32)


def _scaled(colors: Floats, target: Floats) -> Floats:
    """Return colors scaled to the luma `target`, grayed as far as needed to stay in [0, 1]."""
    scaled = colors * (target / luma(colors).clip(0.01))
    scaled += target - luma(scaled)  # what black lacks
    most = scaled.max(0)
    excess = ((most - 1) / (most - target).clip(1e-5)).clip(0, 1)
    return np.asarray(scaled + excess * (target - scaled), np.float32)
