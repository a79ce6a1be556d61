"""From Python, pictures of every kind become what `batch` makes of their files."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

import cctranslate
from cctranslate import NoFaceError, OptionError, PictureError, TargetError, Translator
from cctranslate.translator import Source
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)


def test_a_photograph_is_as_batch_makes_it(
    run: Run, translator: Translator, mouth_weights: Path, group: Path, tmp_path: Path
) -> None:
    words = ("--to", "sad", "--weights", mouth_weights)
    assert run(group, *words, "-o", tmp_path / "out").exit_code == 0
    one = translator.translate(group, "sad")
    with Image.open(tmp_path / "out" / "sad" / "group.png") as written:
        np.testing.assert_array_equal(pixels(one.image), pixels(written))
    assert one.image.size == (1200, 800)
    columns = ("face", "box", "reason", "confirmed")
    found = [tuple(row[name] for name in columns) for row in rows(tmp_path / "out")]
    assert [
        (str(face.number), " ".join(map(str, face.box)), face.reason or "", face.confirmed)
        for face in one.faces
    ] == [(number, box, reason, word == "true") for number, box, reason, word in found]
    assert [face.image is None for face in one.faces] == [False, False, True]
    assert one.confirmed


def test_every_kind_of_source_gives_the_same(translator: Translator, group: Path) -> None:
    with Image.open(group) as picture:
        picture.load()
    sources: list[Source] = [group, str(group), group.read_bytes(), picture, np.asarray(picture)]
    made = [results[0] for results in translator.translate_many(sources, "happy")]
    for one in made[1:]:
        np.testing.assert_array_equal(pixels(one.image), pixels(made[0].image))
        assert [face.box for face in one.faces] == [face.box for face in made[0].faces]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
def test_pictures_of_every_mode_are_taken(translator: Translator, mode: str) -> None:
    picture = Image.fromarray(pictures.draw_face(3, 0))
    if mode == "I;16":
        picture = Image.fromarray(pixels(picture).astype(np.uint16) * 257)
    else:
        picture = picture.convert("RGB").convert(mode)
    one = translator.translate(picture, "sad")
    assert one.image.size == (48, 48)
    assert (one.target, one.predicted, one.confirmed) == ("sad", "sad", True)


@pytest.mark.parametrize(("which", "numbers"), [("largest", [1]), (2, [2]), ("all", [1, 2])])
def test_faces_can_be_chosen(
    translator: Translator, group: Path, which: object, numbers: list[int]
) -> None:
    one = translator.translate(group, "sad", which=which)  # type: ignore[arg-type]
    assert [face.number for face in one.faces if face.image] == numbers
    assert len(one.faces) == 3
    others = {face.reason for face in one.faces if not face.image}
    small = "not translated: 28 pixels wide, under 32"
    assert others - {small} <= {f"not translated: not chosen by which={which!r}"}


def test_a_face_alone_is_48_pixels(translator: Translator, group: Path) -> None:
    one = translator.translate(group, "sad", result="face")
    assert (one.image.size, one.image.mode) == ((48, 48), "L")
    assert one.faces[0].image is not None
    np.testing.assert_array_equal(pixels(one.image), pixels(one.faces[0].image))


def test_whole_takes_a_photograph_for_a_face(translator: Translator, group: Path) -> None:
    one = translator.translate(group, "sad", faces="whole")
    assert one.image.size == (1200, 800)
    assert [face.box for face in one.faces] == [(0, 0, 1200, 800)]


def test_strengths_and_samples_make_a_result_each(translator: Translator) -> None:
    face = Image.fromarray(pictures.draw_face(3, 0))
    settings = {"strength": (1, 0, 0.5), "samples": 2}
    (results,) = translator.translate_many([face], ["sad", "happy"], **settings)  # type: ignore[call-overload]
    assert [(r.target, r.strength, r.sample) for r in results] == [
        (target, strength, sample)
        for target in ("happy", "sad")
        for strength in (0, 0.5, 1)
        for sample in (1, 2)
    ]
    np.testing.assert_array_equal(pixels(results[0].image), pixels(face))
    with pytest.raises(OptionError, match="translate_many"):
        translator.translate(face, "sad", samples=2)


def test_a_word_that_is_no_expression_is_named(translator: Translator) -> None:
    face = Image.fromarray(pictures.draw_face(3, 0))
    with pytest.raises(TargetError, match="did you mean happy"):
        translator.translate(face, "hapy")
    with pytest.raises(ValueError, match="choose from"):
        translator.translate_many([face], [])
    for target in (["happy"], None, 3, "all"):
        with pytest.raises(TargetError, match="is no expression: ") as refused:
            translator.translate(face, target)  # type: ignore[arg-type]
        assert "did you mean all" not in str(refused.value)
    with pytest.raises(TargetError, match="is no expression: choose from"):
        translator.translate_many([face], [3])  # type: ignore[list-item]


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.copy()


def bytes_in_memory(path: Path) -> bytearray:
    return bytearray(path.read_bytes())


def as_array(path: Path) -> Any:
    return pixels(opened(path))


@pytest.mark.parametrize(
    "kind", [os.fspath, Path.read_bytes, bytes_in_memory, Path, opened, as_array]
)
def test_one_picture_is_not_several(translator: Translator, group: Path, kind: object) -> None:
    assert callable(kind)
    source = kind(group)
    with pytest.raises(OptionError, match="put one in a list"):
        translator.translate_many(source, "sad")
    assert len(list(translator.translate_many([source], "sad"))) == 1


def test_an_array_of_pictures_is_several(translator: Translator) -> None:
    faces = np.stack([pictures.draw_face(3, 0)] * 2)
    for array in (faces, np.stack([faces] * 3, axis=-1)):
        assert len(list(translator.translate_many(array, "sad"))) == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "bytes: "),
        (b"not a picture", "bytes: "),
        (b"PK\x03\x04" + bytes(99), "bytes: an archive where one picture is expected"),
        (b"emotion,pixels\n3,1 2\n", "bytes: a dataset where one picture is expected"),
        (Path("nowhere.png"), "nowhere.png: No such file"),
        (np.zeros((48, 48), np.float32), "of uint8"),
        (np.zeros((48, 48, 2), np.uint8), "of uint8"),
        (np.zeros((0, 48), np.uint8), "[0, 48] of uint8: it is empty"),
        (Image.new("RGB", (0, 5)), "image: it is empty"),
        ("", "'': it is empty: name a path"),
        ("a/b\0.png", "'a/b\\x00.png': no file can have this name"),
        ("https://example.org/face.png", "URL: https://example.org/face.png: only `batch` reads"),
        (3, "int: expected a path"),
    ],
)
def test_what_is_no_picture_is_named(translator: Translator, source: object, message: str) -> None:
    with pytest.raises(PictureError) as caught:
        translator.translate(source, "sad")  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_picture_without_a_face_is_an_error_of_its_own(
    translator: Translator, group: Path
) -> None:
    with pytest.raises(NoFaceError, match="no face found"):
        translator.translate(pictures.landscape(), "sad")
    with pytest.raises(NoFaceError, match="not chosen by which=9"):
        translator.translate(group, "sad", which=9)


def test_one_bad_picture_need_not_end_many(translator: Translator) -> None:
    face = Image.fromarray(pictures.draw_face(3, 0))
    made = list(translator.translate_many([face, b"bad", face], "sad", errors="return"))
    assert [type(one) for one in made] == [list, PictureError, list]
    stream = translator.translate_many([face, b"bad", face], "sad")
    assert next(stream)
    with pytest.raises(PictureError):
        next(stream)


def test_an_images_profile_goes_with_its_result(translator: Translator) -> None:
    picture = pictures.portrait(pictures.HOPPER)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.info["icc_profile"] = profile
    one = translator.translate(picture, "sad")
    assert one.image.info["icc_profile"] == profile


def test_everything_that_is_exported_is_there() -> None:
    for name in cctranslate.__all__:
        assert getattr(cctranslate, name) is not None
    assert (Path(cctranslate.__file__).parent / "py.typed").exists()


def test_the_guides_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").symlink_to(pictures.PHOTOS.parent)
    guide = Path(cctranslate.__file__).parent / "translator" / "README.md"
    (example,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, str(guide), "exec"), {})
    with Image.open("happy.png") as written, Image.open("datasets/photos/hopper.jpg") as source:
        assert written.size == source.size
