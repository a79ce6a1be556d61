"""Results are in the color space that they name, and keep what EXIF data can be kept."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from cctranslate.faces.color_space import ColorSpace, to_srgb
from cctranslate.faces.exif import kept_exif
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def gray_profile() -> bytes:
    """An ICC profile of gray with a gamma of 1, written by hand."""
    white = b"XYZ " + bytes(4) + struct.pack(">3l", 63190, 65536, 54061)
    curve = b"curv" + bytes(4) + struct.pack(">L", 0) + bytes(4)
    text = b"desc" + bytes(4) + struct.pack(">L", 5) + b"gray\0" + bytes(78 + 1)
    tags, body, at = [], b"", 128 + 4 + 3 * 12
    for name, data in ((b"desc", text), (b"wtpt", white), (b"kTRC", curve)):
        data += bytes(-len(data) % 4)
        tags.append(name + struct.pack(">2L", at + len(body), len(data)))
        body += data
    table = struct.pack(">L", len(tags)) + b"".join(tags)
    head = bytearray(128)
    head[0:4] = struct.pack(">L", 128 + len(table) + len(body))
    head[8:12], head[12:24], head[36:40] = b"\2\x10\0\0", b"mntrGRAYXYZ ", b"acsp"
    head[68:80] = struct.pack(">3l", 63190, 65536, 54061)
    return bytes(head) + table + body


GRAY = gray_profile()


def result(run: Run, mouth_weights: Path, path: Path, form: str, *words: str) -> Image.Image:
    out = path.parent / f"out-{path.stem}-{form}"
    fixed = ("--to", "sad", "--weights", mouth_weights, "--format", form, "--faces", "whole")
    outcome = run(path, *fixed, *words, "-o", out)
    assert outcome.exit_code == 0, outcome.output
    (file,) = (out / "sad").iterdir()
    with Image.open(file) as picture:
        picture.load()
        return picture


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(("mode", "icc"), [("L", GRAY), ("L", SRGB), ("P", GRAY), ("RGB", SRGB)])
def test_a_profile_fits_the_mode_that_it_is_written_with(
    run: Run, mouth_weights: Path, tmp_path: Path, mode: str, icc: bytes, form: str
) -> None:
    picture = pictures.portrait(pictures.HOPPER, 120).convert("L").convert(mode)
    picture.save(tmp_path / "a.png", icc_profile=icc)
    written = result(run, mouth_weights, tmp_path / "a.png", form)
    kept = written.info.get("icc_profile")
    assert kept is None or kept[16:20] == {"L": b"GRAY", "RGB": b"RGB "}[written.mode]
    expected = {("L", GRAY): form != "webp", ("RGB", SRGB): True}.get((mode, icc), False)
    assert (kept == icc) == expected
    if (mode, icc, form) == ("L", GRAY, "webp"):
        linear = np.asarray(picture)[0] / 255
        brighter = 255 * np.where(
            linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
        )
        assert np.abs(np.asarray(written)[0, :, 1] - brighter).max() < 3, (
            "light, as the profile says"
        )


def with_chunks(picture: Image.Image, **chunks: bytes) -> bytes:
    out = io.BytesIO()
    picture.save(out, "png")
    content = out.getvalue()
    at = content.index(b"IDAT") - 4
    middle = b""
    for name, data in chunks.items():
        body = name.encode() + data
        middle += struct.pack(">L", len(data)) + body + struct.pack(">L", zlib.crc32(body))
    return content[:at] + middle + content[at:]


WIDE = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_gamma_and_primaries_are_kept_or_honored(
    run: Run, mouth_weights: Path, tmp_path: Path, form: str
) -> None:
    picture = pictures.portrait(pictures.HOPPER, 120)
    gama, chrm = struct.pack(">L", 100_000), struct.pack(">8L", *(round(v * 1e5) for v in WIDE))
    (tmp_path / "a.png").write_bytes(with_chunks(picture, gAMA=gama, cHRM=chrm))
    written = result(run, mouth_weights, tmp_path / "a.png", form)
    if form == "png":
        assert written.info["gamma"] == 1
        assert written.info["chromaticity"] == pytest.approx(WIDE)
        np.testing.assert_array_equal(np.asarray(written)[0], np.asarray(picture)[0])
    else:
        space = ColorSpace(gamma=1.0, primaries=WIDE)
        expected = np.asarray(to_srgb(picture, space)).astype(int)
        assert np.abs(np.asarray(written)[:2].astype(int) - expected[:2]).mean() < 4
        assert expected.mean() > np.asarray(picture).mean() + 20


@pytest.mark.parametrize(
    "primaries",
    [
        (0.3127, 0.329, *(0.3, 0.6) * 3),
        (0.3127, 0.329, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4),
        (42949.6,) * 8,
    ],
)
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_primaries_that_make_no_color_space_are_left_out(
    run: Run, mouth_weights: Path, tmp_path: Path, primaries: tuple[float, ...], form: str
) -> None:
    picture = pictures.portrait(pictures.HOPPER, 120)
    chrm = struct.pack(">8L", *(round(value * 1e5) for value in primaries))
    (tmp_path / "a.png").write_bytes(with_chunks(picture, cHRM=chrm))
    written = result(run, mouth_weights, tmp_path / "a.png", form)
    assert "chromaticity" not in written.info
    gap = np.abs(np.asarray(written)[:2].astype(int) - np.asarray(picture)[:2])
    assert gap.mean() < 4


def test_colors_convert_by_hand_computed_numbers() -> None:
    one = Image.new("RGB", (1, 1), (0, 128, 255))
    light = to_srgb(one, ColorSpace(gamma=1.0)).getpixel((0, 0))
    assert light == (0, 188, 255)
    same = to_srgb(
        one, ColorSpace(gamma=1.0, primaries=(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06))
    )
    assert same.getpixel((0, 0)) == light
    white = to_srgb(Image.new("RGBA", (1, 1), (255, 255, 255, 7)), ColorSpace(primaries=WIDE))
    assert white.getpixel((0, 0)) == (255, 255, 255, 7)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("source", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("size", [48, 120])
def test_exif_is_kept_from_and_in_every_format(
    run: Run, mouth_weights: Path, tmp_path: Path, form: str, source: str, size: int
) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 1
    picture = pictures.portrait(pictures.HOPPER, size).convert("L")
    picture.save(tmp_path / f"a.{source}", exif=exif)
    written = result(run, mouth_weights, tmp_path / f"a.{source}", form, "--metadata", "keep")
    assert dict(written.getexif()) == {0x010F: "Maker"}
    (row,) = rows(tmp_path / f"out-a-{form}")
    assert row["reason"] == ""


def test_tags_that_cannot_be_written_are_left_out_and_named(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    fields = ((0x010F, 2, 6, 38), (0x011A, 2, 3, int.from_bytes(b"72\0\0", "little")))
    entries = b"".join(struct.pack("<HHLL", *field) for field in fields)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4) + b"Maker\0"
    pictures.portrait(pictures.HOPPER, 120).save(tmp_path / "a.jpg", exif=exif)
    written = result(run, mouth_weights, tmp_path / "a.jpg", "png", "--metadata", "keep")
    assert dict(written.getexif()) == {0x010F: "Maker"}
    (row,) = rows(tmp_path / "out-a-png")
    assert (row["status"], row["reason"]) == ("done", "EXIF data left out: XResolution")


def test_exif_too_long_for_a_jpeg_is_left_out_and_said(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "long " * 15_000
    pictures.portrait(pictures.HOPPER, 120).save(tmp_path / "a.png", exif=exif)
    written = result(run, mouth_weights, tmp_path / "a.png", "jpeg", "--metadata", "keep")
    assert not written.getexif()
    (row,) = rows(tmp_path / "out-a-jpeg")
    assert row["reason"] == "EXIF data left out: all, too long for JPEG"


def test_a_picture_without_exif_keeps_none() -> None:
    assert kept_exif(Image.new("L", (4, 4))).data == b""


def test_faces_alone_keep_no_metadata_and_say_so(run: Run, faces: Path, tmp_path: Path) -> None:
    words = ("--to", "sad", "--metadata", "keep", "--result", "face", "-o", tmp_path / "out")
    outcome = run(faces, *words)
    assert outcome.exit_code == 2
    assert "--metadata keep: faces by themselves keep none" in outcome.stderr
