"""Folders as inputs: links, names of any kind, lists and patterns."""

import inspect
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from cctranslate.files.patterns import matches
from cctranslate.files.walking import walk
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


def test_long_and_strange_names_survive(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = [b"x" * 250 + b".png", b"x" * 249 + b"y.png", b"caf\xe9.png", b'quo"te,\n.png']
    for number, name in enumerate(names):
        path = os.fsencode(folder) + b"/" + name
        Image.fromarray(pictures.draw_face(number, 3)).save(tmp_path / "face.png")
        (tmp_path / "face.png").rename(os.fsdecode(path))
    out = tmp_path / "out"
    result = run(folder, "--to", "sad", "-o", out)
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert {os.fsencode(row["source"]).split(b"/")[-1] for row in found} == set(names)
    assert len({row["output"] for row in found}) == 4
    again = run(folder, "--to", "sad", "-o", out)
    assert again.exit_code == 0, again.output
    assert rows(out) == found


def test_a_loop_of_links_ends(run: Run, faces: Path, tmp_path: Path) -> None:
    (faces / "sad" / "up").symlink_to(faces, target_is_directory=True)
    (faces / "sad" / "gone.png").symlink_to(tmp_path / "nothing")
    out = tmp_path / "out"
    result = run(faces, "--to", "happy", "-o", out)
    assert result.exit_code == 1
    found = rows(out)
    assert [r["reason"] for r in found if r["status"] == "failed"] == [
        "decode: No such file or directory"
    ]
    assert sum(r["status"] == "done" for r in found) == 7


def test_results_never_become_inputs(run: Run, faces: Path) -> None:
    out = faces / "translated"
    for _ in range(2):
        result = run(faces, "--to", "happy", "-o", out)
        assert result.exit_code == 0, result.output
        assert len(rows(out)) == 7


def test_lists_and_patterns(run: Run, faces: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list"
    paths = sorted(faces.rglob("*.png"))
    listed.write_bytes(b"\0".join(os.fsencode(p) for p in paths) + b"\0")
    assert run("-T", listed, "-0", "--to", "sad", "-o", tmp_path / "a").exit_code == 0
    listed.write_text("".join(f"{p}\n" for p in paths))
    assert run("-T", listed, "--to", "sad", "-o", tmp_path / "b").exit_code == 0
    assert [r["source"] for r in rows(tmp_path / "a")] == [str(p) for p in paths]
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    pattern = run(f"{faces}/*/[0-2].png", "--to", "sad", "-o", tmp_path / "c")
    assert pattern.exit_code == 0, pattern.output
    assert len(rows(tmp_path / "c")) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_folder_gives_its_files_and_those_behind_links_in_order(tmp_path: Path) -> None:
    folder, other = tmp_path / "in", tmp_path / "other"
    for path in (folder / "b" / "2.png", folder / "a.png", folder / ".hidden", other / "c.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "z").symlink_to(other, target_is_directory=True)
    (folder / "c.png").symlink_to(other / "c.png")
    (folder / "gone.png").symlink_to(tmp_path / "nothing")
    (folder / "report.jsonl").touch()
    (folder / "same.jsonl").symlink_to(folder / "report.jsonl")
    os.mkfifo(folder / "pipe.png")
    found = list(walk(folder, [folder / "report.jsonl"]))
    assert [relative for _, relative in found] == [
        *("a.png", "b/2.png", "c.png", "gone.png", "pipe.png", "z/c.png")
    ]
    assert all(path == folder / relative for path, relative in found)


def test_folders_may_lie_deeper_in_one_another_than_calls_may(tmp_path: Path) -> None:
    depth = 200
    path = tmp_path.joinpath("in", *["d"] * depth, "a.png")
    path.parent.mkdir(parents=True)
    path.touch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + depth // 2)
    try:
        found = [found for found, _ in walk(tmp_path / "in")]
        matched = list(matches(f"{tmp_path}/in/**/*.png"))
    finally:
        sys.setrecursionlimit(limit)
    assert found == [path]
    assert matched == [str(path)]
