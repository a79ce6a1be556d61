"""Kills, full disks, hostile files and names: nothing is lost, changed or taken on trust."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cctranslate import bundle
from tests.support import pictures
from tests.support.cli import Run, child, command, held, read_until
from tests.support.pictures import png
from tests.support.reports import count_lines, rows, timeless, tree


@pytest.mark.slow
def test_real_weights_give_equal_bytes_however_the_work_is_cut(run: Run, tmp_path: Path) -> None:
    folder = pictures.write_many(tmp_path / "in", 21, different=21)
    words = (folder, "--to", "sad", "--weights", bundle.shipped(), "--no-html")
    cuts: dict[str, list[tuple[str, ...]]] = {
        "one": [("--workers", "1")],
        "again": [("--workers", "1")],
        "many": [("--workers", "16")],
        "halves": [("--limit", "5"), ()],
    }
    for out, calls in cuts.items():
        for more in calls:
            result = run(*words, "-o", tmp_path / out, *more)
            assert result.exit_code == 0, result.output
        assert tree(tmp_path / out) == tree(tmp_path / "one")
        assert timeless(tmp_path / out) == timeless(tmp_path / "one")


def alone(script: str, *words: str | Path, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    """A shell script in a folder, whose mounts nobody else sees; `"$@"` is the command."""
    shell = ["unshare", "-rm", "bash", "-ec"]
    if sys.platform != "linux" or not shutil.which("unshare"):
        pytest.skip("needs Linux's namespaces")
    if subprocess.run([*shell, "mount -t tmpfs none /mnt"], capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    return subprocess.run(
        [*shell, script, "-", *command(*words)], cwd=folder, capture_output=True, check=False
    )


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_on_another_it_goes_on(weights: Path, tmp_path: Path) -> None:
    folder, out, kept = (
        pictures.write_many(tmp_path / "in", 600),
        tmp_path / "out",
        tmp_path / "kept",
    )
    words = ("batch", folder, "--to", "happy", "--weights", weights, "-q")
    out.mkdir()
    done = alone(
        'mount -t tmpfs -o size=1m none out; "$@" || code=$?; cp -r out kept; exit $code',
        *(*words, "-o", out),
        folder=tmp_path,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert b"No space left on device" in line
    assert 1 < count_lines(kept) < 601
    assert child(*words, "-o", kept).wait() == 0
    assert child(*words, "-o", tmp_path / "whole").wait() == 0
    assert timeless(kept) == timeless(tmp_path / "whole")
    assert tree(kept) == tree(tmp_path / "whole")


@pytest.mark.parametrize("begun", [False, True])
def test_an_out_that_is_read_only_is_one_line(
    run: Run, weights: Path, tmp_path: Path, begun: bool
) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 7), tmp_path / "out"
    out.mkdir()
    if begun:
        run(folder, "--to", "happy", "-o", out, "--limit", "3")
    before = tree(out), timeless(out)
    done = alone(
        'mount --bind out out; mount -o remount,bind,ro out; exec "$@"',
        *("batch", folder, "--to", "happy", "--weights", weights, "-o", out, "-q"),
        folder=tmp_path,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line == f"Error: {out}: cannot be written: Read-only file system".encode()
    assert (tree(out), timeless(out)) == before


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that nobody can read")
def test_what_cannot_be_read_or_leads_to_itself_has_a_row(run: Run, tmp_path: Path) -> None:
    folder = pictures.write_many(tmp_path / "in", 3)
    (folder / "a.png").symlink_to("/proc/self/mem")
    (folder / "b.png").symlink_to("c.png")
    (folder / "c.png").symlink_to("b.png")
    result = run(folder, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    reasons = [row["reason"] for row in rows(tmp_path / "out")][3:]
    assert reasons == [
        "decode: Input/output error",
        *["decode: Too many levels of symbolic links"] * 2,
    ]


def test_a_picture_that_is_removed_during_the_run_has_a_row(weights: Path, tmp_path: Path) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 200), tmp_path / "out"
    words = (folder, "--to", "happy", "--weights", weights, "-o", out)
    process = held(*words, "--batch-size", "1", "--workers", "1", "-q")
    read_until(process, lambda: count_lines(out) >= 5)
    (folder / "0199.png").unlink()
    process.communicate()
    assert process.returncode == 1
    found = rows(out)
    assert [row["status"] for row in found] == ["done"] * 199 + ["failed"]
    assert found[-1]["reason"] == "decode: No such file or directory"


@pytest.mark.skipif(os.name == "nt", reason="what is open cannot be removed there")
@pytest.mark.parametrize("another", [False, True])
def test_a_report_that_is_removed_during_the_run_is_one_line(
    weights: Path, tmp_path: Path, another: bool
) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 200), tmp_path / "out"
    words = (folder, "--to", "happy", "--weights", weights, "-o", out)
    process = held(*words, "--batch-size", "1", "-q", stderr=subprocess.PIPE)
    read_until(process, lambda: count_lines(out) >= 5)
    (out / "report.csv").unlink()
    if another:
        (out / "report.csv").write_text("mine")
    _, messages = process.communicate()
    assert process.returncode == 1
    reason = "another file took its place" if another else "cannot be written: No such file"
    assert messages.startswith(f"Error: {out / 'report.csv'}: {reason}".encode())
    assert len(messages.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="slow to fill a folder there")
def test_a_folder_of_200_000_is_listed_in_order(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(200_000):
        place = f"{folder}/{number:06}.png"
        if number % 50_000 == 0:  # no file may have many more names
            first = place
            Path(place).write_bytes(png(number % 7, number))
        else:
            os.link(first, place)
    try:
        listed = run(folder, "--to", "sad", "-o", tmp_path / "none", "--dry-run")
        assert listed.exit_code == 0, listed.stderr
        assert [line[-10:] for line in listed.stdout.splitlines()] == [
            f"{number:06}.png" for number in range(200_000)
        ]
        result = run(folder, "--to", "sad", "-o", tmp_path / "out", "--limit", "3")
        assert result.exit_code == 0, result.stderr
        assert [row["source"][-10:] for row in rows(tmp_path / "out")] == [
            f"00000{number}.png" for number in range(3)
        ]
    finally:
        shutil.rmtree(folder)  # pytest keeps the folders of three runs


def missing(folder: Path) -> None:
    (folder / "judge.onnx").unlink()


def newer(folder: Path) -> None:
    card = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(card | {"format": 3}))


def no_graph(folder: Path) -> None:
    (folder / "judge.onnx").write_bytes(b"no graph")
    bundle.write_card(folder)


def unreadable(folder: Path) -> None:
    (folder / "judge.onnx").unlink()
    (folder / "judge.onnx").symlink_to("/proc/self/mem")


def deep(folder: Path) -> None:
    (folder / "bundle.json").write_text("[" * 100_000)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (missing, "judge.onnx: missing: export the bundle again or copy it whole"),
        (newer, "bundle format 3, this version reads"),
        (no_graph, "judge.onnx: onnxruntime cannot load it: "),
        (deep, "bundle.json: cannot be read: "),
        pytest.param(
            *(unreadable, "judge.onnx: cannot be read: Input/output error"),
            marks=pytest.mark.skipif(sys.platform != "linux", reason="needs such a file"),
        ),
    ],
)
def test_a_bundle_that_cannot_be_trusted_is_exit_4(
    run: Run, weights: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    bad = Path(shutil.copytree(weights, tmp_path / "bad"))
    spoil(bad)
    folder = pictures.write_many(tmp_path / "in", 1)
    result = run(folder, "--to", "sad", "--weights", bad, "-o", tmp_path / "out")
    assert result.exit_code == 4, result.output
    (line,) = result.stderr.splitlines()
    assert reason in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"done", b"doing"),
        (b"0003.png,1,", b"0003.png,,"),
        (b"0003.png,1,", b"0003.png," + b"9" * 5000 + b","),
        (b",happy,", b"," + b"[" * 100_000 + b","),
        (b"source,", b""),
        (b"\n", b"\r\n"),
        (b"0003.png,", b"0003.png"),
        (b"0003.png,", b"x" * 200_000 + b","),
    ],
)
def test_a_report_that_no_run_left_is_one_line(
    run: Run, tmp_path: Path, before: bytes, after: bytes
) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 7), tmp_path / "out"
    words = (folder, "--to", "happy", "-o", out)
    assert run(*words).exit_code == 0
    report = out / "report.csv"
    changed = report.read_bytes().replace(before, after)
    assert changed != report.read_bytes()
    report.write_bytes(changed)
    for more in ((), ("--retry-failed",)):
        result = run(*words, *more)
        assert result.exit_code == 2, result.output
        (*_, line) = result.stderr.splitlines()
        assert line.startswith(f"Error: {report}: ")
        assert line.endswith(" start anew with --overwrite")
        assert report.read_bytes() == changed
    assert run(*words, "--overwrite").exit_code == 0
    assert len(rows(out)) == 7
