"""Writing only some of the results, always the same ones."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.outputs.folder import OWNER
from cctranslate.batch.report.row import Disposition
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.emotions import EMOTIONS
from cctranslate.inference.variants import Plan
from cctranslate.pixels import Floats
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, timeless, tree


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Forty faces; the judge takes each third for neutral, whatever is done to it."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(40):
        face = pictures.draw_face(number % 7, number)
        if number % 3 == 0:
            face = np.full((48, 48), 255, np.uint8)
        Image.fromarray(face).save(folder / f"{number:02}.png")
    return folder


def test_what_is_not_confirmed_has_a_row_and_no_file(run: Run, mixed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(mixed, "--to", "happy,neutral", "-o", out, "--confirmed-only")
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert len(found) == 80
    for row in found:
        assert row["status"] == "done"
        assert (row["confirmed"] == "true") == bool(row["output"])
        assert row["reason"] == ("" if row["output"] else "not written: not confirmed")
        assert row["disposition"] == ("written" if row["output"] else "dropped")
    assert set(tree(out)) == {row["output"] for row in found if row["output"]}
    assert len(list((out / "happy").iterdir())) == 26


def test_an_expression_that_is_never_confirmed_has_no_folder(run: Run, tmp_path: Path) -> None:
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(tmp_path / "bright.png")
    out = tmp_path / "out"
    assert (
        run(tmp_path / "bright.png", "--to", "happy", "-o", out, "--confirmed-only").exit_code == 0
    )
    assert not (out / "happy").exists()


def test_a_run_ends_when_each_class_has_its_quota(run: Run, mixed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = (mixed, "--to", "happy,neutral", "-o", out, "--confirmed-only", "--per-class", "4")
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "each expression has its --per-class 4" in result.stderr
    found = rows(out)
    assert Counter(row["target"] for row in found if row["output"]) == {"happy": 4, "neutral": 4}
    happy = [row["output"] for row in found if row["target"] == "happy" and row["output"]]
    assert happy == [f"happy/{n}.png" for n in ("01", "02", "04", "05")]
    assert found[-1]["source"].endswith("05.png"), "what comes after is left alone"
    assert found[-1]["reason"] == "not written: the target has its --per-class results"
    assert found[-1]["disposition"] == "over_quota"
    assert json.loads((out / "run.json").read_text())["finished"] is True
    before = rows(out)
    assert run(*words).exit_code == 0
    assert rows(out) == before


def test_workers_and_batches_do_not_change_what_is_written(
    run: Run, mixed: Path, tmp_path: Path
) -> None:
    words = (mixed, "--to", "happy,sad", "--confirmed-only", "--per-class", "9")
    run(*words, "-o", tmp_path / "one", "--workers", "1", "--batch-size", "1")
    run(*words, "-o", tmp_path / "many", "--workers", "8", "--batch-size", "7")
    assert timeless(tmp_path / "one") == timeless(tmp_path / "many")
    assert tree(tmp_path / "one") == tree(tmp_path / "many")


def test_a_name_without_a_file_stays_taken(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(folder / "x.bmp")
    Image.fromarray(pictures.draw_face(3, 0)).save(folder / "x.png")
    words = (folder, "--to", "happy", "--confirmed-only")
    run(*words, "-o", tmp_path / "whole")
    assert list(tree(tmp_path / "whole")) == ["happy/x~2.png"]
    run(*words, "-o", tmp_path / "halves", "--limit", "1")
    run(*words, "-o", tmp_path / "halves")
    assert tree(tmp_path / "halves") == tree(tmp_path / "whole")


def test_a_run_with_another_quota_is_refused(run: Run, mixed: Path, tmp_path: Path) -> None:
    run(mixed, "--to", "happy", "-o", tmp_path / "out", "--per-class", "3")
    other = run(mixed, "--to", "happy", "-o", tmp_path / "out", "--per-class", "4")
    assert other.exit_code == 2
    assert "another --per-class" in other.stderr


def kept_apart(aside: Path) -> dict[str, bytes]:
    """The results in a folder of the unconfirmed, which says, hidden, whose it is."""
    return {name: content for name, content in tree(aside).items() if name != OWNER}


def test_what_is_not_confirmed_goes_elsewhere(run: Run, mixed: Path, tmp_path: Path) -> None:
    whole, out, aside = tmp_path / "whole", tmp_path / "out", tmp_path / "aside"
    words = (mixed, "--to", "happy,neutral")
    run(*words, "-o", whole)
    result = run(*words, "-o", out, "--unconfirmed-to", aside)
    assert result.exit_code == 0, result.output
    assert {row["confirmed"] for row in rows(out)} == {"true", "false"}
    for row, other in zip(rows(out), rows(whole), strict=True):
        denied = row["confirmed"] == "false"
        assert row["output"] == ("../aside/" if denied else "") + other["output"]
        assert row["reason"] == ("not confirmed" if denied else "")
        assert (out / row["output"]).read_bytes() == (whole / other["output"]).read_bytes()
    assert len(tree(out)) + len(kept_apart(aside)) == 80
    shown = (out / "report.html").read_text(encoding="utf-8")
    assert "../aside/happy/" in shown


def test_a_class_is_filled_with_the_confirmed(run: Run, mixed: Path, tmp_path: Path) -> None:
    out, aside = tmp_path / "out", tmp_path / "aside"
    words = (mixed, "--to", "happy", "-o", out, "--unconfirmed-to", aside, "--per-class", "4")
    run(*words)
    first = rows(out)
    assert len(list((out / "happy").iterdir())) == 4
    # What a call that goes on counts as written are the confirmed ones, too.
    report = out / "report.csv"
    report.write_text("".join(report.read_text().splitlines(keepends=True)[:4]))
    run(*words)
    assert timeless(out) == [{**row, "ms": ""} for row in first]


def test_the_folder_of_the_unconfirmed_is_the_runs_own(
    run: Run, mixed: Path, tmp_path: Path
) -> None:
    out, aside = tmp_path / "out", tmp_path / "aside"
    words = (mixed, "--to", "happy", "-o", out, "--unconfirmed-to", aside)
    (aside / "happy").mkdir(parents=True)
    (aside / "happy" / "mine.png").write_bytes(b"mine")
    for overwrite in ((), ("--overwrite",)):
        result = run(*words, *overwrite)
        assert result.exit_code == 2
        assert "not from the run" in result.output
    (aside / "happy" / "mine.png").unlink()
    (aside / "happy").rmdir()
    run(*words)
    before = kept_apart(aside)
    assert before
    assert run(*words, "--overwrite").exit_code == 0
    assert kept_apart(aside) == before


def test_two_runs_share_no_folder_of_the_unconfirmed(run: Run, mixed: Path, tmp_path: Path) -> None:
    first, second, aside = tmp_path / "first", tmp_path / "second", tmp_path / "aside"
    words = (mixed, "--to", "happy", "--unconfirmed-to", aside)
    shutil.copy(mixed / "01.png", mixed / "+.png")
    assert run(*words, "-o", first, "--limit", "1").exit_code == 0
    assert not kept_apart(aside)  # nothing was denied yet, and it is the first one's all the same
    for more in ((), ("--overwrite",)):
        result = run(*words, "-o", second, *more)
        assert result.exit_code == 2
        assert "not from the run" in result.output
    assert run(*words, "-o", first).exit_code == 0
    before = kept_apart(aside)
    assert before
    shutil.rmtree(first)
    for out in (first, second):
        assert run(*words, "-o", out).exit_code == 2
        assert kept_apart(aside) == before
    shutil.rmtree(aside / "happy")
    assert run(*words, "-o", second).exit_code == 0
    assert kept_apart(aside) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--confirmed-only", "--unconfirmed-to", "aside"),
        ("--layout", "webdataset", "--unconfirmed-to", "aside"),
        ("--unconfirmed-to", "out/aside"),
    ],
)
def test_no_folder_for_the_unconfirmed(
    words: tuple[str, ...],
    run: Run,
    mixed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(mixed, "--to", "happy", "-o", "out", *words)
    assert result.exit_code == 2
    assert "--unconfirmed-to" in result.output
    assert not (tmp_path / "out").exists()


def judged(*targets: str) -> Floats:
    """Probabilities [V,7], each sure of one expression."""
    return np.eye(7, dtype=np.float32)[[EMOTIONS.index(target) for target in targets]]


@pytest.mark.parametrize(
    ("unconfirmed_disposition", "dispositions"),
    [
        (Disposition.WRITTEN, (Disposition.WRITTEN, Disposition.WRITTEN)),
        (Disposition.DROPPED, (Disposition.WRITTEN, Disposition.DROPPED)),
        (Disposition.SET_ASIDE, (Disposition.WRITTEN, Disposition.SET_ASIDE)),
    ],
)
def test_an_unconfirmed_result_gets_the_disposition_of_the_options(
    unconfirmed_disposition: Disposition, dispositions: tuple[Disposition, ...]
) -> None:
    selector = ResultSelector(Plan(targets=("happy", "sad")), unconfirmed_disposition, None, {})
    assert selector.choose(judged("happy", "happy"), shows_face=True) == dispositions


def test_a_quota_counts_earlier_results_and_no_unconfirmed_ones() -> None:
    plan = Plan(targets=("happy", "sad"))
    selector = ResultSelector(plan, Disposition.DROPPED, 2, {"happy": 1})
    written, dropped, over = Disposition.WRITTEN, Disposition.DROPPED, Disposition.OVER_QUOTA
    chosen = [selector.choose(judged("happy", p), shows_face=True) for p in ("fear", "sad", "sad")]
    assert chosen == [(written, dropped), (over, written), (over, written)]
    assert selector.full
