"""Which files are no data, and where archive members go."""

import pytest

from cctranslate.files.names import is_clutter, member_path


@pytest.mark.parametrize(
    "path",
    [
        "a/@eaDir/b.jpg/SYNOPHOTO_THUMB_M.jpg",
        "$RECYCLE.BIN/$R1.jpg",
        "$Recycle.Bin/a.jpg",
        ".Trash-1000/files/a.jpg",
        "__MACOSX/._a.jpg",
        "#recycle/a.jpg",
        "System Volume Information/a.jpg",
        "lost+found/a.jpg",
        "a/Thumbs.db",
        "a/.b.jpg",
    ],
)
def test_what_systems_leave_is_clutter(path: str) -> None:
    assert is_clutter(path)


@pytest.mark.parametrize("path", ["./a.jpg", "a/recycle/b.jpg", "@home/c.jpg", "thumbs/d.png"])
def test_other_folders_are_no_clutter(path: str) -> None:
    assert not is_clutter(path)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("train\\happy\\a.png", "train/happy/a.png"),
        ("../../a.png", "a.png"),
        ("C:\\x.png", "C_/x.png"),
        ("/a//./b.png", "a/b.png"),
        ("..", "member"),
    ],
)
def test_member_names_are_paths_below_a_folder(name: str, path: str) -> None:
    assert member_path(name) == path
