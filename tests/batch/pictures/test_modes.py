"""Every mode, profile and orientation of a picture is kept in its result."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.support import pictures
from tests.support.changes import boxes, levels, outside
from tests.support.cli import Run
from tests.support.reports import rows, tree


@pytest.mark.parametrize(
    ("mode", "result"),
    [
        ("L", "L"),
        ("LA", "LA"),
        ("RGBA", "RGBA"),
        ("P", "RGB"),
        ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
        ("I;16", "I;16"),
        ("I", "I;16"),
        ("F", "L"),
    ],
)
def test_size_and_colors_stay_in_every_mode(
    run: Run, mouth_weights: Path, tmp_path: Path, mode: str, result: str
) -> None:
    portrait = pictures.portrait(pictures.HOPPER)
    path = tmp_path / "in.tif"
    if mode.startswith(("I", "F")):
        deep = np.asarray(portrait.convert("L")).astype(np.int32) * (1 if mode == "F" else 257)
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        Image.fromarray(deep.astype(kind)).save(path)
    else:
        picture = portrait.convert(mode)
        if mode.endswith("A"):
            picture.putalpha(Image.linear_gradient("L").resize(picture.size))
        picture.save(path)
    outcome = run(path, "--to", "sad", "-o", tmp_path / "out", "--weights", mouth_weights)
    assert outcome.exit_code == 0, outcome.output
    (row,) = rows(tmp_path / "out")
    left, top, width, height = boxes([row])[0]
    with Image.open(path) as before, Image.open(tmp_path / "out" / "sad" / "in.png") as after:
        assert (after.mode, after.size) == (result, before.size)
        if mode.endswith("A"):
            np.testing.assert_array_equal(after.getchannel("A"), before.getchannel("A"))
        shown = before if mode in (result, "I", "F") else before.convert(result)
        gap = np.abs(np.asarray(after).astype(int) - np.asarray(shown).astype(int))
    assert gap[top : top + height, left : left + width].max() > 20
    assert outside(gap, (left, top, width, height)).max() == 0


def test_a_transparent_level_of_a_gray_face_becomes_alpha(run: Run, tmp_path: Path) -> None:
    face = Image.fromarray(pictures.draw_face(3, 0))
    corner = face.getpixel((0, 0))
    face.save(tmp_path / "in.png", transparency=corner)
    outcome = run(tmp_path / "in.png", "--to", "sad", "-o", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.output
    with Image.open(tmp_path / "out" / "sad" / "in.png") as after:
        assert (after.mode, after.size) == ("LA", (48, 48))
        clear = np.asarray(after.getchannel("A")) == 0
    np.testing.assert_array_equal(clear, np.asarray(face) == corner)


def test_profiles_are_kept_and_ink_becomes_light_by_its_own(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pictures.portrait(pictures.COLLINS).save(tmp_path / "a.jpg", icc_profile=profile)
    for form in ("png", "jpeg", "webp"):
        words = ("--to", "sad", "--weights", mouth_weights, "--format", form)
        run(tmp_path / "a.jpg", *words, "-o", tmp_path / form)
        (path,) = (tmp_path / form / "sad").iterdir()
        with Image.open(path) as picture:
            assert picture.info["icc_profile"] == profile
            assert b"compositeWithTrainedAlgorithmicMedia" in picture.info["xmp"]


@pytest.mark.parametrize("form", ["png", "webp"])
def test_colors_stay_where_a_picture_is_transparent(
    run: Run, mouth_weights: Path, tmp_path: Path, form: str
) -> None:
    picture = pictures.portrait(pictures.HOPPER)
    picture.putalpha(Image.new("L", picture.size, 255))
    picture.paste((200, 10, 90, 0), (0, 0, 60, 60))
    picture.save(tmp_path / "a.png")
    words = ("--to", "sad", "--weights", mouth_weights, "--format", form)
    run(tmp_path / "a.png", *words, "-o", tmp_path / "out")
    (path,) = (tmp_path / "out" / "sad").iterdir()
    gap = np.abs(levels(path) - levels(tmp_path / "a.png"))
    (row,) = rows(tmp_path / "out")
    assert outside(gap, boxes([row])[0]).max() == 0


def test_a_lab_pictures_profile_does_not_go_with_its_rgb_result(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    srgb, lab = (ImageCms.createProfile(space) for space in ("sRGB", "LAB"))
    picture = ImageCms.profileToProfile(
        pictures.portrait(pictures.HOPPER), srgb, lab, outputMode="LAB"
    )
    assert picture is not None
    profile = ImageCms.ImageCmsProfile(lab).tobytes()
    picture.save(tmp_path / "a.tif", icc_profile=profile)
    run(tmp_path / "a.tif", "--to", "sad", "--weights", mouth_weights, "-o", tmp_path / "out")
    with Image.open(tmp_path / "out" / "sad" / "a.png") as result:
        assert (result.mode, result.info.get("icc_profile")) == ("RGB", None)


def test_a_face_in_lab_is_translated(run: Run, tmp_path: Path) -> None:
    Image.new("LAB", (48, 48), (128, 128, 128)).save(tmp_path / "a.tif")
    result = run(tmp_path / "a.tif", "--to", "sad", "--faces", "whole", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output


def with_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_exif_turns_the_picture_and_is_kept_if_that_is_asked_for(
    run: Run, mouth_weights: Path, tmp_path: Path, form: str
) -> None:
    portrait = pictures.portrait(pictures.HOPPER)
    portrait.rotate(90, expand=True).save(tmp_path / "a.png", exif=with_exif())
    words = ("--to", "sad", "--weights", mouth_weights, "--format", form)
    run(tmp_path / "a.png", *words, "-o", tmp_path / "dropped")
    run(tmp_path / "a.png", *words, "-o", tmp_path / "kept", "--metadata", "keep")
    (row,) = rows(tmp_path / "kept")
    assert (row["width"], row["height"]) == tuple(map(str, portrait.size))
    for name, expected in (("dropped", {}), ("kept", {0x010F: "Maker"})):
        (path,) = (tmp_path / name / "sad").iterdir()
        with Image.open(path) as picture:
            assert picture.size == portrait.size
            exif = picture.getexif()
            assert {tag: exif[tag] for tag in (0x010F, 0x0112) if tag in exif} == expected
            assert bool(exif.get_ifd(0x8825)) == (name == "kept")


def test_a_thumbnail_that_would_show_the_old_face_is_not_kept(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    thumbnail = io.BytesIO()
    pictures.portrait(pictures.COLLINS, 100).save(thumbnail, "jpeg")
    exif = with_exif()
    del exif[0x0112]
    first = exif.tobytes()
    pictures.portrait(pictures.COLLINS).save(tmp_path / "a.jpg", exif=first + thumbnail.getvalue())
    words = ("--to", "sad", "--weights", mouth_weights, "--metadata", "keep", "--format", "jpeg")
    run(tmp_path / "a.jpg", *words, "-o", tmp_path / "out")
    content = (tmp_path / "out" / "sad" / "a.jpg").read_bytes()
    assert b"Maker" in content
    assert content.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_is_as_the_same_pixels_in_a_png(
    run: Run, mouth_weights: Path, tmp_path: Path, orientation: int
) -> None:
    portrait = pictures.portrait(pictures.COLLINS).resize((210, 290))
    small = portrait.resize((60, 84))
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {
        **{2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180},
        **{4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE},
        **{6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    for name, picture in (("large", portrait), ("small", small)):
        for form in ("png", "tif"):
            (tmp_path / form).mkdir(exist_ok=True)
            turned = picture.transpose(back) if back is not None else picture
            turned.save(tmp_path / form / f"{name}.{form}", exif=exif)
    for form in ("png", "tif"):
        words = ("--to", "sad", "--weights", mouth_weights, "-o", tmp_path / f"out-{form}")
        assert run(tmp_path / form, *words).exit_code == 0
    large, less = rows(tmp_path / "out-tif")
    assert (large["width"], large["height"], less["width"], less["height"]) == (
        *("210", "290", "60", "84"),
    )
    found = [
        [(row["box"], row["width"], row["mode"], row["predicted"]) for row in rows(tmp_path / out)]
        for out in ("out-png", "out-tif")
    ]
    assert found[0] == found[1]
    assert tree(tmp_path / "out-png") == tree(tmp_path / "out-tif")
