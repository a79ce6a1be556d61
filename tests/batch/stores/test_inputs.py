"""Inputs in a store give what the same files on a disk give."""

import http.server
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.batch.stores.conftest import put
from tests.support.archives import SEVEN, table, tarred, zipped
from tests.support.cli import Run, invoke
from tests.support.reports import rows, tree


def placeless(out: Path, root: str) -> list[dict[str, str]]:
    """A run's rows, with sources relative to a folder."""
    return [
        {**row, "source": row["source"].removeprefix(root), "ms": "", "source_mtime_ns": ""}
        for row in rows(out)
    ]


@pytest.fixture
def disk(faces: Path) -> Path:
    """Faces beside what is broken, hidden or no picture, an archive and a dataset."""
    (faces / "happy" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (faces / "notes.txt").write_text("no picture")
    (faces / ".hidden.png").write_bytes((faces / "happy" / "3.png").read_bytes())
    zipped(faces / "seven.zip", SEVEN)
    tarred(faces / "seven.tar.gz", SEVEN)
    (faces / "rows.csv").write_bytes(table(("Training", "PublicTest")))
    return faces


def test_a_folder_archives_and_datasets_of_s3(
    run: Run, disk: Path, s3: Any, tmp_path: Path
) -> None:
    put(s3, disk, "bucket/faces")
    names = ("", "/seven.zip", "/seven.tar.gz", "/rows.csv")
    words = ("--to", "happy")
    alone = run(*(f"{disk}{name}" for name in names), *words, "-o", tmp_path / "alone")
    url = "s3://bucket/faces"
    result = run(*(f"{url}{name}" for name in names), *words, "-o", tmp_path / "out")
    assert alone.exit_code == result.exit_code == 1, result.output
    assert placeless(tmp_path / "out", url) == placeless(tmp_path / "alone", str(disk))
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")
    again = run(*(f"{url}{name}" for name in names), *words, "-o", tmp_path / "out")
    assert "(0 in this call, 28 from before" in again.output


def test_a_changed_file_is_done_again(run: Run, faces: Path, memory: Any, tmp_path: Path) -> None:
    put(memory, faces, "/bucket")
    words = ("memory://bucket", "--to", "happy", "-o", tmp_path / "out")
    run(*words)
    before = {row["source"]: row["source_sha256"] for row in rows(tmp_path / "out")}
    memory.pipe_file("/bucket/sad/4.png", (faces / "fear" / "2.png").read_bytes())
    result = run(*words)
    assert result.exit_code == 0, result.output
    after = {row["source"]: row["source_sha256"] for row in rows(tmp_path / "out")}
    assert [name for name in before if before[name] != after[name]] == ["memory://bucket/sad/4.png"]


def test_patterns_lists_weights_and_reports(
    run: Run, faces: Path, weights: Path, memory: Any, tmp_path: Path
) -> None:
    put(memory, faces, "/bucket/faces")
    put(memory, weights, "/bucket/weights")
    memory.pipe_file(
        "/list.txt", b"memory://bucket/faces/sad/4.png\n" + bytes(faces) + b"/sad/4.png\n"
    )
    bundle = ("--weights", "memory://bucket/weights", "--device", "cpu")
    result = invoke(
        "batch", "memory://bucket/faces/*/[34].png", *bundle, "--to", "sad", "-o", tmp_path / "a"
    )
    assert result.exit_code == 0, result.output
    assert [row["source"] for row in rows(tmp_path / "a")] == [
        "memory://bucket/faces/happy/3.png",
        "memory://bucket/faces/sad/4.png",
    ]
    listed = ("batch", "-T", "memory://list.txt", *bundle, "--to", "sad", "-o", tmp_path / "b")
    result = invoke(*listed, "--report", "memory://bucket/report.jsonl")
    assert result.exit_code == 0, result.output
    assert [row["source"] for row in rows(tmp_path / "b")] == [
        "memory://bucket/faces/sad/4.png",
        f"{faces}/sad/4.png",
    ]
    assert memory.cat_file("/bucket/report.jsonl").count(b"\n") == 2


def test_results_of_earlier_runs_are_left_out(
    run: Run, faces: Path, memory: Any, tmp_path: Path
) -> None:
    run(faces, "--to", "happy", "-o", tmp_path / "out")
    put(memory, tmp_path / "out" / "happy", "/bucket")
    result = run("memory://bucket", "--to", "sad", "-o", tmp_path / "again")
    assert result.exit_code == 3
    assert "7 x results of earlier runs" in result.output


def test_a_picture_of_a_web_server(run: Run, faces: Path, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    handler = partial(_Quiet, directory=str(faces))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/sad/4.png"
        result = run(url, "--to", "happy", "-o", tmp_path / "out")
        assert result.exit_code == 0, result.output
        assert [row["source"] for row in rows(tmp_path / "out")] == [url]
        missing = run(f"{url}.gone", "--to", "happy", "-o", tmp_path / "none")
        server.shutdown()
    assert missing.exit_code == 2
    assert "gone: not found" in missing.output


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *values: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("memory://nothing", "memory://nothing: not found: name a picture, a folder or a pattern"),
        ("memory://nothing/*.png", "memory://nothing/*.png: not found"),
        ("nowhere://bucket", "nowhere://bucket: Unsupported filesystem: 'nowhere'"),
    ],
)
def test_what_is_not_there_is_named(
    word: str, message: str, run: Run, memory: Any, tmp_path: Path
) -> None:
    result = run(word, "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.output


def test_a_bundle_that_is_not_there_is_named(memory: Any, faces: Path, tmp_path: Path) -> None:
    result = invoke(
        "batch", faces, "--to", "happy", "-o", tmp_path / "out", "--weights", "memory://none"
    )
    assert result.exit_code == 4
    assert "memory://none/bundle.json: not found" in result.output
