"""Several results for one face and expression, and the best of several tries."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.emotions import EMOTIONS
from cctranslate.inference import conditions
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


def test_each_sample_is_another_result(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(faces / "sad", "--to", "happy", "-o", out, "--samples", "4")
    assert result.exit_code == 0, result.output
    found = [(row["sample"], row["output"]) for row in rows(out)]
    assert found == [(str(n), f"happy/4.s{n}.png") for n in range(1, 5)]
    pictures = tree(out)
    assert len({pictures[place] for _, place in found}) == 4
    alone = tmp_path / "alone"
    run(faces / "sad", "--to", "happy", "-o", alone)
    assert tree(alone)["happy/4.png"] == pictures["happy/4.s1.png"]
    with Image.open(tmp_path / "out-sheet.png") as sheet:
        assert sheet.width == 5 * 96


def test_a_seed_gives_the_same_samples_again(run: Run, faces: Path, tmp_path: Path) -> None:
    words = (faces, "--to", "all", "--samples", "3")
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        run(*words, "-o", tmp_path / name, "--seed", seed)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert tree(tmp_path / "a") != tree(tmp_path / "c")
    other = run(*words, "-o", tmp_path / "a")
    assert other.exit_code == 2
    assert "another --seed" in other.stderr


def test_the_best_try_is_the_one_that_the_judge_is_surest_of(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    run(faces, "--to", "happy,sad", "-o", tmp_path / "all", "--samples", "6")
    run(faces, "--to", "happy,sad", "-o", tmp_path / "best", "--best-of", "3", "--samples", "2")
    every = {(r["source"], r["target"], int(r["sample"])): r for r in rows(tmp_path / "all")}
    assert len(rows(tmp_path / "best")) == 28
    for row in rows(tmp_path / "best"):
        tries = range(3 * int(row["sample"]) - 2, 3 * int(row["sample"]) + 1)
        sure = [float(every[row["source"], row["target"], n][f"p_{row['target']}"]) for n in tries]
        assert float(row[f"p_{row['target']}"]) == max(sure)
        kept = tries[int(np.argmax(sure))]
        picture = every[row["source"], row["target"], kept]["output"]
        assert tree(tmp_path / "best")[row["output"]] == tree(tmp_path / "all")[picture]


def test_a_name_that_looks_like_a_sample_stays_apart(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate(("a.png", "a.bmp", "a.s2.png", "a.s2.bmp")):
        Image.fromarray(pictures.draw_face(number, 0)).save(folder / name)
    words = (folder, "--to", "sad", "--samples", "2", "--strength", "0.5", "--strength", "1")
    run(*words, "-o", tmp_path / "whole")
    outputs = [row["output"] for row in rows(tmp_path / "whole")]
    assert len(set(outputs)) == 16
    run(*words, "-o", tmp_path / "halves", "--limit", "2")
    run(*words, "-o", tmp_path / "halves")
    assert tree(tmp_path / "halves") == tree(tmp_path / "whole")


@pytest.mark.parametrize("target", EMOTIONS)
def test_a_style_has_a_trace_of_one_other_expression(target: str) -> None:
    k = EMOTIONS.index(target)
    assert conditions.label_row(target, 0, 5).tolist() == [float(i == k) for i in range(7)]
    styled = [conditions.label_row(target, n, 5) for n in range(1, 7)]
    for row in styled:
        assert row.sum() == pytest.approx(1)
        assert np.count_nonzero(row) == 2
        assert conditions.TRACE[0] <= row.sum() - row[k] <= conditions.TRACE[1]
    traces = {int(np.delete(np.arange(7), k)[np.delete(row, k).argmax()]) for row in styled}
    assert traces == set(range(7)) - {k}
