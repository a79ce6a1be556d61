"""Libraries' warnings: nothing under -q, else one line without source code."""

import struct
import subprocess
import warnings
from pathlib import Path

import pytest
from PIL import Image

from cctranslate.batch.workers.library_warnings import library_warnings
from cctranslate.batch.workers.worker_process import WorkerProcess
from tests.support.cli import child
from tests.support.pictures import draw_face
from tests.support.reports import rows


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A picture on whose EXIF data Pillow warns: they end before a value."""
    entry = struct.pack("<HHLL", 0x10F, 2, 900, 26)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4) + b"cut"
    Image.fromarray(draw_face(3, 0)).save(tmp_path / "a.jpg", exif=exif)
    return tmp_path / "a.jpg"


@pytest.mark.parametrize("quiet", [True, False])
@pytest.mark.parametrize("workers", ["--threads", "--processes"])
def test_faulty_metadata_are_one_line_of_ours(
    weights: Path, tmp_path: Path, faulty: Path, quiet: bool, workers: str
) -> None:
    words = ("batch", faulty, "--to", "sad", "--weights", weights, "-o", tmp_path / "out", workers)
    process = child(*words, *(("-q",) * quiet), stderr=subprocess.PIPE)
    _, messages = process.communicate()
    assert process.returncode == 0, messages
    assert b".py:" not in messages
    assert (messages == b"") == quiet
    if not quiet and workers == "--threads":
        said_once = [line for line in messages.splitlines() if line.startswith(b"warning: ")]
        assert 1 <= len(said_once) == len(set(said_once))


@pytest.mark.parametrize("workers", ["--threads", "--processes"])
def test_what_is_wrong_with_a_tiff_is_in_its_row_alone(
    weights: Path, tmp_path: Path, workers: str
) -> None:
    Image.fromarray(draw_face(3, 0)).save(tmp_path / "a.tif", compression="tiff_lzw")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[500:560] = bytes(byte ^ 0x5A for byte in content[500:560])
    (tmp_path / "a.tif").write_bytes(content)
    words = ("batch", tmp_path / "a.tif", "--to", "sad", "--weights", weights, workers, "-q")
    process = child(*words, "-o", tmp_path / "out", stderr=subprocess.PIPE)
    _, messages = process.communicate()
    (row,) = rows(tmp_path / "out")
    assert (process.returncode, row["status"], messages) == (1, "failed", b"")


def test_a_warning_comes_once_and_on_one_line() -> None:
    echoed: list[str] = []
    with library_warnings(echoed.append):
        for _ in range(3):
            warnings.warn("two\nlines", UserWarning, stacklevel=1)
            warnings.warn("for programmers", DeprecationWarning, stacklevel=1)
    assert echoed == ["warning: two lines"]


def warn(_: int, text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=1)
    warnings.warn("too many pixels", Image.DecompressionBombWarning, stacklevel=1)


def test_a_worker_process_hands_its_warnings_over() -> None:
    echoed: list[str] = []
    with library_warnings(echoed.append):
        process = WorkerProcess(0)
        for text in ("first", "second", "first"):
            process.call(warn, text)
        process.close()
        process.join()
    assert echoed == ["warning: first", "warning: second"]
