"""The files below a folder, in order. Links that lead back to a parent folder do no harm."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cctranslate.files.names import is_clutter

Identity = tuple[int, int]
"""The device and the inode of a file. Two paths with the same identity are one file."""


@dataclass(frozen=True, kw_only=True)
class _Folder:
    """A folder whose content is walked next."""

    path: Path
    prefix: str
    """Its path relative to the root of the walk, with a `/` at its end."""
    identity: Identity | None
    """None: it is the root."""


def walk(root: Path, leave_out: Iterable[Path] = ()) -> Iterator[tuple[Path, str]]:
    """Yield the files below a folder with their relative paths, sorted by name in each folder.

    Relative paths are joined by `/`. Linked folders are followed, but not into a folder that is
    being walked. Hidden files and folders and those of the system are left out. A folder that
    cannot be listed is yielded as a file, so that it fails with a row. Memory is bounded by the
    names in one folder of each level.

    Args:
        root: The folder.
        leave_out: Files and folders that are not yielded or walked.
    """
    closed = {identity(path) for path in (root, *leave_out) if path.exists()}
    # Not recursive: folders may be nested deeper than Python's stack allows.
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
    """Yield the files and folders in a folder that are not in `closed` by then."""
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
    """Return the sorted names in a folder, and those that need a closer look.

    These are folders, links, and files with one of the inodes. Each look takes as long as reading a
    small file.
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
    """Return the identity of a file.

    Raises:
        OSError: It cannot be looked at.
    """
    status = path.stat()
    return status.st_dev, status.st_ino
