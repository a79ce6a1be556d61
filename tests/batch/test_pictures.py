"""Folders of photographs: faces found, changed, and put back where they were."""

import io
import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from cctranslate.batch.inputs.decoding import read_again
from cctranslate.batch.inputs.items import Decoded
from cctranslate.faces.raster import Canvas
from tests.support import bundles, pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Photographs with three faces, one and none, and a face as the models take it."""
    folder = tmp_path / "album"
    folder.mkdir()
    pictures.group().save(folder / "group.png")
    pictures.portrait(pictures.COLLINS).save(folder / "one.jpg", quality=95)
    pictures.landscape().save(folder / "none.png")
    Image.fromarray(pictures.draw_face(3, 0)).save(folder / "face.png")
    return folder


@pytest.fixture
def words(mouths: Path, album: Path) -> tuple[str | Path, ...]:
    return (album, "--to", "sad,happy", "--weights", mouths)


def levels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


def outside(changed: np.ndarray, box: tuple[int, ...]) -> np.ndarray:
    """What changed [H,W,...] beyond a face and what is around it."""
    left, top, width, height = box
    reach = max(width, height) // 2
    rest = changed.copy()
    rest[
        max(top - reach, 0) : top + height + reach, max(left - reach, 0) : left + width + reach
    ] = 0
    return rest


def boxes(report: list[dict[str, str]]) -> list[tuple[int, ...]]:
    return [tuple(map(int, row["box"].split())) for row in report]


def test_only_faces_change_and_each_has_its_rows(
    run: Run, words: tuple[str | Path, ...], album: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = run(*words, "-o", out)
    assert result.exit_code == 0, result.output
    report = {name: [r for r in rows(out) if name in r["source"]] for name in ("group", "none")}
    assert [(r["status"], r["faces"]) for r in report["none"]] == [("skipped", "")]
    assert "no face found" in report["none"][0]["reason"]
    told = [(r["face"], r["target"], r["status"]) for r in report["group"]]
    assert told[:4] == [(f, e, "done") for f in "12" for e in ("happy", "sad")]
    assert told[4:] == [("3", "happy", "skipped"), ("3", "sad", "skipped")]
    assert "under 32" in report["group"][4]["reason"]
    assert all(0.8 <= float(r["score"]) <= 1 for r in report["group"])
    assert [r["confirmed"] for r in report["group"]] == ["true"] * 4 + [""] * 2

    changed = (levels(out / "sad" / "group.png") != levels(album / "group.png")).any(-1)
    for box in boxes(report["group"])[:4:2]:
        left, top, width, height = box
        assert changed[top : top + height, left : left + width].any()
        changed = outside(changed, box)
    assert not changed.any()
    assert sorted(tree(out)) == [
        f"{e}/{name}.png" for e in ("happy", "sad") for name in ("face", "group", "one")
    ]
    assert (levels(out / "sad" / "face.png").shape) == (48, 48)


@pytest.mark.parametrize(
    ("which", "chosen"), [("largest", [1]), ("2", [2]), ("3", []), ("9", []), ("all", [1, 2])]
)
def test_which_faces_are_translated_can_be_chosen(
    run: Run, mouths: Path, album: Path, tmp_path: Path, which: str, chosen: list[int]
) -> None:
    """The group's third face is too small, whatever is chosen."""
    out = tmp_path / "out"
    words = ("--to", "sad", "--which", which, "--weights", mouths)
    result = run(album / "group.png", *words, "-o", out)
    assert result.exit_code == (0 if chosen else 3), result.output
    report = {int(row["face"]): row for row in rows(out)}
    assert sorted(report) == [1, 2, 3]
    assert [f for f in (1, 2, 3) if report[f]["status"] == "done"] == chosen
    if which != "all":
        assert f"--which {which}" in report[2 if which == "largest" else 1]["reason"]
    areas = [int(w) * int(h) for w, h in (report[f]["box"].split()[2:] for f in (1, 2, 3))]
    assert areas == sorted(areas, reverse=True)
    if not chosen:
        assert tree(out) == {}
        return
    changed = (levels(out / "sad" / "group.png") != levels(album / "group.png")).any(-1)
    for face, row in report.items():
        left, top, width, height = (int(v) for v in row["box"].split())
        assert changed[top : top + height, left : left + width].any() == (face in chosen)


def test_a_chosen_face_alone_is_named_by_its_number(
    run: Run, mouths: Path, album: Path, tmp_path: Path
) -> None:
    words = ("--to", "sad", "--which", "2", "--result", "face", "--weights", mouths)
    result = run(album / "group.png", *words, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert set(tree(tmp_path / "out")) == {"sad/group.f2.png"}


@pytest.mark.parametrize("word", ["0", "-1", "first", "1.5", ""])
def test_a_face_that_cannot_be_chosen_is_a_usage_error(run: Run, album: Path, word: str) -> None:
    result = run(album, "--to", "sad", "--which", word)
    assert result.exit_code == 2
    assert "all, largest or a number from 1" in result.stderr


def test_the_report_is_the_same_for_any_workers_and_after_any_cut(
    run: Run, words: tuple[str | Path, ...], tmp_path: Path
) -> None:
    run(*words, "-o", tmp_path / "one", "--workers", "1", "--batch-size", "2")
    run(*words, "-o", tmp_path / "many", "--workers", "8")
    whole = (tmp_path / "one" / "report.csv").read_bytes()
    assert tree(tmp_path / "one") == tree(tmp_path / "many")
    for lines in (4, 6):
        cut = b"".join(whole.splitlines(keepends=True)[:lines])
        (tmp_path / "one" / "report.csv").write_bytes(cut)
        again = run(*words, "-o", tmp_path / "one")
        assert again.exit_code == 0, again.output
        timeless = [{**row, "ms": ""} for row in rows(tmp_path / "one")]
        assert timeless == [{**row, "ms": ""} for row in rows(tmp_path / "many")]
    assert tree(tmp_path / "one") == tree(tmp_path / "many")


def test_faces_alone_are_gray_and_48_pixels_and_never_share_a_name(
    run: Run, words: tuple[str | Path, ...], album: Path, tmp_path: Path
) -> None:
    Image.fromarray(pictures.draw_face(3, 1)).save(album / "group.f2.png")
    out = tmp_path / "out"
    result = run(*words, "-o", out, "--result", "face")
    assert result.exit_code == 0, result.output
    names = ("face", "group", "group.f2", "group.f2_", "one")
    assert set(tree(out)) == {f"{e}/{name}.png" for e in ("happy", "sad") for name in names}
    for path in out.rglob("*.png"):
        with Image.open(path) as picture:
            assert (picture.mode, picture.size) == ("L", (48, 48))
    patch = levels(out / "happy" / "group.f2.png")[bundles.MOUTH]
    assert set(patch.ravel()) == {128}
    again = run(*words, "-o", out, "--result", "face")
    assert again.exit_code == 0, again.output
    assert len(tree(out)) == 10


def test_faces_that_are_left_out_stay_as_they_were(
    run: Run, mouths: Path, album: Path, tmp_path: Path
) -> None:
    out, words = tmp_path / "out", ("--to", "sad", "--per-class", "1", "--weights", mouths)
    run(album / "group.png", *words, "-o", out)
    report = rows(out)
    assert [r["output"] for r in report] == ["sad/group.png", "", ""]
    assert [r["disposition"] for r in report] == ["written", "over_quota", ""]
    changed = (levels(out / "sad" / "group.png") != levels(album / "group.png")).any(-1)
    (left, top, width, height), second = boxes(report)[:2]
    assert changed[top : top + height, left : left + width].any()
    left, top, width, height = second
    assert not changed[top : top + height, left : left + width].any()


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
def test_size_and_colours_stay_in_every_mode(
    run: Run, mouths: Path, tmp_path: Path, mode: str, result: str
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
    said = run(path, "--to", "sad", "-o", tmp_path / "out", "--weights", mouths)
    assert said.exit_code == 0, said.output
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


def test_profiles_are_kept_and_ink_becomes_light_by_its_own(
    run: Run, mouths: Path, tmp_path: Path
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pictures.portrait(pictures.COLLINS).save(tmp_path / "a.jpg", icc_profile=profile)
    for form in ("png", "jpeg", "webp"):
        words = ("--to", "sad", "--weights", mouths, "--format", form)
        run(tmp_path / "a.jpg", *words, "-o", tmp_path / form)
        (path,) = (tmp_path / form / "sad").iterdir()
        with Image.open(path) as picture:
            assert picture.info["icc_profile"] == profile
            assert b"compositeWithTrainedAlgorithmicMedia" in picture.info["xmp"]


@pytest.mark.parametrize("form", ["png", "webp"])
def test_colours_stay_where_a_picture_is_transparent(
    run: Run, mouths: Path, tmp_path: Path, form: str
) -> None:
    picture = pictures.portrait(pictures.HOPPER)
    picture.putalpha(Image.new("L", picture.size, 255))
    picture.paste((200, 10, 90, 0), (0, 0, 60, 60))
    picture.save(tmp_path / "a.png")
    words = ("--to", "sad", "--weights", mouths, "--format", form)
    run(tmp_path / "a.png", *words, "-o", tmp_path / "out")
    (path,) = (tmp_path / "out" / "sad").iterdir()
    gap = np.abs(levels(path) - levels(tmp_path / "a.png"))
    (row,) = rows(tmp_path / "out")
    assert outside(gap, boxes([row])[0]).max() == 0


def test_a_lab_pictures_profile_does_not_go_with_its_rgb_result(
    run: Run, mouths: Path, tmp_path: Path
) -> None:
    srgb, lab = (ImageCms.createProfile(space) for space in ("sRGB", "LAB"))
    picture = ImageCms.profileToProfile(
        pictures.portrait(pictures.HOPPER), srgb, lab, outputMode="LAB"
    )
    assert picture is not None
    profile = ImageCms.ImageCmsProfile(lab).tobytes()
    picture.save(tmp_path / "a.tif", icc_profile=profile)
    run(tmp_path / "a.tif", "--to", "sad", "--weights", mouths, "-o", tmp_path / "out")
    with Image.open(tmp_path / "out" / "sad" / "a.png") as result:
        assert (result.mode, result.info.get("icc_profile")) == ("RGB", None)


def with_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_exif_turns_the_picture_and_is_kept_if_that_is_asked_for(
    run: Run, mouths: Path, tmp_path: Path, form: str
) -> None:
    portrait = pictures.portrait(pictures.HOPPER)
    portrait.rotate(90, expand=True).save(tmp_path / "a.png", exif=with_exif())
    words = ("--to", "sad", "--weights", mouths, "--format", form)
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
    run: Run, mouths: Path, tmp_path: Path
) -> None:
    thumbnail = io.BytesIO()
    pictures.portrait(pictures.COLLINS, 100).save(thumbnail, "jpeg")
    exif = with_exif()
    del exif[0x0112]
    first = exif.tobytes()
    pictures.portrait(pictures.COLLINS).save(tmp_path / "a.jpg", exif=first + thumbnail.getvalue())
    words = ("--to", "sad", "--weights", mouths, "--metadata", "keep", "--format", "jpeg")
    run(tmp_path / "a.jpg", *words, "-o", tmp_path / "out")
    content = (tmp_path / "out" / "sad" / "a.jpg").read_bytes()
    assert b"Maker" in content
    assert content.count(b"\xff\xd8\xff") == 1


def test_small_colour_pictures_are_faces_and_stay_in_colour(
    run: Run, mouths: Path, tmp_path: Path
) -> None:
    sample = pictures.PHOTOS.parent / "samples" / "collins-colour.jpg"
    run(sample, "--to", "happy", "--weights", mouths, "-o", tmp_path / "out")
    (row,) = rows(tmp_path / "out")
    assert (row["box"], row["score"], row["faces"]) == ("0 0 96 96", "", "1")
    with Image.open(sample) as before:
        same = np.asarray(before).astype(int)
    after = levels(tmp_path / "out" / "happy" / "collins-colour.png")
    assert after.shape == (96, 96, 3)
    np.testing.assert_array_equal(after[:56], same[:56])
    assert np.abs(after.mean(-1)[68:76, 44:52] - 128).mean() < 30


def test_what_is_the_face_can_be_said(run: Run, mouths: Path, tmp_path: Path) -> None:
    pictures.portrait(pictures.COLLINS, 90).save(tmp_path / "small.png")
    pictures.landscape().save(tmp_path / "none.png")
    words = ("--to", "sad", "--weights", mouths)
    run(tmp_path / "none.png", *words, "-o", tmp_path / "whole", "--faces", "whole")
    assert [(r["status"], r["box"]) for r in rows(tmp_path / "whole")] == [("done", "0 0 400 300")]
    assert levels(tmp_path / "whole" / "sad" / "none.png").shape == (300, 400)
    none = run(tmp_path / "none.png", *words, "-o", tmp_path / "none")
    assert none.exit_code == 3
    run(tmp_path / "small.png", *words, "-o", tmp_path / "found", "--faces", "detect")
    (row,) = rows(tmp_path / "found")
    assert (row["status"], row["score"] != "") == ("skipped", True)


def test_a_bundle_that_says_how_it_moves_moves_the_picture_itself(run: Run, tmp_path: Path) -> None:
    moving = bundles.write_bundle(tmp_path / "moving", bundles.MOUTH, edits=True)
    portrait = pictures.portrait(pictures.HOPPER)
    portrait.save(tmp_path / "a.png")
    run(tmp_path / "a.png", "--to", "sad", "--weights", moving, "-o", tmp_path / "out")
    before, after = np.asarray(portrait).astype(int), levels(tmp_path / "out" / "sad" / "a.png")
    (row,) = rows(tmp_path / "out")
    left, top, width, height = boxes([row])[0]
    middle = slice(top + height // 3, top + 2 * height // 3), slice(left + 40, left + width - 40)
    gaps = {
        x: np.abs(after[middle] - np.roll(before, -x, 1)[middle]).mean() for x in range(-30, 31)
    }
    assert 14 <= min(gaps, key=lambda x: gaps[x]) <= 22, "4 pixels of a face of 212"
    run(
        *(tmp_path / "a.png", "--to", "sad", "--weights", moving, "--strength", "0"),
        *("-o", tmp_path / "still"),
    )
    np.testing.assert_array_equal(levels(tmp_path / "still" / "sad" / "a.x0.png"), before)


def test_pictures_in_archives_are_changed_as_those_in_folders(
    run: Run, words: tuple[str | Path, ...], album: Path, mouths: Path, tmp_path: Path
) -> None:
    run(*words, "-o", tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        for path in sorted(album.iterdir()):
            archive.write(path, path.name)
    run(tmp_path / "album.zip", *words[1:], "-o", tmp_path / "zip")
    assert tree(tmp_path / "zip") == tree(tmp_path / "folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_picture_that_can_only_be_read_once_is_changed_too(
    run: Run, mouths: Path, album: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "one.jpg")
    content = (album / "one.jpg").read_bytes()
    writer = threading.Thread(target=(tmp_path / "one.jpg").write_bytes, args=(content,))
    writer.start()
    words = ("--to", "sad", "--weights", mouths)
    result = run(tmp_path / "one.jpg", *words, "-o", tmp_path / "pipe")
    writer.join()
    assert result.exit_code == 0, result.output
    run(album / "one.jpg", *words, "-o", tmp_path / "file")
    assert tree(tmp_path / "pipe") == tree(tmp_path / "file")


def test_a_picture_that_is_changed_in_between_fails_by_name(
    run: Run,
    words: tuple[str | Path, ...],
    album: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def later(decoded: Decoded) -> Canvas:
        (album / "one.jpg").write_bytes((album / "group.png").read_bytes())
        return read_again(decoded)

    monkeypatch.setattr("cctranslate.batch.stages.render.read_again", later)
    result = run(*words, "-o", tmp_path / "out")
    assert result.exit_code == 1
    (failed,) = (row for row in rows(tmp_path / "out") if row["status"] == "failed")
    assert failed["reason"] == "read: the picture was changed since its faces were found"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_is_as_the_same_pixels_in_a_png(
    run: Run, mouths: Path, tmp_path: Path, orientation: int
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
        words = ("--to", "sad", "--weights", mouths, "-o", tmp_path / f"out-{form}")
        assert run(tmp_path / form, *words).exit_code == 0
    large, less = rows(tmp_path / "out-tif")
    assert (large["width"], large["height"], less["width"], less["height"]) == (
        *("210", "290", "60", "84"),
    )
    told = [
        [(row["box"], row["width"], row["mode"], row["predicted"]) for row in rows(tmp_path / out)]
        for out in ("out-png", "out-tif")
    ]
    assert told[0] == told[1]
    assert tree(tmp_path / "out-png") == tree(tmp_path / "out-tif")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """One photograph as a JPEG, a WebP, a PNG and a TIFF."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    photograph = pictures.portrait(pictures.COLLINS)
    for name in ("a.jpeg", "b.webp", "c.png", "d.tif"):
        photograph.save(folder / name)
    return folder


def formats(folder: Path) -> dict[str, str | None]:
    found = {}
    for path in sorted(folder.iterdir()):
        with Image.open(path) as picture:
            found[path.name] = picture.format
    return found


def test_results_can_have_their_sources_formats(
    run: Run, mouths: Path, mixed: Path, tmp_path: Path
) -> None:
    out, words = tmp_path / "out", ("--to", "sad", "--weights", mouths, "--format", "same")
    result = run(mixed, *words, "-o", out)
    assert result.exit_code == 0, result.output
    assert formats(out / "sad") == {
        "a.jpg": "JPEG",
        "b.webp": "WEBP",
        "c.png": "PNG",
        "d.png": "PNG",
    }
    again = run(mixed, *words, "-o", out)
    assert again.exit_code == 0, again.output
    assert len(rows(out)) == len(tree(out)) == 4


def test_lower_quality_is_smaller(run: Run, mouths: Path, mixed: Path, tmp_path: Path) -> None:
    words = ("--to", "sad", "--weights", mouths, "--format")
    for form in ("jpeg", "webp"):
        sizes: list[int] = []
        for quality in ((), ("--quality", "90"), ("--quality", "30")):
            out = tmp_path / f"{form}{len(sizes)}"
            result = run(mixed / "a.jpeg", *words, form, *quality, "-o", out)
            assert result.exit_code == 0, result.output
            (size,) = [len(content) for content in tree(out).values()]
            sizes.append(size)
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[-1] < sizes[0] / 3


def test_quality_without_a_lossy_format_is_refused(run: Run, mixed: Path, tmp_path: Path) -> None:
    result = run(mixed, "--to", "sad", "--quality", "80", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "--quality is of jpeg and webp" in result.stderr
