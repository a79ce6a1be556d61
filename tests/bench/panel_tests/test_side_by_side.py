"""Pairs of two runs' results, and how raters' answers are counted."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cctranslate.emotions import EMOTIONS
from tests.bench import side_by_side
from tests.bench.side_by_side import GAP, SIDE
from tests.support import pictures
from tests.support.cli import Run

BRIGHT = 235


def run_bench(*words: str | Path) -> Result:
    return CliRunner().invoke(side_by_side.main, [str(word) for word in words])


@pytest.fixture
def runs(run: Run, tmp_path: Path) -> tuple[Path, Path]:
    """Two runs over three faces, of which the second has bright results."""
    faces = pictures.write_many(tmp_path / "faces", 3)
    for out in ("one", "other"):
        assert run(faces, "--to", "all", "-o", tmp_path / out).exit_code == 0
    for emotion in EMOTIONS:
        for path in (tmp_path / "other" / emotion).iterdir():
            Image.new("L", (48, 48), BRIGHT).save(path)
    return tmp_path / "one", tmp_path / "other"


def is_bright(sheet: Path, place: int, side: int) -> bool:
    """Whether the left (0) or right (1) picture of a sheet's pair is of the second run."""
    x = place % 2 * 2 * (SIDE + GAP) + side * (SIDE + 4)
    y = place // 2 * (SIDE + 2 * GAP) + GAP
    with Image.open(sheet) as picture:
        return picture.convert("L").crop((x, y, x + SIDE, y + SIDE)).getextrema() == (BRIGHT,) * 2


def test_the_key_knows_which_side_is_which_and_answers_are_counted(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    sheets, key_path = tmp_path / "sheets", tmp_path / "key.csv"
    made = run_bench("make", *runs, sheets, key_path)
    assert made.exit_code == 0, made.output
    key = pd.read_csv(key_path, index_col="id")
    assert 2 * len(EMOTIONS) <= len(key) <= 3 * (len(EMOTIONS) - 1), "not what sources show"
    assert set(key["left"]) == {"one", "other"}
    for number, left in key["left"].items():
        place = (int(str(number)) - 1) % 6
        sheet = sheets / f"sheet-{(int(str(number)) - 1) // 6 + 1:02}.png"
        sides = [is_bright(sheet, place, side) for side in (0, 1)]
        assert sides == [left == "other", left == "one"]

    ratings = pd.read_csv(sheets / "ratings.csv", index_col="id", dtype=object)
    ratings["natural"] = ["left" if left == "other" else "right" for left in key["left"]]
    ratings["shows"] = "same"
    ratings.to_csv(tmp_path / "rated.csv")
    scored = run_bench("score", key_path, tmp_path / "rated.csv", tmp_path / "rated.csv")
    assert scored.output.splitlines() == [
        f"natural: one 0, other {2 * len(key)}, same 0",
        f"shows: one 0, other 0, same {2 * len(key)}",
    ]


def test_what_is_no_answer_is_named(runs: tuple[Path, Path], tmp_path: Path) -> None:
    run_bench("make", *runs, tmp_path / "sheets", tmp_path / "key.csv")
    scored = run_bench("score", tmp_path / "key.csv", tmp_path / "sheets" / "ratings.csv")
    assert "id 1: natural is '', expected left, right or same" in str(scored.exception)


def test_runs_that_do_not_differ_make_no_sheet(runs: tuple[Path, Path], tmp_path: Path) -> None:
    made = run_bench("make", runs[0], runs[0], tmp_path / "sheets", tmp_path / "key.csv")
    assert "no face that both changed" in str(made.exception)
    inside = run_bench("make", *runs, tmp_path / "sheets", tmp_path / "sheets" / "key.csv")
    assert inside.exit_code == 2
    assert "which raters see" in inside.output
