"""A Translator with the tiny bundle, and a photograph of a group."""

from pathlib import Path

import pytest

from cctranslate import Translator
from tests.support import pictures


@pytest.fixture(scope="session")
def translator(mouth_weights: Path) -> Translator:
    """A Translator with the tiny bundle."""
    return Translator(weights=mouth_weights, device="cpu")


@pytest.fixture(scope="session")
def group(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph with two faces and a third that is too small."""
    path = tmp_path_factory.mktemp("group") / "group.png"
    pictures.group().save(path)
    return path
