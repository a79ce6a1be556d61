"""Patterns: what a shell matches, each file once for each way to it that does not lead back."""

import glob
from pathlib import Path

import pytest

from cctranslate.files.patterns import matches
from tests.support.cli import Run
from tests.support.pictures import png
from tests.support.reports import rows

FILES = ("a.png", "b/a.png", "b/c/a.png", "b/c/x.jpg", "d/e/f/a.png", "[q]/a.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(png(3, 3))
    return tmp_path / "in"


@pytest.mark.parametrize(
    "pattern",
    ["*.png", "**/*.png", "b/**/*.png", "*/**/a.png", "**/c/*", "**/e/**/*.png", "[[]q]/**/*.png"],
)
def test_without_links_it_is_as_python_has_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.chdir(folder)
    found = sorted(matches(pattern))
    assert found == sorted(set(glob.glob(pattern, recursive=True))) != []  # noqa: PTH207
    whole = [f"{folder}/{name}" for name in found]
    assert sorted(matches(f"{folder}/{pattern}")) == whole


def test_a_link_that_leads_back_ends_and_gives_nothing_twice(run: Run, folder: Path) -> None:
    (folder / "b" / "here").symlink_to(".", target_is_directory=True)
    (folder / "b" / "up").symlink_to("..", target_is_directory=True)
    (folder / "d" / "up").symlink_to("..", target_is_directory=True)
    (folder / "itself").symlink_to("itself")
    out = folder.parent / "out"
    result = run(f"{folder}/b/**/*.jpg", f"{folder}/d/e/**/*.png", "--to", "sad", "-o", out)
    assert result.exit_code == 0, result.output
    assert [row["source"] for row in rows(out)] == [
        f"{folder}/b/c/x.jpg",
        f"{folder}/d/e/f/a.png",
    ]
    missing = run(f"{folder}/**/nothing*", "--to", "sad", "-o", out)
    assert missing.exit_code == 2
    assert "matches nothing" in missing.output


def test_folders_of_the_system_are_left_alone(folder: Path) -> None:
    for name in ("@eaDir/a.png/SYNOPHOTO_THUMB_M.png", ".hidden/a.png"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    assert len(list(matches(f"{folder}/**/*.png"))) == 5
