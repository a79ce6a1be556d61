"""Faces are found, and cropped as FER2013's are."""

import shutil
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cctranslate import bundle
from cctranslate.errors import BundleError
from cctranslate.faces import detector
from cctranslate.faces.alignment import TEMPLATE, align, bounds, crop, side, whole
from cctranslate.faces.detector import FaceDetector
from cctranslate.pictures import to_gray
from tests.support import pictures

FINDER = FaceDetector()


def similarity(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    a, b = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    return np.array([[a, -b, x], [b, a, y]])


@pytest.mark.parametrize("degrees", [-120, -10, 0, 35])
def test_alignment_finds_size_turn_and_place(degrees: float) -> None:
    frame = similarity(3.5, degrees, 100, 40)
    points = np.column_stack([TEMPLATE, np.ones(5)]) @ frame.T
    np.testing.assert_allclose(align(points), frame, atol=1e-9)
    assert side(frame) == pytest.approx(168)


def test_a_face_is_cropped_out_of_where_it_was_put() -> None:
    face, frame = pictures.draw_face(3, 0), similarity(5, 20, 150, 60)
    picture = np.asarray(cv2.warpAffine(face, frame, (500, 400), flags=cv2.INTER_CUBIC), np.uint8)
    gap = np.abs(crop(picture, frame).astype(int) - face)
    assert gap[2:-2, 2:-2].mean() < 6, "the drawing's noise is 4"


def test_a_crop_is_the_mean_of_its_places_and_goes_on_beyond_the_edge() -> None:
    fine = np.indices((480, 480)).sum(0) % 2 * 255
    np.testing.assert_allclose(crop(fine.astype(np.uint8), whole(480, 480)), 127, atol=1)
    slope = np.broadcast_to(np.arange(100, 200, dtype=np.uint8), (100, 100))
    beside = crop(np.ascontiguousarray(slope), similarity(1, 0, -24, 0))
    assert set(beside[:, :24].ravel()) == {100}
    far = crop(np.ascontiguousarray(slope), similarity(1, 0, 500, 500))
    assert set(far.ravel()) == {199}


def test_bounds_hold_the_frame_and_stay_in_the_picture() -> None:
    assert bounds(whole(96, 48), (48, 96)) == (0, 0, 96, 48)
    left, top, right, bottom = bounds(similarity(1, 45, 10, -5), (60, 80, 3))
    assert (left >= 0, top, right <= 80, bottom <= 60) == (True, 0, True, True)


@pytest.mark.parametrize("name", [pictures.COLLINS, pictures.HOPPER])
@pytest.mark.parametrize(("wide", "degrees"), [(256, 0), (512, 25), (512, -25), (2400, 0)])
def test_faces_of_any_size_and_tilt_are_found_and_framed_alike(
    name: str, wide: int, degrees: float
) -> None:
    frames = []
    for turn, size in ((0, 512), (degrees, wide)):
        picture = pictures.portrait(name, size).rotate(turn, Image.Resampling.BICUBIC)
        (found,) = FINDER.find(np.asarray(picture))
        frames.append(align(found.points)[:, 0] * 512 / size)
    plain, turned = (complex(*frame) for frame in frames)
    assert abs(abs(turned / plain) - 1) < 0.1
    assert abs(np.rad2deg(np.angle(turned / plain)) + degrees) < 15, "YuNet's tilts are rough"


def to_gray_whole(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).convert("L"))


def test_the_largest_face_comes_first_and_no_face_is_none() -> None:
    found = FINDER.find(np.asarray(pictures.group()))
    assert len(found) == 3
    assert [one.width for one in found] == sorted((one.width for one in found), reverse=True)
    assert FINDER.find(np.asarray(pictures.landscape())) == []
    assert FINDER.find(np.zeros((1, 500), np.uint8)) == []


def test_a_face_that_is_all_of_a_large_picture_is_found() -> None:
    tight = pictures.portrait(pictures.COLLINS).crop((168, 53, 278, 186)).resize((2200, 2660))
    assert len(FINDER.find(np.asarray(tight))) == 1


def test_a_detector_that_was_altered_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (detector.CARD, "face_detection_yunet_2023mar.onnx"):
        shutil.copyfile(bundle.shipped() / name, tmp_path / name)
    with (tmp_path / "face_detection_yunet_2023mar.onnx").open("ab") as file:
        file.write(b"x")
    monkeypatch.setattr(bundle, "shipped", lambda: tmp_path)
    with pytest.raises(BundleError, match="altered"):
        FaceDetector()


def test_alignment_frames_as_the_samples_are_framed() -> None:
    """The upright samples were cropped by hand as FER2013's are."""
    (found,) = FINDER.find(np.asarray(pictures.portrait(pictures.COLLINS)))
    ours = crop(to_gray_whole(np.asarray(pictures.portrait(pictures.COLLINS))), align(found.points))
    with Image.open(pictures.PHOTOS.parent / "samples" / "collins.png") as sample:
        theirs = to_gray(sample)
    assert np.corrcoef(ours.ravel().astype(float), theirs.ravel())[0, 1] > 0.5


@pytest.mark.parametrize(("width", "height"), [(12_000, 10), (10, 12_000), (600, 500)])
def test_a_picture_of_any_shape_is_averaged_in_little_memory(width: int, height: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    tracemalloc.start()
    small = crop(picture, whole(width, height))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    exact = np.asarray(Image.fromarray(picture).resize((48, 48), Image.Resampling.BOX))
    assert np.abs(small.astype(int) - exact).mean() < 2
    assert peak < 8 << 20
