"""An album of photographs, and the words that translate it."""

from pathlib import Path

import pytest
from PIL import Image

from tests.support import pictures


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Photographs with three faces, one and none, and a face as the models take it."""
    folder = tmp_path / "album"
    folder.mkdir()
    pictures.group().save(folder / "group.png")
    pictures.portrait(pictures.COLLINS).save(folder / "one.jpg", quality=95)
    pictures.landscape().save(folder / "none.png")
    Image.fromarray(pictures.draw_face(3, 0)).save(folder / "face.png")
    return folder


@pytest.fixture
def words(mouth_weights: Path, album: Path) -> tuple[str | Path, ...]:
    return (album, "--to", "sad,happy", "--weights", mouth_weights)
