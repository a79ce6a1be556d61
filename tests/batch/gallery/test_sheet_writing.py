"""The contact sheet lies beside OUT, in a folder that may not be there for writing."""

import os
from pathlib import Path

import pytest

from tests.support.cli import Run
from tests.support.reports import rows


def test_a_sheet_that_cannot_be_written_is_a_warning(run: Run, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "out-sheet.png").mkdir()  # as a folder to mount OUT in cannot be written to
    result = run(faces, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    (warning,) = [line for line in result.output.splitlines() if line.startswith("warning: ")]
    assert warning.startswith(f"warning: {tmp_path / 'out-sheet.png'}: cannot be written: ")
    assert warning.endswith(": name a --sheet, or leave it out by --no-sheet")
    assert "7 inputs: 7 done" in result.output
    assert len(rows(tmp_path / "out")) == 7
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_sheet_on_a_full_disk_needs_room_alone(run: Run, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "out-sheet.png").symlink_to("/dev/full")
    result = run(faces, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    advice = "No space left on device: make room, then run the same command again\n"
    assert f"out-sheet.png: cannot be written: {advice}" in result.output


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize(("option", "name"), [("--sheet", "s.png"), ("--report", "r.csv")])
def test_a_file_that_cannot_be_written_is_refused_at_once(
    run: Run, faces: Path, tmp_path: Path, option: str, name: str
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    words = (option, tmp_path / "closed" / name)
    result = run(faces, "--to", "sad", "-o", tmp_path / "out", *words)
    assert result.exit_code == 2
    assert "the folder cannot be written to: name another place" in result.output
    assert not (tmp_path / "out").exists()
