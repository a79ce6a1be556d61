"""Archives as inputs: streamed, never extracted."""

import gzip
import io
import os
import tarfile
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.sources import from_inputs
from cctranslate.emotions import EMOTIONS
from tests.support.archives import SEVEN, table, tarred, zipped
from tests.support.cli import Run
from tests.support.pictures import png
from tests.support.reports import rows, tree


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "nameless"])
def test_members_are_translated_as_files_are(run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.zip":
        zipped(path, SEVEN)
    else:
        tarred(path, SEVEN, "w" if name == "a.tar" else "w:gz")
    for place, content in SEVEN.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(content)
    out = tmp_path / "out"
    result = run(path, "--to", "happy,sad", "-o", out)
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert found[0]["source"] == f"{path}:pictures/angry/0.png"
    assert found[0]["output"] == "happy/pictures__angry__0.png"
    assert [row["source_label"] for row in found[::2]] == sorted(EMOTIONS)
    (tmp_path / "in").mkdir()
    (tmp_path / "pictures").rename(tmp_path / "in" / "pictures")
    run(tmp_path / "in", "--to", "happy,sad", "-o", tmp_path / "files")
    assert tree(out) == tree(tmp_path / "files")
    with (
        Image.open(tmp_path / "out-sheet.png") as one,
        Image.open(tmp_path / "files-sheet.png") as two,
    ):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(two))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_tars_that_were_joined_are_read_to_the_end(
    run: Run, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    parts = [tarred(tmp_path / f"{k}.tar", {f"{k}.png": png(k)}, "w") for k in range(3)]
    joined = tmp_path / "joined"
    joined.write_bytes(b"".join(pack(part.read_bytes()) for part in parts))
    assert run(joined, "--to", "sad", "-o", tmp_path / "out").exit_code == 0
    sources = [row["source"] for row in rows(tmp_path / "out")]
    assert sources == [f"{joined}:{k}.png" for k in range(3)]
    parts[2].write_bytes(parts[2].read_bytes() + b"no tar" * 512)  # left alone, as by tar
    assert run(parts[2], "--to", "sad", "-o", tmp_path / "two").exit_code == 0


def test_an_incremental_tar_has_no_rows_for_its_notes(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("label", b"V"), ("folder", b"D"), ("a.png", tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(png(1)) if name == "a.png" else 0
            archive.addfile(info, io.BytesIO(png(1)))
    assert run(path, "--to", "sad", "-o", tmp_path / "out").exit_code == 0
    assert [row["source"] for row in rows(tmp_path / "out")] == [f"{path}:a.png"]


def test_compressed_pictures_are_named_for_what_they_are_not(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.png.gz").write_bytes(gzip.compress(png(1)))
    result = run(tmp_path / "a.png.gz", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "no tar, and no dataset in FER2013's form" in rows(tmp_path / "out")[0]["reason"]


def test_what_file_managers_put_beside_is_left_alone(run: Run, tmp_path: Path) -> None:
    names = ["./a.png", "__MACOSX/._a.png", ".DS_Store", "b/.hidden/c.png"]
    path = tarred(tmp_path / "a.tar.gz", dict.fromkeys(names, png(3)))
    assert run(path, "--to", "sad", "-o", tmp_path / "out").exit_code == 0
    assert [row["output"] for row in rows(tmp_path / "out")] == ["sad/a.png"]


def test_a_long_archive_takes_no_more_memory(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tarred(tmp_path / f"{count}.tar.gz", {f"{k}.png": b"" for k in range(count)})
        tracemalloc.start()
        assert sum(1 for _ in from_inputs([str(path)], OutputPaths(()), InputFilter())) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    # What tarfile keeps of a member is a kilobyte or more; the digest of its name is kept.
    assert peak(4000) - peak(400) < 900_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_tar_comes_through_a_pipe_that_is_called_so(run: Run, tmp_path: Path) -> None:
    content = tarred(tmp_path / "whole", SEVEN, "w").read_bytes()
    pipe = tmp_path / "pipe.tar"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True).start()
    result = run(pipe, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(rows(tmp_path / "out")) == 7


def test_archives_in_lists_and_folders(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = zipped(tmp_path / "in" / "a.zip", SEVEN)
    (tmp_path / "list").write_bytes(os.fsencode(path) + b"\n")
    assert run("-T", tmp_path / "list", "--to", "sad", "-o", tmp_path / "a").exit_code == 0
    assert len(rows(tmp_path / "a")) == 7
    assert run(tmp_path / "in", "--to", "sad", "-o", tmp_path / "b").exit_code == 3
    (found,) = rows(tmp_path / "b")
    assert found["status"] == "skipped"


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_other_packings_are_read_as_streams(run: Run, tmp_path: Path, kind: str) -> None:
    path = tarred(tmp_path / f"a.tar.{kind}", SEVEN | {"d/faces.csv": table(("Training",))})
    if kind != "gz":
        path = tarred(tmp_path / f"a.tar.{kind}", SEVEN, f"w:{kind}")
    out = tmp_path / "out"
    assert run(path, "--to", "sad", "-o", out).exit_code == 0
    assert len([row for row in rows(out) if row["status"] == "done"]) >= 7
    path.write_bytes(path.read_bytes()[:-300])
    assert run(path, "--to", "sad", "-o", tmp_path / "cut").exit_code == 1
    assert rows(tmp_path / "cut")[-1]["reason"].startswith("decode: the archive cannot be read")


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_have_a_row_and_a_result_each(
    run: Run, tmp_path: Path, make: object
) -> None:
    path = tmp_path / "a"
    if make is zipped:
        with zipfile.ZipFile(path, "w") as archive:
            for label in (3, 4, 3):
                archive.writestr("f/a.png", png(label))
    else:
        with tarfile.open(path, "w") as archive:
            for label in (3, 4, 3):
                info = tarfile.TarInfo("f/a.png")
                info.size = len(png(label))
                archive.addfile(info, io.BytesIO(png(label)))
    out = tmp_path / "out"
    assert run(path, "--to", "sad", "-o", out).exit_code == 0
    found = rows(out)
    inner = [row["source"].removeprefix(f"{path}:") for row in found]
    assert inner == ["f/a.png", "f/a.png#2", "f/a.png#3"]
    digests = [row["source_sha256"] for row in found]
    assert digests[0] == digests[2] != digests[1]
    assert [row["output"] for row in found] == ["sad/f__a.png", "sad/f__a~2.png", "sad/f__a~3.png"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_second_member_of_a_name_is_judged_by_that_name(run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for content in (png(3), b"broken"):
            archive.writestr("a.png", content)
    words = ("--to", "sad", "-o", tmp_path / "out", "--include", "*.png")
    assert run(tmp_path / "a.zip", *words).exit_code == 1
    assert [row["status"] for row in rows(tmp_path / "out")] == ["done", "failed"]


def test_folders_of_the_system_are_left_alone(run: Run, tmp_path: Path) -> None:
    names = ["a.png", "@eaDir/a.png/SYNOPHOTO_THUMB_M.png", "$RECYCLE.BIN/$R1.png"]
    names += ["@__thumb/a.png", "MVI_1.THM"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(png(3))
    zipped(tmp_path / "a.zip", dict.fromkeys(names, png(3)))
    for path in ("in", "a.zip"):
        assert run(tmp_path / path, "--to", "sad", "-o", tmp_path / f"o-{path}").exit_code == 0
        assert [row["output"] for row in rows(tmp_path / f"o-{path}")] == ["sad/a.png"]


def test_a_zip_with_backslashes_is_read_as_one_with_slashes(run: Run, tmp_path: Path) -> None:
    for name, mark in (("slash", "/"), ("back", "\\")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for emotion in ("happy", "sad"):
                info = zipfile.ZipInfo()
                info.filename = mark.join(("train", emotion, "a.png"))
                archive.writestr(info, png(3))
        assert run(tmp_path / f"{name}.zip", "--to", "sad", "-o", tmp_path / name).exit_code == 0
    found = [
        [(row["output"], row["source_label"]) for row in rows(tmp_path / name)]
        for name in ("slash", "back")
    ]
    assert (
        found[0]
        == found[1]
        == [("sad/train__happy__a.png", "happy"), ("sad/train__sad__a.png", "sad")]
    )
