"""Small files are read whole, and made whole or not at all."""

from pathlib import Path

import pytest

from cctranslate.files.small_files import SMALL, create_file, read_at_once
from cctranslate.files.writing import temporary_name


@pytest.mark.parametrize("size", [0, 10, SMALL, SMALL + 1, 3 * SMALL])
def test_what_is_read_at_once_is_all_of_a_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(1, 251)) * (size // 250 + 1))
    content = path.read_bytes()[:size]
    path.write_bytes(content)
    assert read_at_once(path) == content
    with pytest.raises(FileNotFoundError):
        read_at_once(tmp_path / "gone.bin")


def test_what_cannot_be_created_leaves_nothing(tmp_path: Path) -> None:
    create_file(tmp_path / "a.bin", bytes(3 * SMALL))
    assert (tmp_path / "a.bin").read_bytes() == bytes(3 * SMALL)
    (tmp_path / "b.bin").mkdir()
    for path in (tmp_path / "b.bin", tmp_path / "gone" / "c.bin"):
        with pytest.raises(OSError):
            create_file(path, b"new")
    assert sorted(left.name for left in tmp_path.iterdir()) == ["a.bin", "b.bin"]
    with pytest.raises(TypeError):
        create_file(tmp_path / "d.bin", "no bytes")  # type: ignore[arg-type]
    assert not temporary_name(tmp_path / "d.bin").exists()
