"""Runs and a bundle that the training commands made of drawn faces."""

from pathlib import Path

import pytest

from tests.support import pictures
from tests.support.cli import invoke


@pytest.fixture(scope="session")
def trained_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, runs of judge, witness and t26, and the bundle of all three."""
    root = tmp_path_factory.mktemp("runs")
    data = pictures.write_csv(root / "fer2013.csv", count=252)
    short = ("--batch-size", "8", "--epochs", "0.02", "--device", "cpu")
    for name in ("judge", "witness", "t26"):
        result = invoke("fit", "--data", data, "--recipe", name, "-o", root / name, *short)
        assert result.exit_code == 0, result.output
    words = ("--judge", root / "judge", "--witness", root / "witness")
    result = invoke("export", root / "t26", *words, "-o", root / "bundle")
    assert result.exit_code == 0, result.output
    return root
