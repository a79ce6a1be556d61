"""The files below a folder, in order, whatever links lead where."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cctranslate.files.names import is_clutter

Identity = tuple[int, int]
"""The device and the number of a file: what tells that two paths are one file."""


@dataclass(frozen=True, kw_only=True)
class _Folder:
    """A folder that is to be walked next."""

    path: Path
    prefix: str
    """Its path relative to the root of the walk, with a `/` at its end."""
    identity: Identity | None
    """None: it is the root."""


def walk(root: Path, leave_out: Iterable[Path] = ()) -> Iterator[tuple[Path, str]]:
    """Return the files below a folder, sorted by name in each, and their paths relative to it.

    Paths are `/`-joined. Linked folders are followed, but never into one that is being walked
    already. Hidden files and folders, and those of the system, are left alone. A folder that
    cannot be listed comes as an item, to fail with its row. Only one folder's names are held for
    each level.
    """
    closed = {identity(path) for path in (root, *leave_out) if path.exists()}
    # No recursion: folders may lie in one another deeper than Python's calls may.
    levels: list[tuple[_Folder, Iterator[_Folder | tuple[Path, str]]]] = []
    folder: _Folder | None = _Folder(path=root, prefix="", identity=None)
    while folder or levels:
        if folder:
            if folder.identity:
                closed.add(folder.identity)
            levels.append((folder, _content(folder, closed)))
            folder = None
        for entry in levels[-1][1]:
            if isinstance(entry, _Folder):
                folder = entry
                break
            yield entry
        else:
            ended, _ = levels.pop()
            if ended.identity:
                closed.remove(ended.identity)


def _content(folder: _Folder, closed: set[Identity]) -> Iterator[_Folder | tuple[Path, str]]:
    """Return the files and folders in a folder; those that are `closed` by then are passed by."""
    try:
        names, others = _listed(folder.path, {inode for _, inode in closed})
    except OSError:
        yield folder.path, folder.prefix.rstrip("/") or folder.path.name
        return
    for name in names:
        path, relative = folder.path / name, folder.prefix + name
        if name not in others:
            yield path, relative
            continue
        try:
            status = path.stat()
        except OSError:
            yield path, relative  # a dangling link: decoding gives it its row
            continue
        entry_identity = status.st_dev, status.st_ino
        if entry_identity in closed:
            continue
        if stat.S_ISDIR(status.st_mode):
            yield _Folder(path=path, prefix=f"{relative}/", identity=entry_identity)
        else:
            yield path, relative


def _listed(folder: Path, inodes: set[int]) -> tuple[list[str], set[str]]:
    """Return the names in a folder, sorted, and those that are more than an ordinary file.

    Those may be folders, links, or one of the files with these inodes. To look at each file takes
    as long as to read a small one.
    """
    names, others = list[str](), set[str]()
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_clutter(entry.name):
                continue
            names.append(entry.name)
            if not entry.is_file(follow_symlinks=False) or entry.inode() in inodes:
                others.add(entry.name)
    return sorted(names), others


def identity(path: Path) -> Identity:
    """Return what tells a file from all others.

    Raises:
        OSError: it cannot be looked at.
    """
    status = path.stat()
    return status.st_dev, status.st_ino
