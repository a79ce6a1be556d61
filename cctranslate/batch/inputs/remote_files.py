"""Find inputs in object stores and on web servers, listed folder by folder."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.exclusions import EARLIER, InputFilter, OutputPaths
from cctranslate.batch.items import Item
from cctranslate.batch.outputs.ownership import is_marked_content
from cctranslate.errors import InputError
from cctranslate.files import remote
from cctranslate.files.names import is_clutter
from cctranslate.files.paths import FileStamp
from cctranslate.files.remote import open_path

_MAGIC = frozenset("*?[")


@dataclass(frozen=True, kw_only=True)
class RemoteFile(Item):
    """A file in a store, whose content `fetch` reads, in any thread."""

    def fetch(self) -> Item:
        """Return the file with its content, or a broken item with the reason."""
        if self.store_stamp and self.store_stamp.size > LARGEST:
            return self.broken(f"more than {LARGEST >> 20} MiB: save it as a file")
        try:
            content = remote.read(self.path)
        except OSError as error:
            return self.broken(error.strerror or str(error))
        if not self.named and is_marked_content(content):
            return self.broken(EARLIER, skipped=True)
        return self.with_content(content)


def check(word: str) -> None:
    """Check that a remote input exists.

    Raises:
        InputError: It does not exist, or cannot be reached.
    """
    try:
        with remote.errors_of(word):
            first = next(iter(matching_paths(word)), None)
            exists = first is not None and (first.exists() or first.is_dir())
    except OSError as error:
        raise remote.unreadable(word, error) from None
    if not exists:
        raise InputError(f"{word}: not found: name a picture, a folder or a pattern")


def matching_paths(word: str) -> list[Path]:
    """Return the path that an argument names, or the paths that it matches as a pattern."""
    path = open_path(word)
    if not _MAGIC.intersection(word) or word.startswith("http"):
        return [path]
    system = remote.system(path)
    return [
        open_path(system.unstrip_protocol(key)) for key in sorted(system.glob(remote.key(path)))
    ]


def from_folder(root: Path, output_paths: OutputPaths, input_filter: InputFilter) -> Iterator[Item]:
    """Yield the files below a remote folder, as `files.walking.walk` does on a disk.

    Raises:
        InputError: It cannot be listed.
    """
    try:
        with remote.errors_of(root):
            for path, relative, info in _walk(remote.system(root), remote.key(root), ""):
                file = open_path(path)
                if not output_paths.holds(file) and input_filter.takes_name(relative):
                    yield RemoteFile(
                        path=file,
                        relative=relative,
                        named=False,
                        store_stamp=_stamp(info),
                    )
    except OSError as error:
        raise remote.unreadable(root, error) from None


def from_file(path: Path, relative: str) -> RemoteFile:
    """Return an item for a file that the user named."""
    return RemoteFile(path=path, relative=relative, named=True, store_stamp=stamp(path))


def with_stamp(items: Iterator[Item], path: Path) -> Iterator[Item]:
    """Return the items of an archive with the stamp of its file, which takes one request."""
    file_stamp = stamp(path)
    return (replace(item, store_stamp=file_stamp) for item in items)


def stamp(path: Path) -> FileStamp | None:
    """Return size and time of a file in a store; None if the store has none."""
    try:
        with remote.errors_of(path):
            return _stamp(remote.system(path).info(remote.key(path)))
    except OSError:
        return None


def _walk(system: Any, folder: str, prefix: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the URL of each file, its path relative to the folder, and the store's info."""
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
