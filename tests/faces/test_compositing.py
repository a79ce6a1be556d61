"""A change at 48x48, carried up: sharp, in color, and without a border."""

import cv2
import numpy as np
import pytest
from PIL import Image

from cctranslate.faces import compositing
from cctranslate.faces.alignment import align, crop, whole
from cctranslate.faces.compositing import WINDOW, adapt, carry
from cctranslate.faces.detector import FaceDetector
from cctranslate.faces.raster import Canvas, gray
from tests.support import pictures

NOTHING = np.zeros((3, 48, 48), np.float32)
FRAME = np.array([[4.0, 1.0, 150.0], [-1.0, 4.0, 120.0]])


def noise(shape: tuple[int, ...], kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(kind).max, shape, kind, endpoint=True)


def edit(flow: tuple[float, float] = (0, 0), paint: float = 0) -> np.ndarray:
    change = NOTHING.copy()
    change[0], change[1], change[2] = *flow, paint
    return change


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(500, 500), (500, 500, 3)])
def test_no_change_changes_nothing(shape: tuple[int, ...], kind: type) -> None:
    picture = noise(shape, kind)
    changed = picture.copy()
    carry(changed, FRAME, NOTHING)
    np.testing.assert_array_equal(changed, picture)


def test_a_move_is_fetched_from_where_the_flow_says_and_turns_with_the_frame() -> None:
    picture = np.asarray(pictures.portrait(pictures.HOPPER)).copy()
    frame = np.array([[0.0, -4.0, 340.0], [4.0, 0.0, 130.0]])  # by 90 degrees, 4 times as large
    changed = picture.copy()
    carry(changed, frame, edit(flow=(3, 0)))
    # x in the face is y in the picture: each pixel of the middle is fetched from 12 below.
    np.testing.assert_array_equal(changed[200:240, 230:260], picture[212:252, 230:260])


def test_light_is_added_to_luma_and_hues_stay() -> None:
    picture = np.full((300, 300, 3), (180, 120, 90), np.uint8)
    for paint in (-0.3, 0.3):
        changed = picture.copy()
        carry(changed, whole(300, 300), edit(paint=paint), fade=False)
        pixel = changed[150, 150].astype(float)
        luma = (gray(changed).astype(float) - gray(picture))[150, 150]
        assert luma == pytest.approx(paint * 127.5, abs=1.5)
        assert pixel[0] > pixel[1] > pixel[2]
    dark = picture.copy()
    carry(dark, whole(300, 300), edit(paint=-2), fade=False)
    assert dark.max() == 0


@pytest.mark.parametrize("color", [(180, 120, 90), (250, 190, 170)])
def test_a_little_light_is_skin_and_much_is_teeth(color: tuple[int, ...]) -> None:
    picture = np.full((300, 300, 3), color, np.uint8)
    saturations = []
    for light in (0.05, 0.3):
        changed = picture.copy()
        carry(changed, whole(300, 300), edit(paint=2 * light), fade=False)
        saturations.append(pictures.saturation(changed[150, 150].astype(float)))
        added = (gray(changed).astype(float) - gray(picture))[150, 150]
        assert added == pytest.approx(min(light, 1 - gray(picture)[0, 0] / 255) * 255, abs=1.5)
    before = pictures.saturation(np.array(color, float))
    if max(color) < 200:
        assert saturations[0] == pytest.approx(before, abs=0.01)
    assert before >= saturations[0] > 0.5 * before > saturations[1]


def with_mouth(edits: np.ndarray) -> np.ndarray:
    """Return edits as the models do, of faces whose mouth is redrawn as it was."""
    return np.concatenate([edits, np.zeros_like(edits[:, :1])], 1)


@pytest.mark.parametrize(
    ("scale", "eyes", "mouth"),
    [
        (0.5, (1, 1), (1, 1)),
        (1, (1, 1), (1, 1)),
        (1.5, (1.7, 0.675), (1.5, 0.75)),
        (2, (2.4, 0.35), (2, 0.5)),
        (9, (2.4, 0.35), (2, 0.5)),
    ],
)
def test_larger_faces_are_moved_further_and_lit_less_eyes_most_of_all(
    scale: float, eyes: tuple[float, float], mouth: tuple[float, float]
) -> None:
    edits = np.stack([edit((2, -1), 0.5), edit((0, 1), -0.25)])
    adapted = adapt(with_mouth(edits), scale)
    for rows, (move, light) in ((slice(0, 21), eyes), (slice(32, 48), mouth)):
        expected = edits[:, :, rows] * np.array([move, move, light])[:, None, None]
        np.testing.assert_allclose(adapted[:, :, rows], expected, rtol=1e-6)
    down = np.abs(adapted[0, 0, 20:33, 0])
    assert (np.diff(down) <= 0).all(), "no step between the halves of a face"
    drawn_anew = np.stack([edit(paint=0.5)])
    np.testing.assert_array_equal(adapt(with_mouth(drawn_anew), scale), drawn_anew)


@pytest.mark.parametrize(("scale", "share"), [(0.5, 1), (1, 1), (1.25, 0.75), (2, 0), (9, 0)])
def test_mouths_are_redrawn_in_faces_that_are_no_larger_than_the_models(
    scale: float, share: float
) -> None:
    edits = with_mouth(np.stack([edit((2, -1), 0.5)]))
    without = adapt(edits, scale)
    edits[:, 3] = 0.2
    expected = np.zeros_like(without)
    expected[:, 2] = share * 0.2
    np.testing.assert_allclose(adapt(edits, scale) - without, expected, atol=1e-6)


def test_16_bits_change_as_8_do() -> None:
    picture = np.asarray(pictures.portrait(pictures.COLLINS).convert("L"))
    small, deep = picture.copy(), picture.astype(np.uint16) * 257
    change = edit(flow=(2, -1), paint=0.2)
    carry(small, FRAME, change)
    carry(deep, FRAME, change)
    assert np.abs(deep / 257 - small).max() <= 2


def test_nothing_outside_the_frame_and_no_border() -> None:
    picture = np.full((400, 500), 128, np.uint8)
    carry(picture, FRAME, edit(flow=(5, 5), paint=0.5))
    inside = cv2.warpAffine(np.ones((48, 48), np.uint8), FRAME, (500, 400), flags=0)
    changed = picture != 128
    assert changed.any()
    assert not changed[inside == 0].any()
    steps = np.abs(np.diff(picture.astype(int), axis=0)).max()
    assert steps <= 8, "64 levels of light come in over a dozen pixels or more"
    np.testing.assert_array_equal([WINDOW[0], WINDOW[:, -1]], 0)
    assert (WINDOW[9:39, 9:39] > 0.9).all()


def test_what_was_sharp_stays_sharp_where_nothing_is_painted() -> None:
    picture = noise((576, 576))
    changed = picture.copy()
    carry(changed, whole(576, 576), edit(flow=(1, 0)), fade=False)
    np.testing.assert_array_equal(changed[:, :560], picture[:, 12:572])


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_drawing_into_a_canvas_changes_it_as_the_whole_picture_and_can_be_undone(mode: str) -> None:
    shape = (500, 500, 3) if mode == "RGB" else (500, 500)
    whole_picture = noise(shape, np.uint16 if mode == "I;16" else np.uint8)
    changed = whole_picture.copy()
    beside = FRAME + np.array([[0, 0, 120], [0, 0, 90]])
    frames = [FRAME, beside, np.array([[4.0, 0, -90], [0, 4.0, -90]])]
    canvas = Canvas(image=Image.fromarray(whole_picture))
    change = edit(flow=(6, -6), paint=0.3)
    undone = [compositing.draw(canvas, frame, change) for frame in frames]
    for frame in frames:
        carry(changed, frame, change)
    np.testing.assert_array_equal(np.asarray(canvas.picture()), changed)
    for levels, box in reversed(undone):
        canvas.draw(levels, box)
    np.testing.assert_array_equal(np.asarray(canvas.picture()), whole_picture)


def test_a_face_beyond_the_edge_is_changed_as_far_as_it_is_there() -> None:
    picture = np.full((100, 100, 3), 100, np.uint8)
    carry(picture, np.array([[4.0, 0, -90], [0, 4.0, -90]]), edit(flow=(-5, 5), paint=0.4))
    assert picture[20, 20, 0] > 140
    assert picture.shape == (100, 100, 3)


def test_at_48_pixels_it_is_what_the_generator_does() -> None:
    face = pictures.draw_face(3, 0)
    light = np.random.default_rng(1).normal(0, 0.1, (48, 48)).astype(np.float32)
    changed = face.copy()
    carry(changed, whole(48, 48), np.stack([NOTHING[0], NOTHING[0], light]), fade=False)
    expected = np.rint((face + light * 127.5).clip(0, 255))
    assert np.abs(changed - expected).max() <= 1


@pytest.mark.parametrize("name", [pictures.COLLINS, pictures.HOPPER])
def test_seen_at_48_pixels_again_it_is_what_the_generator_made(name: str) -> None:
    large = np.asarray(pictures.portrait(name, 1536))
    (found,) = FaceDetector().find(large)
    frame = align(found.points)
    face = crop(gray(large), frame)
    small, changed = face.copy(), large.copy()
    change = np.zeros((3, 48, 48), np.float32)
    change[1] = np.sin(np.arange(48) / 4)[:, None]
    change[2] = 0.5 * np.sin(np.arange(48))
    carry(small, whole(48, 48), change)
    carry(changed, frame, change)
    gap = np.abs(crop(gray(changed), frame).astype(int) - small)
    assert gap.mean() < np.abs(small.astype(int) - face).mean() / 6


def test_no_pixel_outside_the_frame_changes_however_much_is_painted_at_its_edge() -> None:
    picture = noise((800, 800, 3))
    frame = np.array([[12.0, 3.0, 80.0], [-3.0, 12.0, 200.0]])
    change = np.random.default_rng(1).normal(0, 1, (3, 48, 48)).astype(np.float32)
    changed = picture.copy()
    carry(changed, frame, change)
    corners = np.array([[-0.5, -0.5, 1], [47.5, -0.5, 1], [47.5, 47.5, 1], [-0.5, 47.5, 1]])
    inside = np.zeros((800, 800), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(corners @ frame.T).astype(np.int32), 1)
    assert (changed != picture).any()
    np.testing.assert_array_equal(changed[inside == 0], picture[inside == 0])
    edge = np.abs(changed.astype(int) - picture)[cv2.erode(inside, np.ones((9, 9))) == 0]
    assert edge.max() <= 4, "a step of levels at the frame's edge would be a line to see"
