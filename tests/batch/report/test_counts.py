"""Bars for a run, and doing again what failed."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.report.counts import Counts, too_many_failed
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


def test_a_missed_fraction_is_exit_5_and_named(run: Run, faces: Path, tmp_path: Path) -> None:
    bright = np.full((48, 48), 255, np.uint8)
    Image.fromarray(bright).save(faces / "bright.png")  # the judge says neutral, whatever is done
    words = (faces, "--to", "happy,neutral", "-o", tmp_path / "out")
    missed = run(*words, "--min-confirmed", "0.9")
    assert missed.exit_code == 5, missed.output
    assert "happy: 87.5% confirmed, --min-confirmed 0.9" in missed.stderr
    assert "neutral: " not in missed.stderr
    assert run(*words, "--min-confirmed", "0.87").exit_code == 0
    assert json.loads((tmp_path / "out" / "run.json").read_text())["finished"] is True


def spoil(folder: Path, count: int) -> Path:
    """A folder whose first `count` pictures are broken, before 40 good ones."""
    folder.mkdir()
    for number in range(count):
        (folder / f"a{number:02}.png").write_bytes(b"broken")
    for number in range(40):
        Image.fromarray(pictures.draw_face(number % 7, number)).save(folder / f"b{number:02}.png")
    return folder


def test_too_many_failures_stop_the_run(run: Run, tmp_path: Path) -> None:
    words = (spoil(tmp_path / "in", 3), "--to", "sad", "-o", tmp_path / "out")
    small = ("--batch-size", "1", "--workers", "1")
    stopped = run(*words, *small, "--max-failures", "2")
    assert stopped.exit_code == 5, stopped.output
    assert "3 failed, --max-failures 2" in stopped.stderr
    assert 3 <= len(rows(tmp_path / "out")) < 43
    assert json.loads((tmp_path / "out" / "run.json").read_text())["finished"] is False
    before = rows(tmp_path / "out")
    assert run(*words, "--max-failures", "2").exit_code == 5
    assert rows(tmp_path / "out") == before
    assert run(*words, "--max-failures", "3").exit_code == 1
    assert len(rows(tmp_path / "out")) == 43


@pytest.mark.parametrize("words", [("--workers", "1"), ("--workers", "2"), ("--threads",)])
def test_few_more_inputs_are_done_after_too_many_have_failed(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A chunk ends at the fourth of its failures, and at most four chunks are in flight."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(300):
        path = folder / f"{number:03}.png"
        if number % 2:
            path.write_bytes(b"\x89PNG\r\n")
        else:
            Image.fromarray(pictures.draw_face(number % 7, number)).save(path)
    out = tmp_path / "out"
    stopped = run(folder, "--to", "sad", "-o", out, "--max-failures", "3", *words)
    assert stopped.exit_code == 5, stopped.output
    found = rows(out)
    assert 8 <= len(found) <= 40
    assert {f"{number:03}.png" for number in range(8)} <= {Path(r["source"]).name for r in found}
    results = {row["output"] for row in found if row["output"]}
    assert results == {p.relative_to(out).as_posix() for p in (out / "sad").iterdir()}
    assert run(folder, "--to", "sad", "-o", out).exit_code == 1
    assert len(rows(out)) == 300


@pytest.mark.parametrize(("limit", "code"), [("6.9%", 5), ("7%", 1), ("0%", 5), ("0", 5)])
def test_a_percentage_of_failures_is_of_all_inputs_that_ended(
    run: Run, tmp_path: Path, limit: str, code: int
) -> None:
    words = (spoil(tmp_path / "in", 3), "--to", "sad", "-o", tmp_path / "out")
    assert run(*words, "--max-failures", limit).exit_code == code  # 3 of 43 are 6.98%


def test_a_percentage_counts_only_once_enough_inputs_have_ended() -> None:
    counts = Counts()
    counts.inputs.update(failed=50, done=49)
    assert not too_many_failed(counts, "1%", ended=False)
    assert too_many_failed(counts, "1%", ended=True)
    counts.inputs.update(done=1)
    assert too_many_failed(counts, "49.9%", ended=False)
    assert not too_many_failed(counts, "50%", ended=False)


@pytest.mark.parametrize(
    "words",
    [
        ("--max-failures", "-1"),
        ("--max-failures", "many"),
        ("--min-confirmed", "nan"),
        ("--min-confidence", "nan"),
        ("--overwrite", "--retry-failed"),
    ],
)
def test_impossible_values_and_options_are_named(
    run: Run, faces: Path, words: tuple[str, ...]
) -> None:
    result = run(faces, "--to", "sad", *words)
    assert result.exit_code == 2
    assert all(word in result.stderr for word in words)


@pytest.mark.parametrize("more", [(), ("--retry-failed",)])
def test_a_failed_input_is_done_again_after_it_is_mended(
    run: Run, tmp_path: Path, more: tuple[str, ...]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = ("x.bmp", "x.gif", "x.png", "y.png")
    for number, name in enumerate(names):
        Image.fromarray(pictures.draw_face(number, 0)).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    run(folder, "--to", "happy,sad", "-o", tmp_path / "whole")
    mended = {name: (folder / name).read_bytes() for name in ("x.bmp", "y.png")}
    for name in mended:
        (folder / name).write_bytes(b"broken")
    out = tmp_path / "out"
    words = (folder, "--to", "happy,sad", "-o", out)
    assert run(*words).exit_code == 1
    assert run(*words).exit_code == 1, "what did not change stays failed"
    for name, content in mended.items():
        (folder / name).write_bytes(content)
    again = run(*words, *more)
    assert again.exit_code == 0, again.output
    assert tree(out) == tree(tmp_path / "whole")

    def sorted_rows(place: Path) -> list[dict[str, str]]:
        found = [{**row, "ms": "", "source_mtime_ns": ""} for row in rows(place)]
        return sorted(found, key=lambda row: (row["source"], row["target"]))

    assert sorted_rows(out) == sorted_rows(tmp_path / "whole")


def test_an_input_that_fails_again_has_one_row(run: Run, tmp_path: Path) -> None:
    words = (spoil(tmp_path / "in", 2), "--to", "sad", "-o", tmp_path / "out")
    run(*words)
    assert run(*words, "--retry-failed").exit_code == 1
    found = [row["source"] for row in rows(tmp_path / "out")]
    assert len(found) == len(set(found)) == 42
