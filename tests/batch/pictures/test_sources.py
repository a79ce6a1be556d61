"""Photographs from archives and pipes, and such as change meanwhile."""

import os
import threading
import zipfile
from pathlib import Path

import pytest

from cctranslate.batch.inputs.decoded import Decoded
from cctranslate.batch.inputs.decoding import reread
from cctranslate.faces.raster import Canvas
from tests.support.cli import Run
from tests.support.reports import rows, tree


def test_pictures_in_archives_are_changed_as_those_in_folders(
    run: Run, words: tuple[str | Path, ...], album: Path, mouth_weights: Path, tmp_path: Path
) -> None:
    run(*words, "-o", tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        for path in sorted(album.iterdir()):
            archive.write(path, path.name)
    run(tmp_path / "album.zip", *words[1:], "-o", tmp_path / "zip")
    assert tree(tmp_path / "zip") == tree(tmp_path / "folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_picture_that_can_only_be_read_once_is_changed_too(
    run: Run, mouth_weights: Path, album: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "one.jpg")
    content = (album / "one.jpg").read_bytes()
    writer = threading.Thread(target=(tmp_path / "one.jpg").write_bytes, args=(content,))
    writer.start()
    words = ("--to", "sad", "--weights", mouth_weights)
    result = run(tmp_path / "one.jpg", *words, "-o", tmp_path / "pipe")
    writer.join()
    assert result.exit_code == 0, result.output
    run(album / "one.jpg", *words, "-o", tmp_path / "file")
    assert tree(tmp_path / "pipe") == tree(tmp_path / "file")


def test_a_picture_that_is_changed_in_between_fails_by_name(
    run: Run,
    words: tuple[str | Path, ...],
    album: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def later(decoded: Decoded) -> Canvas:
        (album / "one.jpg").write_bytes((album / "group.png").read_bytes())
        return reread(decoded)

    monkeypatch.setattr("cctranslate.batch.stages.render.reread", later)
    # A worker process, which a slow run starts, would not have the replacement.
    result = run(*words, "--threads", "-o", tmp_path / "out")
    assert result.exit_code == 1
    (failed,) = (row for row in rows(tmp_path / "out") if row["status"] == "failed")
    assert failed["reason"] == "read: the picture was changed since its faces were found"
