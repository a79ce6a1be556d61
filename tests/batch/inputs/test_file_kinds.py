"""What is a picture that cannot be read, what is none, and what to do about it."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.inputs import file_kinds
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500)
PICTURES = {
    "IMG_1.HEIC": (HEIC, "HEIC: pip install 'cctranslate[heif]'"),
    "nameless": (HEIC, "HEIC: pip install 'cctranslate[heif]'"),
    "IMG_2.heif": (b"cut", "HEIC: pip install 'cctranslate[heif]'"),
    "IMG_3.CR3": (b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(99), "camera raw (CR3): develop"),
    "IMG_4.RW2": (b"IIU\0" + bytes(99), "camera raw (RW2): develop"),
    "IMG_5.raf": (b"FUJIFILMCCD-RAW " + bytes(99), "camera raw (RAF): develop"),
    "IMG_6.jxl": (b"\xff\x0a" + bytes(99), "JPEG XL: convert it"),
    "broken.png": (b"\x89PNG\r\n\x1a\n", "not a picture that Pillow can read"),
}
OTHERS = {
    "invoice.pdf": (b"%PDF-1.4\n%%EOF\n", "no picture: a PDF document"),
    "weights.h5": (b"\x89HDF\r\n\x1a\n" + bytes(500), "no picture: an HDF5 file"),
    "train.parquet": (b"PAR1" + bytes(500), "no picture: a Parquet table: save its pictures"),
    "clip.mpg": (b"\0\0\x01\xba" + bytes(500), "no picture: a video"),
    "letter.ps": (b"%!PS-Adobe-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "no picture: a Post"),
    "wind.grib": (b"GRIB" + bytes(3) + b"\1" + bytes(99), "no picture: meteorological data"),
    "empty.pdf": (b"", "empty file"),
    "a.zip": (b"PK\x03\x04" + bytes(99), "an archive in a folder: name it"),
    "a.cbz": (b"PK\x03\x04" + bytes(99), "an archive in a folder: name it"),
    "a.csv": (b"emotion;pixels\n3;1 2\n", "no dataset in FER2013's form"),
    "a.tar.xz": (b"\xfd7zXZ\0" + bytes(99), "an archive in a folder: name it"),
    "a.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), "an archive that cannot be read: unpack it"),
    "fer2013.csv": (b"emotion,pixels,Usage\n3,1 2,Training\n", "a dataset in a folder: name it"),
    "notes.txt": (b"hello", "not a picture that Pillow can read"),
}


@pytest.fixture
def without_heif(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_kinds, "find_spec", lambda name: None)


@pytest.mark.usefixtures("without_heif")
def test_pictures_that_cannot_be_read_fail_and_other_files_are_left_alone(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name, (content, _) in (PICTURES | OTHERS).items():
        (tmp_path / "in" / name).write_bytes(content)
    assert run(tmp_path / "in", "--to", "sad", "-o", tmp_path / "out").exit_code == 1
    found = {
        Path(row["source"]).name: (row["status"], row["reason"]) for row in rows(tmp_path / "out")
    }
    for name, (_, reason) in PICTURES.items():
        assert (found[name][0], reason in found[name][1]) == ("failed", True), found[name]
    for name, (_, reason) in OTHERS.items():
        assert (found[name][0], reason in found[name][1]) == ("skipped", True), found[name]


def test_what_is_named_fails_whatever_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "invoice.pdf").write_bytes(OTHERS["invoice.pdf"][0])
    assert run(tmp_path / "invoice.pdf", "--to", "sad", "-o", tmp_path / "out").exit_code == 1
    assert rows(tmp_path / "out")[0]["reason"] == "decode: no picture: a PDF document"


def raw(preview: Image.Image) -> bytes:
    """A raw file as cameras write it: a small preview, and the sensor's data behind it."""
    pixels = preview.tobytes()
    entries = [
        *((254, 4, 1), (256, 4, preview.width), (257, 4, preview.height), (258, 3, 8)),
        *((259, 3, 1), (262, 3, 1), (273, 4, 8 + 2 + 10 * 12 + 4), (277, 3, 1)),
        *((279, 4, len(pixels)), (330, 4, 8)),
    ]
    ifd = b"".join(struct.pack("<HHLL", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<LH", 8, len(entries)) + ifd + bytes(4) + pixels


@pytest.mark.parametrize("name", ["DSC_1.NEF", "IMG_2.dng", "renamed.tif"])
def test_the_preview_in_a_cameras_raw_file_is_not_the_picture(
    run: Run, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(raw(Image.fromarray(pictures.draw_face(3, 0))))
    with Image.open(tmp_path / name) as picture:
        assert picture.size == (48, 48), "Pillow takes the preview for the picture"
    assert run(tmp_path / name, "--to", "sad", "-o", tmp_path / "out").exit_code == 1
    (row,) = rows(tmp_path / "out")
    kind = {".NEF": "NEF", ".dng": "DNG", ".tif": "raw"}[Path(name).suffix]
    reason = f"decode: camera raw ({kind}): develop it to JPEG, PNG or TIFF first"
    assert (row["status"], row["reason"]) == ("failed", reason)


def test_an_ordinary_tiff_is_no_raw_file(run: Run, tmp_path: Path) -> None:
    Image.fromarray(pictures.draw_face(3, 0)).save(tmp_path / "a.tif", tiffinfo={254: 0})
    assert run(tmp_path / "a.tif", "--to", "sad", "-o", tmp_path / "out").exit_code == 0


def test_heic_is_read_where_pillow_heif_is_installed(run: Run, tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    picture = Image.fromarray(np.stack([pictures.draw_face(3, 0)] * 3, -1))
    out = io.BytesIO()
    heif.from_pillow(picture).save(out, quality=90)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "IMG_1.HEIC").write_bytes(out.getvalue())
    (tmp_path / "in" / "IMG_2.HEIC").write_bytes(HEIC)
    run(tmp_path / "in", "--to", "sad", "-o", tmp_path / "out")
    good, bad = rows(tmp_path / "out")
    assert (good["status"], good["width"]) == ("done", "48")
    assert bad["reason"] == "decode: HEIC: damaged, or of a kind that pillow-heif cannot read"


@pytest.mark.usefixtures("without_heif")
@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1.CR3", "IMG_1.jxl"])
def test_what_can_never_be_read_takes_no_name(run: Run, tmp_path: Path, name: str) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / name).write_bytes(b"cut")
    Image.fromarray(pictures.draw_face(3, 0)).save(folder / "IMG_1.png")
    words = (folder, "--to", "sad", "-o", out)
    assert run(*words).exit_code == 1
    failed, done = rows(out)
    assert (failed["result_name"], done["output"]) == ("", "sad/IMG_1.png")
    # It can be read later: what was written stays, and a name is left for it.
    (folder / name).write_bytes((folder / "IMG_1.png").read_bytes())
    assert run(*words, "--retry-failed").exit_code == 0
    outputs = {Path(row["source"]).name: row["output"] for row in rows(out)}
    assert outputs == {"IMG_1.png": "sad/IMG_1.png", name: "sad/IMG_1~2.png"}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "A.ZIP"])
def test_a_picture_that_is_called_an_archive_is_a_picture(
    run: Run, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(pictures.png(3, 3))
    result = run(tmp_path / name, "--to", "sad", "-o", tmp_path / "out.png")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (48, 48)
