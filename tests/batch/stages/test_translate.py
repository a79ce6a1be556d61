"""What is taken for a face and shows none is never confirmed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import bundles, pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


@pytest.fixture
def presence(tmp_path: Path) -> Path:
    """A bundle that knows pictures of one level for what they are."""
    return bundles.write_bundle(tmp_path / "presence", presence=True)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A face, a black picture, one of a single pixel and a gray one that is not square."""
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(pictures.draw_face(3, 0)).save(folder / "face.png")
    Image.new("L", (48, 48)).save(folder / "black.png")
    Image.new("RGB", (1, 1), (200, 30, 40)).save(folder / "dot.png")
    Image.fromarray(np.full((60, 40), 128, np.uint8)).save(folder / "gray.png")
    return folder


def test_no_face_is_named_and_not_confirmed(
    run: Run, mixed: Path, presence: Path, tmp_path: Path
) -> None:
    result = run(mixed, "--to", "sad", "-o", tmp_path / "out", "--weights", presence)
    assert result.exit_code == 0, result.output
    reported = {Path(r["source"]).stem: r for r in rows(tmp_path / "out")}
    assert {name: (r["reason"], r["confirmed"]) for name, r in reported.items()} == {
        "face": ("", "true"),
        "black": ("no face found", "false"),
        "dot": ("no face found", "false"),
        "gray": ("no face found", "false"),
    }
    assert all(r["status"] == "done" and r["output"] for r in reported.values())


def test_a_picture_without_a_face_is_never_confirmed(
    run: Run, mixed: Path, presence: Path, tmp_path: Path
) -> None:
    words = ("--to", "sad", "--weights", presence)
    assert run(mixed, *words, "-o", tmp_path / "out", "--confirmed-only").exit_code == 0
    assert set(tree(tmp_path / "out")) == {"sad/face.png"}
    reasons = {r["reason"] for r in rows(tmp_path / "out")}
    assert reasons == {"", "no face found; not written: not confirmed"}
    aside = tmp_path / "aside"
    assert run(mixed, *words, "-o", tmp_path / "two", "--unconfirmed-to", aside).exit_code == 0
    assert set(tree(aside / "sad")) == {"black.png", "dot.png", "gray.png"}


def test_a_bundle_that_cannot_tell_takes_every_picture_for_a_face(
    run: Run, mixed: Path, tmp_path: Path
) -> None:
    assert run(mixed, "--to", "sad", "-o", tmp_path / "out").exit_code == 0
    assert {r["confirmed"] for r in rows(tmp_path / "out")} == {"true"}
