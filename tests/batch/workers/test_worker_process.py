"""Worker processes: the same bytes as by threads, and an end with the run, however that ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.cli import child, held, read_until, wait_until
from tests.support.reports import count_lines, timeless, tree

ONLY_POSIX = pytest.mark.skipif(os.name == "nt", reason="no such signals there")
ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def mixed(tmp_path: Path) -> tuple[Path, ...]:
    """Faces, some with a namesake, photographs, files that are none, and an archive."""
    folder = pictures.write_many(tmp_path / "in", 150)
    for number, path in enumerate(sorted(folder.iterdir())[::4]):
        namesake = path.with_suffix(".bmp")  # comes first, and takes the name if it is a picture
        if number % 2:
            namesake.write_bytes(b"BM, and then nothing")
        else:
            Image.fromarray(pictures.draw_face(3, number)).save(namesake)
    (folder / "empty.png").touch()
    (folder / "note.txt").write_text("no picture")
    for path in pictures.PHOTOS.glob("*.jpg"):
        shutil.copy(path, folder)
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(30):
            archive.writestr(f"{number}.png", pictures.png(number % 7, number))
        for path in pictures.PHOTOS.glob("*.jpg"):
            archive.write(path, path.name)
    return folder, packed


@pytest.mark.parametrize(
    "form",
    [
        (),
        ("--layout", "tree", "--format", "webp"),
        ("--layout", "webdataset"),
        ("--layout", "fer-csv"),
        ("-o", "-"),
    ],
)
def test_processes_give_the_bytes_that_threads_give(
    mixed: tuple[Path, ...], form: tuple[str, ...], weights: Path, tmp_path: Path
) -> None:
    made = []
    for kind in ("--threads", "--processes"):
        out = tmp_path / kind
        asked: tuple[str | Path, ...] = (*mixed, "--to", "happy,sad", "--weights", weights, kind)
        place: tuple[str | Path, ...] = form if "-o" in form else ("-o", out, *form)
        with child(
            *("batch", "--no-progress", "--batch-size", "4", "--workers", "3"),
            *asked,
            *place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            stdout, messages = process.communicate()
        assert process.returncode == 1, messages  # some files cannot be read
        assert b"224 inputs: 203 done, 1 skipped, 20 failed" in messages
        assert bool(stdout) == ("-o" in form)
        made.append((stdout, timeless(out), tree(out) if out.exists() else {}))
    assert made[0] == made[1]
    assert made[0][0] or len(made[0][1]) > 300


def words(weights: Path, folder: Path, out: Path) -> list[str | Path]:
    fixed = ("--processes", "--workers", "2", "--batch-size", "4", "--no-progress")
    return [folder, "--to", "happy", "--weights", weights, "-o", out, *fixed]


def begin(weights: Path, folder: Path, out: Path, **options: object) -> "subprocess.Popen[bytes]":
    return held(*words(weights, folder, out), **options)


def wait_for_rows(process: "subprocess.Popen[bytes]", out: Path) -> None:
    read_until(process, lambda: count_lines(out) >= 20 and bool(workers(process.pid)))


def workers(run: int) -> list[int]:
    """The processes that a run's server forked and that are at work."""
    return [worker for server in children(run, b"forkserver") for worker in children(server)]


def children(of: int, called: bytes = b"") -> list[int]:
    """The processes that one started and that are at work, of those whose command has a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            meant = called in (path.parent / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == of and state != "Z" and meant:
            found.append(int(path.parent.name))
    return found


def alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def asleep(number: int) -> bool:
    """Whether a process has done nothing for a while."""
    before = spent(number)
    time.sleep(0.2)
    return spent(number) == before


def spent(number: int) -> list[str]:
    """A process's seconds, as the system counts them."""
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11:13]


def equals_never_stopped(weights: Path, folder: Path, out: Path) -> None:
    whole = out.parent / "whole"
    for place in (out, whole):
        assert child("batch", *words(weights, folder, place)).wait() == 0
    assert timeless(out) == timeless(whole)
    assert tree(out) == tree(whole)


@pytest.mark.slow
@ONLY_LINUX
def test_no_worker_outlives_a_run_that_was_killed(weights: Path, tmp_path: Path) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 500), tmp_path / "out"
    with begin(weights, folder, out) as process:
        wait_for_rows(process, out)
        there = workers(process.pid)
        assert there
        process.kill()
    while any(alive(number) for number in there):
        time.sleep(0.01)
    equals_never_stopped(weights, folder, out)


@pytest.mark.slow
@ONLY_POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_them_lets_what_is_in_hand_finish(
    weights: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 500), tmp_path / "out"
    with begin(weights, folder, out, stderr=subprocess.PIPE, process_group=0) as process:
        wait_for_rows(process, out)
        os.killpg(process.pid, number)
        _, messages = process.communicate()
        assert process.returncode == 130, messages
    assert b"the same command goes on from here" in messages
    assert b"Traceback" not in messages
    manifest = json.loads((out / "run.json").read_text())
    assert (manifest["finished"], manifest["done"]) == (False, count_lines(out) - 1)
    equals_never_stopped(weights, folder, out)


@pytest.mark.slow
@ONLY_LINUX
def test_a_worker_that_is_killed_is_one_line(weights: Path, tmp_path: Path) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 500), tmp_path / "out"
    with begin(weights, folder, out, stderr=subprocess.PIPE) as process:
        wait_for_rows(process, out)
        os.kill(workers(process.pid)[0], signal.SIGKILL)
        _, messages = process.communicate()
    assert process.returncode == 1
    assert b"Error: a worker process was killed" in messages
    assert b"Traceback" not in messages
    assert json.loads((out / "run.json").read_text())["finished"] is False
    equals_never_stopped(weights, folder, out)


@pytest.mark.slow
@ONLY_LINUX
def test_a_worker_that_is_killed_while_it_answers_is_one_line(
    weights: Path, tmp_path: Path
) -> None:
    packed, out = tmp_path / "packed.zip", tmp_path / "out"
    pictures.portrait(pictures.COLLINS).save(tmp_path / "large.png")
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(100):
            archive.write(tmp_path / "large.png", f"{number}.png")
    with begin(weights, packed, out, stderr=subprocess.PIPE) as process:
        wait_for_rows(process, out)
        # What comes with each is more than a pipe holds: they stop with half of it written.
        process.send_signal(signal.SIGSTOP)
        there = workers(process.pid)
        for number in there:
            wait_until(process, partial(asleep, number))
        for number in there:
            os.kill(number, signal.SIGKILL)
        process.send_signal(signal.SIGCONT)
        _, messages = process.communicate()
    assert process.returncode == 1
    assert b"Error: a worker process was killed" in messages
    assert b"Traceback" not in messages


@pytest.mark.slow
@ONLY_LINUX
def test_workers_start_where_their_server_cannot(weights: Path, tmp_path: Path) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 200), tmp_path / "out"
    deep = tmp_path / ("x" * 100)  # longer than the path of a socket may be
    deep.mkdir()
    with begin(weights, folder, out, env=os.environ | {"TMPDIR": str(deep)}) as process:
        read_until(process, lambda: len(children(process.pid, b"spawn_main")) == 2)
        process.communicate()
    assert process.returncode == 0
    assert count_lines(out) == 201


@pytest.mark.slow
@ONLY_LINUX
def test_a_server_that_is_killed_takes_no_worker_with_it(weights: Path, tmp_path: Path) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 500), tmp_path / "out"
    with begin(weights, folder, out) as process:
        read_until(process, lambda: len(workers(process.pid)) == 2)
        there = workers(process.pid)
        (server,) = children(process.pid, b"forkserver")
        os.kill(server, signal.SIGKILL)
        process.communicate()
    assert process.returncode == 0
    assert count_lines(out) == 501
    assert not any(alive(number) for number in there)
