"""A second call adds to OUT: expressions, inputs, what changed and what is missing."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cctranslate.batch.items import Item
from cctranslate.batch.report.formats import read_inputs
from cctranslate.batch.report.resume import ResumeState
from cctranslate.emotions import EMOTIONS
from tests.support.cli import Run
from tests.support.pictures import draw_face
from tests.support.reports import rows, timeless, tree

LAYOUTS = ("imagefolder", "tree", "webdataset", "fer-csv")


def pictures(out: Path) -> dict[str, Any]:
    """Return the files of OUT but run.json and the page, which have times in them."""
    return {k: v for k, v in tree(out).items() if k not in ("run.json", "report.html")}


@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_one_expression_after_the_other_is_as_both_at_once(
    run: Run, faces: Path, tmp_path: Path, layout: str
) -> None:
    words = (faces, "--layout", layout, "-o")
    for target in ("sad", "happy"):
        assert run(*words, tmp_path / "out", "--to", target).exit_code == 0
    assert run(*words, tmp_path / "both", "--to", "happy,sad").exit_code == 0
    assert timeless(tmp_path / "out") == timeless(tmp_path / "both")
    assert pictures(tmp_path / "out") == pictures(tmp_path / "both")
    asked = json.loads((tmp_path / "out" / "run.json").read_text())["asked"]
    assert asked["--to"] == ["happy", "sad"]


@pytest.mark.parametrize("seconds", [-86400, -1, 9_300_000_000, 12_000_000_000])
def test_files_from_before_1970_or_after_2262_are_gone_on_from(
    run: Run, faces: Path, tmp_path: Path, seconds: int
) -> None:
    words = (faces, "--to", "happy", "-o", tmp_path / "out")
    picture = faces / "sad" / "4.png"
    os.utime(picture, ns=(0, seconds * 1_000_000_000 + 5))
    assert run(*words, "--report", tmp_path / "copy.parquet").exit_code == 0
    again = run(*words)
    assert "0 in this call" in again.output, again.output
    os.utime(picture, ns=(0, -7))
    assert "1 in this call" in run(*words).output


@pytest.mark.parametrize("layout", LAYOUTS[2:])
def test_an_expression_is_added_to_tars_and_tables(
    run: Run, faces: Path, tmp_path: Path, layout: str
) -> None:
    out, words = tmp_path / "out", (faces, "--layout", layout, "-o", tmp_path / "out")
    assert run(*words, "--to", "happy").exit_code == 0
    before = rows(out)
    assert run(*words, "--to", "sad").exit_code == 0
    assert run(*words, "--to", "happy,sad").exit_code == 0
    found = rows(out)
    assert [row for row in found if row["target"] == "happy"] == [
        {**row, "results_per_face": "2"} for row in before
    ]
    assert len(found) == 2 * len(before)
    outputs = [row["output"] for row in found]
    assert len(set(outputs)) == len(outputs)
    assert [row["target"] for row in found[:2]] == ["happy", "sad"]


def test_a_quota_is_filled_for_each_expression(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for target in ("happy", "sad"):
        result = run(faces, "--to", target, "--per-class", "2", "-o", out)
        assert result.exit_code == 0, result.output
    written = [row["target"] for row in rows(out) if row["output"]]
    assert sorted(written) == ["happy", "happy", "sad", "sad"]


@pytest.mark.parametrize("spelled", ["{}", "{}/", "./{}", "{}/../{}", "{}/*.png", "link", "up/{}"])
def test_a_folder_is_one_however_it_is_spelled(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("link").symlink_to("in")
    Path("up").symlink_to(tmp_path)
    Image.fromarray(draw_face(3, 0)).save("in/a.png")
    assert run("in", "--to", "happy", "-o", "out").exit_code == 0
    Image.fromarray(draw_face(4, 0)).save("in/b.png")
    for words in (spelled.replace("{}", "in"), str(tmp_path / "in")):
        assert run(words, "--to", "happy", "-o", "out").exit_code == 0
    assert [Path(row["source"]).name for row in rows(Path("out"))] == ["a.png", "b.png"]
    assert sorted(path.name for path in Path("out/happy").iterdir()) == ["a.png", "b.png"]


def test_linked_folders_give_a_picture_once_and_linked_pictures_each(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to("in")
    Image.fromarray(draw_face(3, 0)).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").symlink_to("a.png")
    out = tmp_path / "out"
    assert run(tmp_path / "in", tmp_path / "link", "--to", "happy", "-o", out).exit_code == 0
    assert [Path(row["source"]).name for row in rows(out)] == ["a.png", "b.png"]


def test_another_input_is_added(run: Run, faces: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    Image.fromarray(draw_face(5, 0)).save(more / "new.png")
    out = tmp_path / "out"
    assert run(faces, "--to", "happy", "-o", out).exit_code == 0
    count = len(rows(out))
    assert run(more, "--to", "happy", "-o", out).exit_code == 0
    assert len(rows(out)) == count + 1


def test_results_of_a_changed_source_are_made_again_for_the_calls_targets(
    run: Run, tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    Image.fromarray(draw_face(0, 0)).save(folder / "a.png")
    run(folder, "--to", "happy,sad", "-o", out)
    Image.fromarray(draw_face(6, 0)).save(folder / "a.png")
    os.utime(folder / "a.png", ns=(1, 1))
    assert run(folder, "--to", "sad", "-o", out).exit_code == 0
    assert [row["target"] for row in rows(out)] == ["sad"], "a stale smile is none of this face"
    assert not (out / "happy" / "a.png").exists()
    assert run(folder, "--to", "happy", "-o", out).exit_code == 0
    assert [row["target"] for row in rows(out)] == ["happy", "sad"]


def test_a_result_that_was_altered_is_left_and_named(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out)
    altered = next((out / "happy").iterdir())
    altered.write_bytes(b"mine now")
    result = run(faces, "--to", "happy", "-o", out)
    assert altered.read_bytes() == b"mine now"
    assert "1 result was altered since" in result.stderr


def test_a_result_that_was_made_anew_leaves_the_others_done(run: Run, tmp_path: Path) -> None:
    """Rows of a second call, not yet joined with the first one's: as after a kill."""
    source, out = tmp_path / "a.png", tmp_path / "out"
    Image.fromarray(draw_face(3, 0)).save(source)
    run(source, "--to", "all", "-o", out)
    resume = ResumeState(
        EMOTIONS, base=Path.cwd(), is_there=lambda _: True, altered=(), position=lambda _: None
    )
    ((all_seven, _),) = read_inputs(out / "report.csv")
    resume.add_rows(all_seven)
    resume.add_rows([replace(all_seven[0], results_per_face=1)])
    item = Item(path=source, relative="a.png", named=True)
    remainder = resume.remainder(resume.key(str(source)), item)
    assert remainder is not None
    assert remainder.targets == ()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_report_that_lost_a_row_costs_no_result(
    run: Run, faces: Path, tmp_path: Path, layout: str
) -> None:
    out = tmp_path / "out"
    words = (faces, "--to", "sad,happy", "--layout", layout, "-o", out)
    assert run(*words).exit_code == 0
    report, before = out / "report.csv", tree(out)
    lines = report.read_text().splitlines(keepends=True)
    for lost in range(1, len(lines) - 2):
        report.write_text("".join(lines[:lost] + lines[lost + 1 :]))
        result = run(*words)
        assert result.exit_code == 2
        assert "rows are missing: start anew with --overwrite" in result.stderr
        report.write_text("".join(lines))
        assert tree(out) == before
