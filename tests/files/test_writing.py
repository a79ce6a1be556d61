"""A file is written whole or not at all."""

from errno import ENOSPC
from pathlib import Path

import pytest

from cctranslate.errors import OutputError
from cctranslate.files.writing import (
    AppendOnlyFile,
    atomic_write,
    temporary_name,
    unwritable,
    write_text,
)


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
        assert temporary_name(path).exists()
    assert path.read_text() == "new"
    assert [left.name for left in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_what_fails_midway_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_text() == "old"
    assert [left.name for left in tmp_path.iterdir()] == ["a.txt"]


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "a.txt", tmp_path / "folder"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises(OutputError) as refused:
            write_text(path, "text")
        assert str(refused.value).startswith(f"{path}: cannot be written: ")
    assert [left.name for left in tmp_path.iterdir()] == ["folder"]


def test_the_longest_names_can_be_written(tmp_path: Path) -> None:
    for name in ("x" * 251 + ".png", "é" * 125 + "x.png", "x" * 243 + ".png", "x" * 242 + ".png"):
        with atomic_write(tmp_path / name) as file:
            file.write(b"whole")
        assert [path.name for path in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()


def test_what_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    temporary_name(path).write_text("half")
    write_text(path, "text")
    assert [left.name for left in tmp_path.iterdir()] == ["a.txt"]


def test_an_append_only_file_goes_on_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntw")
    file = AppendOnlyFile(path, 4)
    file.add(b"two\n")
    file.close()
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_file_that_was_swapped_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    file = AppendOnlyFile(path, 0)
    path.rename(tmp_path / "b.log")
    path.write_bytes(b"")
    with pytest.raises(OutputError, match="another file took its place"):
        file.close()


def test_a_full_disk_is_told_with_what_to_do() -> None:
    full = unwritable(Path("out"), OSError(ENOSPC, "No space left on device"))
    assert str(full) == (
        "out: cannot be written: No space left on device: "
        "make room, then run the same command again"
    )
