"""Fixtures shared by all tests: a tiny bundle, folders of drawn faces, the command line."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cctranslate.emotions import EMOTIONS
from tests.support import bundles, pictures
from tests.support.cli import Run


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose answers a test can work out."""
    return bundles.write_bundle(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def mouth_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but that it changes the mouth: in a larger picture the corner stays."""
    return bundles.write_bundle(tmp_path_factory.mktemp("mouths"), bundles.MOUTH)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A folder of seven drawn faces, `<emotion>/<n>.png`."""
    root = tmp_path / "faces"
    for label, emotion in enumerate(EMOTIONS):
        (root / emotion).mkdir(parents=True)
        Image.fromarray(pictures.draw_face(label, 0)).save(root / emotion / f"{label}.png")
    return root


@pytest.fixture
def run(weights: Path) -> Run:
    """`cctranslate batch` in this process, with the tiny bundle on the CPU."""
    from cctranslate.cli import cli

    def invoke(*words: str | Path) -> Result:
        fixed = ["batch", "--weights", str(weights), "--device", "cpu"]
        return CliRunner().invoke(cli, [*fixed, *(os.fspath(word) for word in words)])

    return invoke


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests more time than the default; a mark of their own goes first."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(300))
