"""`--files-from`: lists of paths in UTF-8, and one line on those that are none."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Run, child, wait_until
from tests.support.reports import count_lines, rows


def listed(tmp_path: Path, faces: Path) -> bytes:
    return "\n".join(map(str, sorted(faces.rglob("*.png")))).encode()


@pytest.mark.parametrize("form", ["mark", "windows", "no end", "nul", "nul and mark"])
def test_lists_of_every_kind_name_the_same(
    run: Run, faces: Path, tmp_path: Path, form: str
) -> None:
    text = listed(tmp_path, faces)
    content = {
        "mark": b"\xef\xbb\xbf" + text + b"\n",
        "windows": text.replace(b"\n", b"\r\n") + b"\r\n\r\n",
        "no end": text,
        "nul": text.replace(b"\n", b"\0") + b"\0",
        "nul and mark": b"\xef\xbb\xbf" + text.replace(b"\n", b"\0"),
    }[form]
    (tmp_path / "list").write_bytes(content)
    words = ("-0",) * form.startswith("nul")
    result = run("-T", tmp_path / "list", *words, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(rows(tmp_path / "out")) == 7


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("print0", "holds NUL bytes: add -0 if"),
        ("utf-16", "is text in UTF-16: save it as UTF-8"),
        ("utf-16-le", "holds NUL bytes: add -0 if"),
        ("endless", "is no list of paths"),
    ],
)
def test_what_is_no_list_is_one_line(
    run: Run, faces: Path, tmp_path: Path, form: str, message: str
) -> None:
    text = listed(tmp_path, faces)
    content = {
        "print0": text.replace(b"\n", b"\0"),
        "utf-16": text.decode().encode("utf-16"),
        "utf-16-le": text.decode().encode("utf-16-le"),
        "endless": b"x" * 300_000,
    }[form]
    (tmp_path / "list").write_bytes(content)
    result = run("-T", tmp_path / "list", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if f"{tmp_path}/list: " in line]
    assert len(lines) == 1
    assert message in lines[0]
    assert not list((tmp_path / "out").rglob("*.png"))


@pytest.mark.skipif(os.name == "nt", reason="a pipe cannot be asked there whether more has come")
@pytest.mark.parametrize("workers", ["--threads", "--processes"])
def test_each_path_gives_its_result_before_the_next_comes(
    weights: Path, faces: Path, tmp_path: Path, workers: str
) -> None:
    out = tmp_path / "out"
    words = ("batch", "-T", "-", "--to", "sad", "-o", out, "--weights", weights, workers)
    with child(*words, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number, path in enumerate(sorted(faces.rglob("*.png"))[:3], 1):
            process.stdin.write(os.fsencode(path) + b"\n")
            process.stdin.flush()
            wait_until(process, lambda wanted=number: count_lines(out) > wanted)  # type: ignore[misc]
        process.communicate()
    assert process.returncode == 0


def test_a_limit_counts_paths_alone(run: Run, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(listed(tmp_path, faces))
    result = run("-T", tmp_path / "list", "--to", "sad", "-o", tmp_path / "out", "--limit", "2")
    assert result.exit_code == 0, result.output
    assert len(rows(tmp_path / "out")) == 2
