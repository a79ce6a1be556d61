"""Each layout's names; `tree` keeps sub-folders; no two inputs share a file."""

import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.outputs.layout import LONGEST, Layout, LayoutName, Names
from cctranslate.inference.variants import Variant
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


def fill(folder: Path, places: list[str]) -> Path:
    for number, place in enumerate(places):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures.draw_face(number % 7, 9)).save(path)
    return folder


def test_sub_folders_are_kept(run: Run, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", ["a/b/x.png", "a/x.png", "y.jpg"])
    out = tmp_path / "out"
    result = run(folder, "--to", "happy,sad", "-o", out, "--layout", "tree")
    assert result.exit_code == 0, result.output
    kept = ["a/b/x.png", "a/x.png", "y.png"]
    assert sorted(tree(out)) == [
        f"{target}/{place}" for target in ("happy", "sad") for place in kept
    ]
    other = run(folder, "--to", "happy,sad", "-o", out)
    assert other.exit_code == 2
    assert "another --layout" in other.stderr


def test_no_two_inputs_share_a_file_or_a_folder(run: Run, tmp_path: Path) -> None:
    long = "d" * 240
    places = ["a.bmp", "a.png/x.png", "a.png_/x.png", "b/x.png", "b/x.bmp", "B/x.png"]
    folder = fill(tmp_path / "in", [*places, f"{long}e/x.png", f"{long}f/x.png"])
    words = (folder, "--to", "sad", "--layout", "tree", "--strength", "0.5", "--strength", "1")
    out = tmp_path / "out"
    result = run(*words, "-o", out)
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert len({row["output"].lower() for row in found}) == len(found) == 16
    for row in found:
        with Image.open(out / row["output"]) as picture, Image.open(row["source"]) as source:
            gap = np.abs(np.asarray(picture, int)[8:] - np.asarray(source.convert("L"), int)[8:])
        assert gap.max() == 0
    run(*words, "-o", tmp_path / "halves", "--limit", "3")
    run(*words, "-o", tmp_path / "halves")
    assert tree(tmp_path / "halves") == tree(out)


def test_members_of_archives_keep_their_folders_too(run: Run, tmp_path: Path) -> None:
    fill(tmp_path / "in", ["p/q/x.png"])
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "in")
    run(archive, "--to", "sad", "-o", tmp_path / "out", "--layout", "tree")
    assert list(tree(tmp_path / "out")) == ["sad/p/q/x.png"]


def test_torchvisions_rule_reads_it(run: Run, tmp_path: Path) -> None:
    """ImageFolder: the top folders are the classes, each with at least one picture below."""
    folder = fill(tmp_path / "in", ["a/b/x.png", "y.png"])
    out = tmp_path / "out"
    run(folder, "--to", "happy,sad", "-o", out, "--layout", "tree")
    classes = sorted(entry.name for entry in out.iterdir() if entry.is_dir())
    assert classes == ["happy", "sad"]
    assert all(len(list((out / name).rglob("*.png"))) == 2 for name in classes)


def test_overwrite_takes_the_whole_tree_away(run: Run, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", ["a/b/x.png"])
    out = tmp_path / "out"
    run(folder, "--to", "sad", "-o", out, "--layout", "tree")
    result = run(folder, "--to", "happy", "-o", out, "--overwrite")
    assert result.exit_code == 0, result.output
    assert list(tree(out)) == ["happy/a__b__x.png"]


@pytest.mark.parametrize(
    ("kind", "name", "output"),
    [
        ("imagefolder", "a__b.c", "sad/a__b.c.f2.s3.x0.5.png"),
        ("tree", "a/b.c", "sad/a/b.c.f2.s3.x0.5.png"),
        ("webdataset", "a__b-c", "sad/a__b-c-f2-s3-x0-5.png"),
    ],
)
def test_a_name_and_its_tags(kind: LayoutName, name: str, output: str) -> None:
    layout = Layout(
        kind=kind, suffix=".png", names_strength=True, separate_faces=True, names_sample=True
    )
    assert layout.base("a/b.c.jpg") == name
    variant = Variant(target="sad", strength=0.5, sample=3)
    assert layout.output_path(variant, name, 2, unconfirmed=False) == output


def test_an_unconfirmed_result_has_its_own_folder_and_plain_names_have_no_tags() -> None:
    layout = Layout(
        kind="imagefolder",
        suffix=".png",
        names_strength=False,
        separate_faces=False,
        unconfirmed_folder="../no",
    )
    variant = Variant(target="sad", strength=1)
    assert layout.output_path(variant, "a", 2, unconfirmed=True) == "../no/sad/a.png"
    assert layout.output_path(variant, "a", 2, unconfirmed=False) == "sad/a.png"


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [
        ("imagefolder", "day 1/12:30:00.png", "day 1__12%3A30%3A00"),
        ("imagefolder", "a\\b.png", "a%5Cb"),
        ("imagefolder", 'a\n"<*?>|.png', "a%0A%22%3C%2A%3F%3E%7C"),
        ("imagefolder", ".a/.b.png", "%2Ea__.b"),
        ("imagefolder", "a./b ..png", "a.__b ."),
        ("tree", ".a/b./c /.d.png", "%2Ea/b%2E/c%20/%2Ed"),
        ("webdataset", ".a:b.c.png", "-a%3Ab-c"),
    ],
)
def test_every_file_system_and_loader_takes_a_name(kind: LayoutName, path: str, name: str) -> None:
    layout = Layout(kind=kind, suffix=".png", names_strength=False, separate_faces=False)
    assert layout.base(path) == name


def test_long_names_are_cut_and_stay_different() -> None:
    layout = Layout(kind="imagefolder", suffix=".png", names_strength=False, separate_faces=False)
    first, second = (layout.base("é" * 150 + end + ".png") for end in "ab")
    assert first != second
    assert all(len(name.encode()) <= LONGEST for name in (first, second))


def test_a_name_that_is_taken_gets_a_number_whatever_its_case() -> None:
    names = Names()
    claimed = [names.claim(name) for name in ("a", "A", "a", "b", "a~2")]
    assert claimed == ["a", "A~2", "a~3", "b", "a~2~2"]


@pytest.mark.parametrize(
    "words", [("\u00e9.png", "e\u0301.png", "E\u0301.jpg"), ("x.png", "X.jpg")]
)
def test_no_two_names_are_one_to_any_file_system(words: tuple[str, ...]) -> None:
    """macOS takes an accent for the same in either form, and it and Windows ignore case."""
    layout, names = (
        Layout(kind="imagefolder", suffix=".png", names_strength=False, separate_faces=False),
        Names(),
    )
    given = [names.claim(layout.base(word)) for word in words]
    forms = {unicodedata.normalize("NFD", name).casefold() for name in given}
    assert len(forms) == len(words)
