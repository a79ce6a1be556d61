"""Metadata never refuse a picture: they are left out where they keep Pillow from reading it."""

import io
import struct
import zlib
from pathlib import Path, PurePath

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cctranslate.batch.inputs.opening import read_picture
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows

ORIENTED = (0x112, 3, 1, struct.pack("<H", 6))


def exif(*fields: tuple[int, int, int, bytes]) -> bytes:
    """EXIF data of tags, types, counts and values that Pillow itself would not write."""
    offset, head, data = 8 + 2 + 12 * len(fields) + 4, struct.pack("<H", len(fields)), b""
    for tag, kind, count, value in fields:
        if len(value) > 4:
            head += struct.pack("<HHLL", tag, kind, count, offset + len(data))
            data += value
        else:
            head += struct.pack("<HHL", tag, kind, count) + value.ljust(4, b"\0")
    return b"Exif\0\0II*\0\x08\0\0\0" + head + bytes(4) + data


EXIF = {
    "resolution as text": exif(ORIENTED, (0x11A, 2, 3, b"72\0")),
    "unit as byte": exif(ORIENTED, (0x128, 1, 1, b"\2")),
    "software as rational": exif(ORIENTED, (0x131, 5, 1, struct.pack("<2L", 5, 2))),
    "offset beyond the end": exif(ORIENTED, (0x10F, 2, 900, b"12345"))[:-3],
    "no data at all": b"Exif\0\0",
}


@pytest.mark.parametrize("fault", EXIF)
@pytest.mark.parametrize("metadata", ["keep", "drop"])
@pytest.mark.filterwarnings("ignore")
def test_bad_exif_refuses_no_picture(
    run: Run, mouth_weights: Path, tmp_path: Path, fault: str, metadata: str
) -> None:
    portrait = pictures.portrait(pictures.COLLINS)
    portrait.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.jpg", exif=EXIF[fault])
    words = ("--to", "sad", "--metadata", metadata, "--weights", mouth_weights)
    result = run(tmp_path / "a.jpg", *words, "-o", tmp_path / "out", "--faces", "whole")
    assert result.exit_code == 0, result.output
    (row,) = rows(tmp_path / "out")
    turned = fault != "no data at all"
    size = portrait.size if turned else portrait.size[::-1]
    assert (row["status"], row["width"], row["height"]) == ("done", *map(str, size))


@pytest.mark.parametrize("value", [(2, 2, b"6\0"), (3, 1, b"\x63\0"), (7, 4, b"abcd")])
def test_a_senseless_orientation_turns_nothing(
    run: Run, tmp_path: Path, value: tuple[int, int, bytes]
) -> None:
    Image.fromarray(pictures.draw_face(3, 0)).save(tmp_path / "a.jpg", exif=exif((0x112, *value)))
    assert run(tmp_path / "a.jpg", "--to", "sad", "-o", tmp_path / "out").exit_code == 0


def chunk(name: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(name + data)
    return struct.pack(">L", len(data)) + name + data + struct.pack(">L", crc)


def texts() -> PngInfo:
    info = PngInfo()
    info.add_text("workflow", "1" * 1_100_000, zip=True)
    return info


@pytest.mark.parametrize("place", [b"IDAT", b"IEND"])
@pytest.mark.parametrize(
    "bad", [chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 21))), chunk(b"pHYs", b"\0")]
)
def test_a_pngs_texts_are_left_out_where_they_cannot_be_read(place: bytes, bad: bytes) -> None:
    out = io.BytesIO()
    turned = Image.Exif()
    turned[0x112] = 3
    Image.fromarray(pictures.draw_face(3, 0)).save(out, "png", exif=turned)
    at = out.getvalue().index(place) - 4
    content = out.getvalue()[:at] + bad + out.getvalue()[at:]

    def read(picture: Image.Image) -> tuple[np.ndarray, int]:
        return np.asarray(picture), picture.getexif()[0x112]

    levels, orientation = read_picture(io.BytesIO(content), PurePath("a.png"), read)
    np.testing.assert_array_equal(levels, pictures.draw_face(3, 0))
    assert orientation == 3


@pytest.mark.parametrize(
    "bad",
    [
        chunk(b"gAMA", b"\0"),
        chunk(b"cHRM", bytes(8)),
        chunk(b"sRGB", b""),
        chunk(b"iCCP", b""),
        chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 21))),
    ],
)
def test_a_pngs_color_space_is_left_out_where_it_cannot_be_read(bad: bytes) -> None:
    out, turned = io.BytesIO(), Image.Exif()
    turned[0x112] = 3
    Image.fromarray(pictures.draw_face(3, 0)).save(out, "png", exif=turned)
    at = out.getvalue().index(b"IDAT") - 4
    content = out.getvalue()[:at] + bad + out.getvalue()[at:]
    with pytest.warns(UserWarning, match="taken for sRGB"):
        levels, orientation = read_picture(
            io.BytesIO(content),
            PurePath("a.png"),
            lambda picture: (np.asarray(picture), picture.getexif()[0x112]),
        )
    np.testing.assert_array_equal(levels, pictures.draw_face(3, 0))
    assert orientation == 3


def test_a_jpegs_comments_are_left_out_where_they_cannot_be_read() -> None:
    out = io.BytesIO()
    Image.fromarray(pictures.draw_face(3, 0)).save(out, "jpeg", quality=95)
    data = b"Photoshop 3.0\0" + b"8BIM\4\4"
    bad = b"\xff\xed" + struct.pack(">H", len(data) + 2) + data
    content = out.getvalue()[:2] + bad + out.getvalue()[2:]
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(content))
    levels = read_picture(io.BytesIO(content), PurePath("a.jpg"), np.asarray)
    assert levels.shape == (48, 48)


def test_a_png_with_a_long_text_is_translated(run: Run, tmp_path: Path) -> None:
    Image.fromarray(pictures.draw_face(3, 0)).save(tmp_path / "a.png", pnginfo=texts())
    assert run(tmp_path / "a.png", "--to", "sad", "-o", tmp_path / "out").exit_code == 0


def test_a_damaged_picture_still_fails(run: Run, tmp_path: Path) -> None:
    Image.fromarray(pictures.draw_face(3, 0)).save(tmp_path / "a.png", pnginfo=texts())
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-300])
    assert run(tmp_path / "a.png", "--to", "sad", "-o", tmp_path / "out").exit_code == 1


@pytest.mark.parametrize("side", [48, 120])
def test_a_png_with_spoiled_pixels_fails(run: Run, tmp_path: Path, side: int) -> None:
    Image.effect_noise((side, side), 64).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(byte ^ 0x5A for byte in content[middle : middle + 64])
    (tmp_path / "a.png").write_bytes(content)
    assert run(tmp_path / "a.png", "--to", "sad", "-o", tmp_path / "out").exit_code == 1
    (row,) = rows(tmp_path / "out")
    assert row["reason"].startswith("decode: ")
