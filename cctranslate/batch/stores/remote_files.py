"""Inputs in object stores and on web servers, listed folder by folder."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cctranslate import remote
from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.exclusions import EARLIER, InputFilter, OutputPaths
from cctranslate.batch.inputs.items import Broken, Item, Member
from cctranslate.batch.outputs.ownership import is_marked_content
from cctranslate.errors import InputError
from cctranslate.fer2013 import is_clutter
from cctranslate.files import FileStamp
from cctranslate.remote import open_path

_MAGIC = frozenset("*?[")


@dataclass(frozen=True, kw_only=True)
class RemoteFile(Item):
    """A file in a store, whose content comes with `fetch`, in any thread."""

    def fetch(self) -> Item:
        """Return the file with its content, or with the reason why it has none."""
        common: dict[str, Any] = {
            name: getattr(self, name) for name in ("path", "relative", "named", "remainder")
        }
        if self.listed and self.listed.size > LARGEST:
            reason = f"more than {LARGEST >> 20} MiB: save it as a file"
            return Broken(**common, listed=self.listed, reason=reason)
        try:
            content = remote.read(self.path)
        except OSError as error:
            return Broken(**common, listed=self.listed, reason=error.strerror or str(error))
        if not self.named and is_marked_content(content):
            return Broken(**common, listed=self.listed, reason=EARLIER, skipped=True)
        return Member(**common, listed=self.listed, content=content)


def check(word: str) -> None:
    """Make sure that a remote input names something.

    Raises:
        InputError: It does not, or cannot be reached.
    """
    try:
        with remote.errors_of(word):
            found = next(iter(named(word)), None)
            there = found is not None and (found.exists() or found.is_dir())
    except OSError as error:
        raise remote.unreadable(word, error) from None
    if not there:
        raise InputError(f"{word}: not found: name a picture, a folder or a pattern")


def named(word: str) -> list[Path]:
    """Return the paths that a word names: itself, or what it matches as a pattern."""
    path = open_path(word)
    if not _MAGIC.intersection(word) or word.startswith("http"):
        return [path]
    system = remote.system(path)
    return [
        open_path(system.unstrip_protocol(key)) for key in sorted(system.glob(remote.key(path)))
    ]


def from_folder(root: Path, written: OutputPaths, chosen: InputFilter) -> Iterator[Item]:
    """Yield the files below a folder, as a folder on a disk is walked.

    Raises:
        InputError: It cannot be listed.
    """
    try:
        with remote.errors_of(root):
            for path, relative, info in _walk(remote.system(root), remote.key(root), ""):
                found = open_path(path)
                if not written.holds(found) and chosen.takes_name(relative):
                    yield RemoteFile(
                        path=found, relative=relative, named=False, listed=_stamp(info)
                    )
    except OSError as error:
        raise remote.unreadable(root, error) from None


def from_file(path: Path, relative: str) -> RemoteFile:
    """Return a file that was named."""
    return RemoteFile(path=path, relative=relative, named=True, listed=stamp(path))


def with_stamp(items: Iterator[Item], path: Path) -> Iterator[Item]:
    """Return the parts of an archive with the stamp of its file, which is looked at once."""
    listed = stamp(path)
    return (replace(item, listed=listed) for item in items)


def stamp(path: Path) -> FileStamp | None:
    """Return what a store tells of a file; None if it tells nothing."""
    try:
        with remote.errors_of(path):
            return _stamp(remote.system(path).info(remote.key(path)))
    except OSError:
        return None


def _walk(system: Any, folder: str, prefix: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return the URL of each file, its path relative to the folder, and what the store tells."""
    for info in sorted(system.ls(folder, detail=True), key=lambda info: str(info["name"])):
        path = str(info["name"])
        name = path.rstrip("/").rpartition("/")[2]
        if is_clutter(name) or path.rstrip("/") == folder.rstrip("/"):  # a marker of the folder
            continue
        if info["type"] == "directory":
            yield from _walk(system, path, f"{prefix}{name}/")
        else:
            yield system.unstrip_protocol(path), prefix + name, info


def _stamp(info: dict[str, Any]) -> FileStamp:
    return FileStamp(size=int(info.get("size") or 0), mtime_ns=remote.modified(info))
