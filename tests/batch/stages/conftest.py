"""What tests of `--balance` share."""

from pathlib import Path

import pytest

from tests.batch.stages.classes import SIZES, write_class


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """A folder of classes of 12, 7 and 3 faces."""
    for emotion, count in SIZES.items():
        write_class(tmp_path / "train", emotion, count)
    return tmp_path / "train"
