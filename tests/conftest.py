"""Fixtures shared by all tests: a tiny bundle, folders of drawn faces, the command line."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

# On busy cores torch's threads wait for one another: a test takes ten times as long. Set before
# numpy and torch are imported; child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

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
