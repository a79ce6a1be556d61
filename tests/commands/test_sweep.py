"""`cctranslate fit --sweep` as a user types it."""

from pathlib import Path

import pytest

from cctranslate.recipes.original import log_t1_to_t27 as original_log
from tests.support import pictures
from tests.support.cli import invoke


def test_a_sweep_ends_in_a_table_by_frechet_distance_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(original_log.SWEEPS, "t27", original_log.SWEEPS["t27"][:2])
    data = pictures.write_csv(tmp_path / "fer2013.csv", count=252)
    words = ("fit", "--data", data, "--sweep", "t27", "-o", tmp_path / "t27", "--device", "cpu")
    short = ("--batch-size", "8", "--epochs", "0.02")
    result = invoke(*words, *short)
    assert result.exit_code == 0, result.output
    head, _, *rows = ([cell.strip() for cell in r.split("|")[1:-1]] for r in _table(result.stdout))
    column = head.index("fid")
    distances = [float(row[column]) for row in rows]
    assert distances == sorted(distances)
    assert {row[0] for row in rows} == {recipe.name for recipe in original_log.SWEEPS["t27"]}
    logs = {path: path.stat().st_mtime_ns for path in (tmp_path / "t27").glob("*/log.jsonl")}
    again = invoke(*words, *short)
    assert again.stdout == result.stdout
    assert all(path.stat().st_mtime_ns == at for path, at in logs.items())
    other = invoke(*words, "--batch-size", "8", "--epochs", "0.04")
    assert other.exit_code == 2
    assert "holds a row of another budget" in other.stderr


def _table(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]
