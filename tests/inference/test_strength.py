"""How far a translation goes: 0 leaves a face as it was, 1 is full."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


def levels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture, int)


def test_several_strengths_make_a_result_each(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("--strength", "1", "--strength", "0", "--strength", "0.5", "--strength", "0.5")
    result = run(faces / "sad", "--to", "happy,neutral", "-o", out, *words)
    assert result.exit_code == 0, result.output
    found = [(row["target"], row["strength"], row["output"]) for row in rows(out)]
    assert found[:3] == [("happy", x, f"happy/4.x{x}.png") for x in ("0", "0.5", "1")]
    assert [row[:2] for row in found[3:]] == [("neutral", x) for x in ("0", "0.5", "1")]
    face = pictures.draw_face(4, 0)
    nothing, half, full = (levels(out / place) for _, _, place in found[:3])
    np.testing.assert_array_equal(nothing, face)
    np.testing.assert_array_equal(full[:8, :8], 128)
    assert np.abs(half - (nothing + full) / 2).max() <= 0.5
    with Image.open(tmp_path / "out-sheet.png") as sheet:
        assert sheet.width == 7 * 96


def test_a_name_contains_a_strength_that_is_not_full(run: Run, faces: Path, tmp_path: Path) -> None:
    run(faces / "sad", "--to", "happy", "-o", tmp_path / "half", "--strength", "0.50")
    assert rows(tmp_path / "half")[0]["output"] == "happy/4.x0.5.png"
    run(faces / "sad", "--to", "happy", "-o", tmp_path / "full", "--strength", "1.0")
    assert rows(tmp_path / "full")[0]["output"] == "happy/4.png"


def test_a_run_with_other_strengths_is_refused(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out, "--strength", "0.5", "--strength", "1")
    other = run(faces, "--to", "happy", "-o", out)
    assert other.exit_code == 2
    assert "another --strength" in other.stderr
    same = run(faces, "--to", "happy", "-o", out, "--strength", "1", "--strength", "0.5")
    assert same.exit_code == 0, same.output
    assert len(rows(out)) == 14


def test_a_name_that_looks_like_a_strength_stays_apart(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate(("a.png", "a.bmp", "a.x0.5.png", "a.x0.5.bmp")):
        Image.fromarray(pictures.draw_face(number, 0)).save(folder / name)
    words = (folder, "--to", "sad", "--strength", "0.5", "--strength", "1")
    run(*words, "-o", tmp_path / "whole")
    outputs = [row["output"] for row in rows(tmp_path / "whole")]
    assert len(set(outputs)) == 8
    for _ in range(2):
        run(*words, "-o", tmp_path / "halves", "--limit", "2")
    run(*words, "-o", tmp_path / "halves")
    assert [row["output"] for row in rows(tmp_path / "halves")] == outputs
    assert tree(tmp_path / "halves") == tree(tmp_path / "whole")


@pytest.mark.parametrize("word", ["-0.1", "1.1", "nan", "much"])
def test_a_value_that_is_no_strength_is_exit_2(run: Run, faces: Path, word: str) -> None:
    result = run(faces, "--to", "sad", "--strength", word)
    assert result.exit_code == 2, result.output
    assert "--strength" in result.stderr
