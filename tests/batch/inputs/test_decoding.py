"""Files as they are found: which give a face, and which only a reason."""

import os
import threading
import tracemalloc
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.inputs import decoding
from cctranslate.batch.inputs.decoded import Decoded, DecodeFailure
from cctranslate.batch.inputs.decoding import DecodeOptions, decode
from cctranslate.batch.items import Item
from cctranslate.faces.alignment import crop
from cctranslate.faces.detector import FaceDetector
from cctranslate.pictures import to_gray
from tests.support import pictures

WHOLE = DecodeOptions(face_mode="whole", detector=FaceDetector(), will_reread=False)


def walked(path: Path) -> Item:
    return Item(path=path, relative=path.name, named=False)


def test_a_phones_picture_with_its_preview_is_one_picture(tmp_path: Path) -> None:
    face, preview = Image.fromarray(pictures.draw_face(3, 0)), Image.new("L", (48, 48))
    face.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[preview], quality=95)
    found = decode(walked(tmp_path / "phone.jpg"), WHOLE)
    assert isinstance(found, Decoded), found
    assert np.abs(found.faces[0].levels.astype(int) - pictures.draw_face(3, 0)).mean() < 4


def test_pages_are_not_one_picture(tmp_path: Path) -> None:
    page = Image.fromarray(pictures.draw_face(3, 0))
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page])
    found = decode(walked(tmp_path / "pages.tif"), WHOLE)
    assert isinstance(found, DecodeFailure)
    assert (found.skipped, "several pages" in found.reason) == (False, True)


def test_too_many_pixels_are_refused_whatever_the_warnings_do(tmp_path: Path) -> None:
    Image.new("1", (10_000, 10_000)).save(tmp_path / "bomb.png")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = decode(walked(tmp_path / "bomb.png"), WHOLE)
    assert isinstance(found, DecodeFailure)
    assert "pixels: shrink it" in found.reason


def test_a_large_file_that_is_no_picture_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "film.bin").open("wb") as file:
        file.truncate(1 << 28)
    tracemalloc.start()
    try:
        found = decode(walked(tmp_path / "film.bin"), WHOLE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found, DecodeFailure)
    assert found.skipped
    assert peak < 1 << 24


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_is_found_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    found = decode(walked(tmp_path / "pipe.png"), WHOLE)
    assert isinstance(found, DecodeFailure)
    assert found.skipped


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"a letter", "not a picture that Pillow can read"), (bytes(1 << 21), "through a pipe")],
)
def test_a_pipe_is_read_once_and_not_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, reason: str
) -> None:
    monkeypatch.setattr(decoding, "LARGEST", 1 << 20)
    os.mkfifo(tmp_path / "pipe")

    def feed() -> None:
        with suppress(BrokenPipeError):
            (tmp_path / "pipe").write_bytes(content)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    found = decode(Item(path=tmp_path / "pipe", relative="pipe", named=True), WHOLE)
    feeder.join()
    assert isinstance(found, DecodeFailure)
    assert reason in found.reason


def test_a_large_jpeg_shows_the_same_face(tmp_path: Path) -> None:
    small = Image.fromarray(pictures.draw_face(3, 0))
    large = small.resize((1920, 1920), Image.Resampling.BICUBIC)
    large.convert("RGB").save(tmp_path / "large.jpg", quality=95)
    found = decode(walked(tmp_path / "large.jpg"), WHOLE)
    assert isinstance(found, Decoded), found
    assert (found.width, found.height, found.mode) == (1920, 1920, "RGB")
    assert np.abs(found.faces[0].levels.astype(int) - to_gray(large)).mean() < 2


@pytest.mark.parametrize(("side", "turn"), [(0.25, 1), (0.04, 1), (0.25, 6)])
def test_a_large_jpeg_gives_the_faces_that_it_gives_as_png(
    tmp_path: Path, side: float, turn: int
) -> None:
    picture = Image.new("RGB", (3400, 2400), (90, 110, 140))
    picture.paste(pictures.portrait(pictures.HOPPER, round(2800 * side * 2)), (300, 200))
    exif = Image.Exif()
    exif[0x0112] = turn
    found = []
    stored = picture if turn == 1 else picture.rotate(90, expand=True)
    picture.save(tmp_path / "a.png")
    stored.save(tmp_path / "a.jpg", quality=95, exif=exif)
    for name in ("a.png", "a.jpg"):
        item = Item(path=tmp_path / name, relative=name, named=True)
        decoded = decode(item, replace(WHOLE, face_mode="detect"))
        assert isinstance(decoded, Decoded)
        assert (decoded.width, decoded.height) == (3400, 2400)
        (face,) = decoded.faces
        found.append(face)
    whole, reduced = found
    # YuNet frames a face a little differently after JPEG's losses.
    np.testing.assert_allclose(reduced.box, whole.box, atol=0.15 * whole.box[2])
    gray = np.asarray(picture.convert("L"))
    for face, gap in ((whole, 1), (reduced, 3)):
        assert np.abs(face.levels.astype(int) - crop(gray, face.frame)).mean() < gap
