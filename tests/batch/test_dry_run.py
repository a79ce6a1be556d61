"""`--dry-run` says what a call would do, and refuses what it would refuse."""

from pathlib import Path

import pytest

from tests.support.cli import Run
from tests.support.pictures import write_many
from tests.support.reports import tree


def test_each_result_is_listed_and_those_that_exist_are_marked(run: Run, tmp_path: Path) -> None:
    folder, out = write_many(tmp_path / "in", 2), tmp_path / "out"
    run(folder, "--to", "sad", "-o", out)
    before = tree(tmp_path)
    result = run(folder, "--to", "happy,sad", "-o", out, "--dry-run")
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in folder.iterdir())
    assert result.stdout.splitlines() == [
        line
        for name in names
        for line in (
            f"{folder / name}\t{out / 'happy' / name}",
            f"{folder / name}\t{out / 'sad' / name} (there already)",
        )
    ]
    assert "2 inputs to happy, sad" in result.stderr
    assert "4 results, 2 of them there already; nothing was written" in result.stderr
    assert tree(tmp_path) == before


def test_it_refuses_what_the_run_would_refuse(run: Run, tmp_path: Path) -> None:
    folder, out = write_many(tmp_path / "in", 1), tmp_path / "out"
    run(folder, "--to", "sad", "-o", out)
    other = run(folder, "--to", "sad", "--samples", "2", "-o", out, "--dry-run")
    assert other.exit_code == 2
    assert "another --samples" in other.stderr
    strangers = run(folder, "--to", "sad", "-o", folder.parent, "--dry-run")
    assert strangers.exit_code == 2


@pytest.mark.parametrize("layout", ["webdataset", "fer-csv"])
def test_results_that_exist_in_tars_and_tables_are_marked(
    run: Run, tmp_path: Path, layout: str
) -> None:
    folder, out = write_many(tmp_path / "in", 1), tmp_path / "out"
    words = (folder, "--layout", layout, "--samples", "2", "-o", out)
    run(*words, "--to", "sad")
    (name,) = folder.iterdir()
    result = run(*words, "--to", "happy,sad", "--dry-run")
    places = [
        f"{out / '*.tar'}:{target}/{name.stem}-s{sample}.png"
        if layout == "webdataset"
        else str(out / "fer2013.csv")
        for target in ("happy", "sad")
        for sample in (1, 2)
    ]
    there = ["", "", " (there already)", " (there already)"]
    assert result.stdout.splitlines() == [
        f"{name}\t{place}{mark}" for place, mark in zip(places, there, strict=True)
    ]
    assert "4 results, 2 of them there already; nothing was written" in result.stderr


def test_one_file_and_stdout_are_where_results_would_go(run: Run, tmp_path: Path) -> None:
    (name,) = write_many(tmp_path / "in", 1).iterdir()
    path = tmp_path / "happy.jpg"
    words = (name, "--to", "happy", "--dry-run", "-o")
    assert run(*words, path).stdout == f"{name}\t{path}\n"
    assert run(*words, "-").stdout == f"{name}\t-:happy/{name.stem}.png\n"
    run(name, "--to", "happy", "-o", path)
    assert run(*words, path).stdout == f"{name}\t{path} (there already)\n"
