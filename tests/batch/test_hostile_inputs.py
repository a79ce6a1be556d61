"""Hostile inputs: names, members and headers that lie are rows, and take no memory."""

import io
import os
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pandas
import pytest
from PIL import Image

from cctranslate.batch.report.cell_types import name_from_text
from tests.support import pictures
from tests.support.cli import Run
from tests.support.pictures import png
from tests.support.reports import rows, tree


@pytest.mark.skipif(sys.platform != "linux", reason="names have no such bytes elsewhere")
def test_no_name_breaks_the_report(run: Run, tmp_path: Path) -> None:
    names = [b"\xe9" * 251 + b".png", "\u00e9".encode() * 125 + b"s.png", b'a\rb".png', b"\r\n.png"]
    names += [b" .png", b"-q.png", b"x:1.png", b"x.png", b"x~2.png", b"\x1b[31m.png", b"\xc2\x85.p"]
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / os.fsdecode(name)).write_bytes(png(number % 7, number))
    result = run(folder, "--to", "sad", "-o", out, "--report", tmp_path / "copy.jsonl")
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert len(pandas.read_csv(out / "report.csv")) == len(found)
    assert sorted(os.fsencode(Path(row["source"]).name) for row in found) == sorted(names)
    assert set(tree(out)) == {row["output"] for row in found}
    again = run(folder, "--to", "sad", "-o", out, "--retry-failed")
    assert again.exit_code == 0, again.output
    assert rows(out) == found
    copied = pandas.read_json(tmp_path / "copy.jsonl", lines=True)
    assert list(map(name_from_text, copied["source"])) == [row["source"] for row in found]


@pytest.mark.skipif(sys.platform != "linux", reason="names have no such bytes elsewhere")
def test_no_name_breaks_a_line_or_commands_the_terminal(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (b"a\nb.png", b"\x1b[31m.png", b"caf\xe9.png", "\u202egnp.png".encode()):
        (folder / os.fsdecode(name)).write_bytes(b"broken")
    result = run(folder, "--to", "sad", "-o", tmp_path / "out", "--verbose")
    assert result.exit_code == 1
    for spelled in (r"a\nb.png", r"\x1b[31m.png", r"caf\xe9.png", r"\u202egnp.png"):
        assert f"{folder}/{spelled}: decode: " in result.output
    assert all(line.isprintable() for line in result.output.splitlines())
    missing = run("no\nsuch\x1b.png", "--to", "sad", "-o", tmp_path / "other")
    assert missing.output.startswith(r"Error: no\nsuch\x1b.png: not found")


@pytest.mark.skipif(sys.platform != "linux", reason="names have no such bytes elsewhere")
def test_results_of_names_in_another_encoding_are_in_utf_8(run: Run, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / os.fsdecode(b"no\xebl")).mkdir(parents=True)
    (folder / os.fsdecode(b"no\xebl/caf\xe9.png")).write_bytes(png(3, 0))
    (folder / "caf%E9.png").write_bytes(png(3, 1))
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(png(3, 2))
    assert run(folder, "--to", "sad", "-o", out, "--layout", "tree").exit_code == 0
    assert set(tree(out)) == {"sad/caf%E9.png", "sad/caf%E9~2.png", "sad/no%EBl/caf%E9.png"}
    assert {row["output"] for row in rows(out)} == set(tree(out))


def lie(path: Path, true: int, message: int) -> None:
    """Make a zip say of its members of one size that they have another."""
    content, wanted = path.read_bytes(), true.to_bytes(4, "little")
    assert content.count(wanted) == 2
    path.write_bytes(content.replace(wanted, message.to_bytes(4, "little")))


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_member_that_lies_about_its_size_takes_no_memory(
    run: Run, tmp_path: Path, packed: int
) -> None:
    path, size = tmp_path / "a.zip", 200 << 20
    with zipfile.ZipFile(path, "w") as archive:
        # Members of 1980: the bytes of today's time can equal those of the size.
        archive.writestr(zipfile.ZipInfo("bomb.png"), bytes(size), packed)
        archive.writestr(zipfile.ZipInfo("good.png"), png(3, 3))
    lie(path, size, 100)
    tracemalloc.start()
    result = run(path, "--to", "sad", "-o", tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.exit_code == 1, result.output
    bomb, good = rows(tmp_path / "out")
    assert "in its archive" in bomb["reason"]
    assert good["status"] == "done"
    assert peak < size // 2


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_member_that_is_damaged_in_any_packing_is_a_row(
    run: Run, tmp_path: Path, packed: int
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", packed) as archive:
        archive.writestr("bad.png", png(1, 1))
        archive.writestr("good.png", png(2, 2))
    content = bytearray(path.read_bytes())
    for place in range(50, 70):
        content[place] ^= 0x5A
    path.write_bytes(content)
    result = run(path, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert [row["status"] for row in rows(tmp_path / "out")] == ["failed", "done"]


def test_a_member_with_a_name_without_end_is_a_row(run: Run, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("x" * 200_000 + ".png", "good.png"):
            info = tarfile.TarInfo(name)
            info.size = len(png(1, 1))
            archive.addfile(info, io.BytesIO(png(1, 1)))
    for _ in range(2):
        result = run(tmp_path / "a.tar", "--to", "sad", "-o", tmp_path / "out")
        assert result.exit_code == 1, result.output
        bad, good = rows(tmp_path / "out")
        assert "a name of more than 65535 characters" in bad["reason"]
        assert good["output"] == "sad/good.png"


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content).to_bytes(4)
    return len(content).to_bytes(4) + kind + content + crc


FACE = png(3, 3)


SIGNATURE = b"\x89PNG\r\n\x1a\n"


HUGE = [chunk(b"IHDR", b"\0\1\0\0" * 2 + b"\1\0\0\0\0"), chunk(b"IDAT", b"")]


TEXT = [
    FACE[8:33],
    chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(4 << 20))),
    FACE[33:],
]


PROFILE = [FACE[8:33], chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(4 << 20)))]


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [(HUGE, "more than 89,478,485 pixels"), (PROFILE, "too large")],
    ids=["huge", "profile"],
)
def test_a_header_or_a_profile_that_explodes_is_a_row(
    run: Run, tmp_path: Path, chunks: list[bytes], reason: str
) -> None:
    (tmp_path / "bomb.png").write_bytes(SIGNATURE + b"".join(chunks))
    result = run(tmp_path / "bomb.png", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    (row,) = rows(tmp_path / "out")
    assert reason in row["reason"]


def test_a_text_that_explodes_is_dropped(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(SIGNATURE + b"".join(TEXT))
    result = run(tmp_path / "bomb.png", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "sad" / "bomb.png").stat().st_size < 1 << 16


def test_pictures_are_recognized_by_content_and_not_by_suffix(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    face = Image.fromarray(pictures.draw_face(3, 0))
    for name, form in {"a.png": "jpeg", "b.jpg": "png", "c.txt": "bmp", "d": "webp"}.items():
        face.save(folder / name, form)
    result = run(folder, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert [row["status"] for row in rows(tmp_path / "out")] == ["done"] * 4
