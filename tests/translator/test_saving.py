"""Results that Python saves carry the mark and the colors that `batch` writes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cctranslate import OptionError, OutputError, Translator
from cctranslate.batch.outputs.ownership import is_ours
from tests.support import pictures
from tests.support.cli import Run


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "a.webp"])
def test_a_saved_result_is_marked(translator: Translator, tmp_path: Path, name: str) -> None:
    result = translator.translate(pictures.draw_face(3, 0), "sad")
    for _ in range(2):
        result.save(tmp_path / name)
    assert is_ours(tmp_path / name)
    with Image.open(tmp_path / name) as saved:
        assert saved.size == (48, 48)


def test_it_is_the_file_that_batch_writes(
    run: Run, translator: Translator, mouth_weights: Path, tmp_path: Path
) -> None:
    Image.fromarray(pictures.draw_face(3, 0)).save(tmp_path / "in.png")
    run(tmp_path / "in.png", "--to", "sad", "--weights", mouth_weights, "-o", tmp_path / "out")
    translator.translate(tmp_path / "in.png", "sad").save(tmp_path / "happy.png")
    written = (tmp_path / "out" / "sad" / "in.png").read_bytes()
    assert (tmp_path / "happy.png").read_bytes() == written


def test_what_cannot_be_saved_is_named(translator: Translator, tmp_path: Path) -> None:
    result = translator.translate(pictures.draw_face(3, 0), "sad")
    with pytest.raises(OptionError, match=r"expected a name in \.png, \.jpg, \.jpeg, \.webp"):
        result.save(tmp_path / "a.tif")
    with pytest.raises(OptionError, match="from 1 to 100"):
        result.save(tmp_path / "a.jpg", quality=101)
    with pytest.raises(OutputError, match="cannot be written"):
        result.save(tmp_path / "none" / "a.png")
    with pytest.raises(OutputError, match=r"a\\x00b\.png': cannot be written: no file can have"):
        result.save(tmp_path / "a\0b.png")


def test_gamma_and_primaries_go_with_the_picture(
    translator: Translator, run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", (100_000).to_bytes(4))
    info.add(b"cHRM", b"".join(v.to_bytes(4) for v in (31270, 32900, 70800, 29200, *[20000] * 4)))
    face = Image.fromarray(np.stack([pictures.draw_face(3, 0)] * 3, -1))
    face.save(tmp_path / "in.png", pnginfo=info)
    run(tmp_path / "in.png", "--to", "sad", "--weights", mouth_weights, "-o", tmp_path / "out")
    with Image.open(tmp_path / "in.png") as picture:
        picture.load()
        result = translator.translate(picture, "sad")
    assert result.image.info["gamma"] == 1
    result.save(tmp_path / "saved.png")
    written = (tmp_path / "out" / "sad" / "in.png").read_bytes()
    assert (tmp_path / "saved.png").read_bytes() == written
