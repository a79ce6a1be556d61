"""A run whose OUT is in a store leaves there what it leaves on a disk."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.batch.stores.conftest import put
from tests.support.cli import Run, child, wait_until
from tests.support.equality import assert_same

BUCKET = "s3://bucket/out"


def get(system: Any, target: str, folder: Path) -> Path:
    """Copy a folder of a store to a disk."""
    for name in system.find(target):
        path = folder / str(name).removeprefix(target).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(system.cat_file(name))
    return folder


@pytest.fixture
def inputs(faces: Path) -> Path:
    (faces / "happy" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (faces / "notes.txt").write_text("no picture")
    (faces / "happy" / "4.png").write_bytes((faces / "sad" / "4.png").read_bytes())
    return faces


@pytest.mark.parametrize(
    "layout", ["imagefolder", "tree", "webdataset", "fer-csv", "fer-csv --soft-labels"]
)
def test_s3_holds_what_a_disk_holds(
    layout: str, run: Run, inputs: Path, s3: Any, tmp_path: Path
) -> None:
    words = ("--to", "happy,sad", "--layout", *layout.split())
    alone = run(inputs, *words, "-o", tmp_path / "alone")
    result = run(inputs, *words, "-o", BUCKET)
    assert alone.exit_code == result.exit_code == 1, result.output
    assert f"results in {BUCKET}, report in {BUCKET}/report.csv" in result.output
    assert_same(get(s3, "bucket/out", tmp_path / "out"), tmp_path / "alone")
    there = {str(name).removeprefix("bucket/") for name in s3.ls("bucket/out", detail=False)}
    assert {"out/report.csv", "out/run.json", "out/report.html"} <= there
    assert not any("/." in name for name in there)
    assert s3.exists("bucket/out-sheet.png")


def test_calls_add_and_retry_and_begin_anew(
    run: Run, inputs: Path, memory: Any, tmp_path: Path
) -> None:
    """Each call is compared with the same one on a disk."""
    remote, disk = "memory://bucket/out", tmp_path / "disk"
    broken = inputs / "happy" / "broken.jpg"
    for number, words in enumerate(
        (
            ("--to", "happy"),
            ("--to", "happy,sad"),
            ("--to", "sad", "--retry-failed"),
            ("--to", "fear", "--overwrite"),
        )
    ):
        if "--retry-failed" in words:
            broken.write_bytes((inputs / "happy" / "3.png").read_bytes())
        for out in (disk, remote):
            result = run(inputs, *words, "-o", out)
            assert result.exit_code == (1 if number < 2 else 0), result.output
        assert_same(get(memory, "/bucket/out", tmp_path / str(number)), disk)
    refused = run(inputs, "--to", "fear", "--layout", "tree", "-o", remote)
    assert refused.exit_code == 2
    assert f"{remote}" in refused.output or "another --layout" in refused.output


def test_what_is_gone_is_made_again(run: Run, inputs: Path, memory: Any) -> None:
    words = (inputs, "--to", "happy", "-o", "memory://bucket/out")
    run(*words)
    memory.rm("/bucket/out/happy/sad__4.png")
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert memory.exists("/bucket/out/happy/sad__4.png")


def test_files_of_others_are_never_replaced(
    run: Run, inputs: Path, memory: Any, tmp_path: Path
) -> None:
    words = (inputs, "--to", "happy", "-o", "memory://bucket/out")
    memory.pipe_file("/bucket/out/mine.txt", b"mine")
    refused = run(*words)
    assert refused.exit_code == 2
    assert "memory://bucket/out holds files that are not from a run" in refused.output
    memory.rm("/bucket/out/mine.txt")
    run(*words)
    memory.pipe_file("/bucket/out/sad/sad__4.png", b"mine")
    result = run(inputs, "--to", "happy,sad", "-o", "memory://bucket/out")
    assert "sad__4.png is there, and no run wrote it: move it away" in result.output
    assert memory.cat_file("/bucket/out/sad/sad__4.png") == b"mine"
    run(*words, "--overwrite")
    assert memory.cat_file("/bucket/out/sad/sad__4.png") == b"mine"


def test_a_second_run_is_refused(run: Run, inputs: Path, s3: Any) -> None:
    facts = {"host": "elsewhere", "process": 1, "time": 4e9}
    s3.pipe_file("bucket/out/.run.lock", json.dumps(facts).encode())
    refused = run(inputs, "--to", "happy", "-o", BUCKET)
    assert refused.exit_code == 2
    assert f"{BUCKET}: another run is writing there (process 1 on elsewhere)" in refused.output
    assert s3.find("bucket/out") == ["bucket/out/.run.lock"]
    s3.pipe_file("bucket/out/.run.lock", json.dumps(facts | {"time": 0}).encode())
    assert run(inputs, "--to", "happy", "-o", BUCKET).exit_code == 1
    assert not s3.exists("bucket/out/.run.lock")


@pytest.mark.slow
def test_a_killed_run_goes_on(
    run: Run, inputs: Path, weights: Path, s3: Any, tmp_path: Path
) -> None:
    fixed = ("--to", "all", "--weights", weights, "--device", "cpu")
    for k in range(40):
        (inputs / f"{k}.png").write_bytes((inputs / "sad" / "4.png").read_bytes())
    run(inputs, *fixed, "-o", tmp_path / "alone")
    process = child("batch", inputs, *fixed, "-o", BUCKET, "-q")
    wait_until(process, lambda: bool(s3.find("bucket/out/.cluster/rows")))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert s3.exists("bucket/out/.cluster/plan.json")
    result = run(inputs, "--to", "all", "-o", BUCKET)
    assert result.exit_code == 1, result.output
    assert_same(get(s3, "bucket/out", tmp_path / "out"), tmp_path / "alone")


def test_a_web_server_cannot_be_written_to(run: Run, inputs: Path) -> None:
    result = run(inputs, "--to", "happy", "-o", "http://127.0.0.1:9/out")
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/out/.run.lock: cannot be written" in result.output


def test_a_store_that_fails_stops_the_run_with_its_reason(
    run: Run, inputs: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = type(memory).pipe_file

    def full(self: Any, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
        if path.endswith(".png"):
            raise RuntimeError("QuotaExceeded: the bucket is full")
        write(self, path, value, mode=mode, **more)

    monkeypatch.setattr(type(memory), "pipe_file", full)
    result = run(inputs, "--to", "happy", "-o", "memory://bucket/out")
    assert result.exit_code == 1
    assert "cannot be written: QuotaExceeded: the bucket is full" in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--per-class", "3"), "--per-class counts results in the order of the inputs"),
        (("--unconfirmed-to", "x"), "--unconfirmed-to is a folder on a disk"),
    ],
)
def test_what_a_store_cannot_have_is_named(
    words: tuple[str, ...], message: str, run: Run, inputs: Path, memory: Any
) -> None:
    result = run(inputs, "--to", "happy", "-o", "memory://bucket/out", *words)
    assert result.exit_code == 2
    assert message in result.output
    assert not memory.exists("/bucket")


def test_a_dry_run_writes_nothing(run: Run, inputs: Path, memory: Any) -> None:
    put(memory, inputs, "/bucket/faces")
    result = run("memory://bucket/faces", "--to", "happy", "-o", "memory://bucket/out", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "memory://bucket/out/happy/sad__4.png" in result.output
    assert not memory.exists("/bucket/out")


def test_one_picture_to_a_file_of_a_store(run: Run, inputs: Path, memory: Any) -> None:
    result = run(inputs / "sad" / "4.png", "--to", "happy", "-o", "memory://bucket/happy.png")
    assert result.exit_code == 0, result.output
    assert memory.cat_file("/bucket/happy.png").startswith(b"\x89PNG")
