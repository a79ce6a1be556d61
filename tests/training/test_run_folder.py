"""Names of run folders."""

from pathlib import Path

from cctranslate.training.run_folder import (
    latest_folder,
    next_folder,
)


def test_run_folders_are_numbered_past_999(tmp_path: Path) -> None:
    for name in ("999-t26", "1000-t26", "1001-flow", "notes"):
        (tmp_path / name).mkdir()
    assert latest_folder(tmp_path, "t26").name == "1000-t26"
    assert next_folder(tmp_path, "t26").name == "1002-t26"
