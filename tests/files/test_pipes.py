"""Named pipes and devices: read once, to their end, with one message where that does not come."""

import io
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from cctranslate.batch.inputs import decoding, sources
from cctranslate.batch.inputs.decoded import DecodeFailure
from cctranslate.batch.inputs.decoding import DecodeOptions, decode
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.items import BrokenItem, Item
from cctranslate.faces.detector import FaceDetector
from cctranslate.files.pipes import is_pipe, read_pipe

WHOLE = DecodeOptions(face_mode="whole", detector=FaceDetector(), will_reread=False)
TOO_LONG = "more than 1 MiB through a pipe: save it as a file"

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


def fed(path: Path, content: bytes) -> threading.Thread:
    """Make a pipe, and begin to send the content through it."""
    os.mkfifo(path)

    def feed() -> None:
        with suppress(BrokenPipeError):  # the reader has had enough
            path.write_bytes(content)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    return thread


def test_all_that_comes_is_read(tmp_path: Path) -> None:
    content = os.urandom(3 << 20)
    feeder = fed(tmp_path / "pipe", content)
    assert is_pipe(tmp_path / "pipe")
    assert read_pipe(tmp_path / "pipe", 3 << 20) == content
    feeder.join()


def test_files_folders_and_what_is_gone_are_no_pipes(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not any(map(is_pipe, (tmp_path, tmp_path / "file", tmp_path / "gone")))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device without an end")
def test_a_device_without_an_end_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=TOO_LONG):
        read_pipe(Path("/dev/zero"), 1 << 20)


def test_the_command_and_a_translator_read_a_pipe_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LARGEST", 1 << 20)
    monkeypatch.setattr(decoding, "LARGEST", 1 << 20)
    feeders = [fed(tmp_path / name, bytes(1 << 21)) for name in ("first", "second")]
    (item,) = sources.open_input(tmp_path / "first", "first")
    named = item.fetch()
    assert isinstance(named, BrokenItem)
    direct = decode(Item(path=tmp_path / "second", relative="second", named=True), WHOLE)
    assert isinstance(direct, DecodeFailure)
    assert named.reason == direct.reason == TOO_LONG
    for feeder in feeders:
        feeder.join()


def test_a_picture_on_stdin_has_the_same_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST", 1 << 20)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(bytes(1 << 21))))
    (item,) = sources.from_inputs(["-"], OutputPaths([]), InputFilter((), ()))
    assert isinstance(item, BrokenItem)
    assert item.reason == TOO_LONG
