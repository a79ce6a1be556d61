"""Scores of a blind panel from its raters' files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cctranslate.errors import DataError
from tests.bench.panel_score import agreement, read_ratings, read_table, summarize
from tests.bench.panel_tests.command import run

KEY = "id,kind,target,row\n1,real,happy,1\n2,real,sad,2\n3,result,happy,3\n4,result,fear,4\n"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.csv"
    path.write_text(KEY)
    return path


def rater(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(("id,expression,natural", *lines)) + "\n")
    return path


def test_figures_count_faces_and_raters_alike(key: Path, tmp_path: Path) -> None:
    first = rater(tmp_path, "a.csv", "1,happy,1", "2,sad,1", "3,happy,1", "4,fear,0")
    second = rater(tmp_path, "b.csv", "4,sad,0", "3, Happy ,0", "2,sad,1", "1,angry,0")
    truth = read_table(key, ["kind", "target", "row"])
    table = summarize(truth, [read_ratings(path, truth) for path in (first, second)])
    figures = {
        group: [table.loc[group, name][0] for name in ("read", "natural", "accept")]
        for group in table.index
    }
    assert figures[("real", "all")] == [0.75, 0.75, 0.75]
    assert figures[("real", "happy")] == [0.5, 0.5, 0.5]
    assert figures[("result", "happy")] == [1, 0.5, 0.5]
    assert figures[("result", "fear")] == [0.5, 0, 0]
    assert figures[("result", "all")] == [0.75, 0.25, 0.25]
    assert table.loc[("result", "all"), "read/real"][0] == 1
    assert table.loc[("result", "all"), "natural/real"][0] == pytest.approx(1 / 3)
    assert table.loc[("result", "fear"), "accept/real"][0] == 0
    printed = run("score", key, first, second)
    assert printed.exit_code == 0, printed.output
    assert "result fear          1  0.50 [0.50 0.50]  0.00 [0.00 0.00]" in printed.stdout
    assert "agree on natural in 50%, kappa 0.20" in printed.stdout
    assert "nan" not in printed.stdout.lower()


def test_intervals_are_as_wide_as_the_binomial_spread(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    natural = random.permutation([1] * 60 + [0] * 140)
    truth = pd.DataFrame(
        {"kind": ["real"] * 100 + ["result"] * 100, "target": ["happy"] * 200},
        index=pd.Index([str(i) for i in range(200)], name="id"),
    )
    one = pd.DataFrame({"expression": "happy", "natural": natural}, index=truth.index)
    figure, low, high = summarize(truth, [one, one]).loc[("result", "happy"), "natural"]
    assert figure == natural[100:].mean()
    # Two raters who agree are no more faces than one.
    spread = 1.96 * np.sqrt(figure * (1 - figure) / 100)
    assert (low, high) == pytest.approx((figure - spread, figure + spread), abs=0.03)


def test_agreement_beyond_chance() -> None:
    a, b = pd.Series([1, 1, 0, 0]), pd.Series([1, 0, 0, 0])
    assert agreement(a, a) == (1, 1)
    assert agreement(a, b) == pytest.approx((0.75, 0.5))
    same, kappa = agreement(a * 0, a * 0)
    assert same == 1
    assert np.isnan(kappa)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("1,happy,1", "2,sad,1", "3,happy,1"), "id 4 is not rated"),
        (("1,happy,1", "2,sad,1", "3,happy,1", "4,sad,1", "5,sad,1"), "id 5 is not on the sheets"),
        (("1,happy,1", "2,sad,1", "3,happy,1", "4,sad,1", "4,sad,1"), "id 4 is there twice"),
        (("1,happy,1", "2,sad,1", "3,joy?,1", "4,sad,1"), "id 3: expression is 'joy?'"),
        (("1,happy,1", "2,sad,1", "3,happy,", "4,sad,1"), "id 3: natural is ''"),
        (("1,happy,1", "2,sad,1", "3,happy,1,x,y", "4,sad,1"), "ratings.csv"),
    ],
)
def test_a_bad_rating_is_named(
    lines: tuple[str, ...], reason: str, key: Path, tmp_path: Path
) -> None:
    truth = read_table(key, ["kind", "target", "row"])
    with pytest.raises(DataError) as caught:
        read_ratings(rater(tmp_path, "ratings.csv", *lines), truth)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_ratings_are_named(key: Path, tmp_path: Path) -> None:
    truth = read_table(key, ["kind", "target", "row"])
    for path in (tmp_path / "none.csv", key, tmp_path):
        with pytest.raises(DataError, match=path.name):
            read_ratings(path, truth)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DataError, match=r"empty\.csv"):
        read_ratings(tmp_path / "empty.csv", truth)


def test_one_rater_is_not_enough(key: Path, tmp_path: Path) -> None:
    result = run("score", key, rater(tmp_path, "a.csv"))
    assert result.exit_code == 2
    assert "two raters" in result.stderr
