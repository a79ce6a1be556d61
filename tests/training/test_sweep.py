"""Recipes trained for as many images: the budget is met, rows are kept, the table has them."""

from dataclasses import replace
from pathlib import Path

import pytest

from cctranslate import bundle
from cctranslate.errors import DataError, RunError
from cctranslate.recipes.registry import find, override
from cctranslate.training import run_folder, sweep
from cctranslate.training.data import fer2013
from cctranslate.training.device import choose
from tests.support import pictures
from tests.support.training import log, needs_backbone


def make(tmp_path: Path, images: int) -> sweep.Sweep:
    return sweep.Sweep(
        root=tmp_path / "log",
        splits=fer2013.load(pictures.write_csv(tmp_path / "fer2013.csv", count=420)),
        votes=None,
        device=choose("cpu"),
        judge=bundle.shipped(),
        images=images,
        faces=30,
    )


def test_each_recipe_sees_as_many_images_whatever_its_faces(tmp_path: Path) -> None:
    asked = make(tmp_path, 192)
    rows = [sweep.train(asked, find(name)) for name in ("t5", "t4", "t24", "c1")]
    assert [row["steps"] for row in rows] == [3, 3, 3, 3]
    by_name = {row["recipe"]: row for row in rows}
    assert set(by_name) == {"t5", "t4", "t24", "c1"}
    assert all(0 <= by_name[name]["d_accuracy"] <= 1 for name in ("t5", "t4", "t24"))
    assert sum(map(sum, by_name["c1"]["confusion"])) == 105
    assert "accuracy" not in by_name["t5"]
    text = sweep.table(rows)
    assert len(text.splitlines()) == 6
    assert "| t24 | 3 |" in text


def test_t4_is_measured_on_its_two_expressions(tmp_path: Path) -> None:
    row = sweep.train(make(tmp_path, 64), find("t4"))
    targets = run_folder.read_json(tmp_path / "log" / "t4" / run_folder.MEASURED)["targets"]
    expected = (targets["happy"]["identity"] + targets["neutral"]["identity"]) / 2
    assert row["identity"] == pytest.approx(expected, abs=1e-4)


def test_the_accuracy_of_d_is_that_of_the_last_quarter(tmp_path: Path) -> None:
    """Nine steps have ticks after 2, 4, 6, 8 and 9: the last line alone is of one step."""
    row = sweep.train(make(tmp_path, 9 * 64), find("t22"))
    lines = log(tmp_path / "log" / "t22")
    assert [line["step"] for line in lines] == [2, 4, 6, 8, 9]
    late = 1.25 * lines[3]["d_accuracy"] + lines[4]["d_accuracy"]
    assert row["d_accuracy"] == pytest.approx(late / 2.25, abs=1e-5)


def test_data_without_public_test_is_refused_before_the_training(tmp_path: Path) -> None:
    asked = make(tmp_path, 64)
    with pytest.raises(DataError, match=r"no PublicTest rows"):
        replace(asked, splits={"Training": asked.splits["Training"]})


@needs_backbone
def test_a_row_says_that_its_backbone_was_random(tmp_path: Path) -> None:
    row = sweep.train(make(tmp_path, 64), override(find("c2"), backbone="random"))
    assert row["recipe"] == "c2 (backbone: random)"


def test_a_stored_row_is_returned_and_one_of_another_budget_refused(tmp_path: Path) -> None:
    row = sweep.train(make(tmp_path, 64), find("c1"))
    assert sweep.train(make(tmp_path, 64), find("c1")) == row
    with pytest.raises(RunError, match=r"c1: holds a row of another budget"):
        sweep.train(make(tmp_path, 128), find("c1"))


def test_rows_are_sorted_by_distance_with_those_that_have_none_last() -> None:
    rows: list[sweep.Row] = [{"fid": None}, {"fid": 2.0}, {"fid": 1.0}]
    assert [row["fid"] for row in sweep.by_distance(rows)] == [1.0, 2.0, None]
