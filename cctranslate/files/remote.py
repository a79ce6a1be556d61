"""Files in stores and on web servers, read and written through fsspec.

`open_path` turns `s3://`, `gs://`, `https://` and `memory://` into paths of `universal_pathlib`.
These have the methods of `pathlib.Path`: `open`, `stat`, `iterdir`, `name`, `suffix`, `parent`
and `/`. Neither library is imported for a path without a scheme.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, cast

from cctranslate.errors import InputError, OptionError, UserError

_SCHEME = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://")
_TIMES = ("LastModified", "mtime", "updated", "last_modified", "created")
"""The names under which stores list the time of a file's last change."""


def is_remote(word: object) -> bool:
    """Return whether a path or an argument begins with a scheme, such as `s3://`."""
    return bool(_SCHEME.match(str(word)))


def open_path(word: str) -> Path:
    """Return the path that an argument names, in a store or on a disk.

    Raises:
        OptionError: The library of such a store is not installed, or there is no such store.
    """
    if not is_remote(word):
        return Path(word)
    try:
        from upath import UPath

        # Another process may have written there since a folder was listed.
        path = UPath(word, use_listings_cache=False)
        path.fs  # noqa: B018  # imports the store's library
    except ImportError as error:
        name = error.name or "its library"
        raise OptionError(f"{word}: needs {name}: pip install 'cctranslate[remote]'") from None
    except ValueError as error:
        raise OptionError(f"{word}: {error}") from None
    return cast(Path, path)


def system(path: Path) -> Any:
    """Return fsspec's file system of a remote path."""
    return cast(Any, path).fs


def key(path: Path) -> str:
    """Return the path without its scheme, as fsspec's file systems expect it."""
    return str(cast(Any, path).path)


def read(path: Path) -> bytes:
    """Return the content of a remote file, in one request.

    Raises:
        OSError: It cannot be read.
    """
    with errors_of(path):
        content: bytes = system(path).cat_file(key(path))
    return content


def remove_folder(path: Path) -> None:
    """Remove all below a remote path.

    Raises:
        OSError: It cannot be removed.
    """
    with errors_of(path):
        if system(path).exists(key(path)):
            system(path).rm(key(path), recursive=True)


def write_new(path: Path, content: bytes, *, replaces: bool = False) -> None:
    """Write a remote file in one request, and replace one that is there only with `replaces`.

    Raises:
        FileExistsError: One is there.
        OSError: It cannot be written, or the store cannot refuse to replace a file.
    """
    with errors_of(path):
        try:
            mode = "overwrite" if replaces else "create"
            system(path).pipe_file(key(path), content, mode=mode)
        except (NotImplementedError, TypeError):
            reason = "the store cannot be written to, or cannot refuse to replace a file"
            raise OSError(errno.EROFS, reason) from None


@contextmanager
def uploading(path: Path) -> Iterator[BinaryIO]:
    """Open a local file that is uploaded to `path` when the block ends without an error.

    So readers of the store never see half a file.

    Raises:
        OSError: It cannot be written; what is at `path` stays as it was.
    """
    with NamedTemporaryFile(prefix="cctranslate-") as file:
        yield cast(BinaryIO, file)
        file.flush()
        upload(Path(file.name), path)


def download(path: Path, target: Path) -> bool:
    """Copy a remote file to this disk; return whether there is one.

    Raises:
        OSError: It cannot be read.
    """
    try:
        with errors_of(path):
            system(path).get_file(key(path), str(target))
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return False
    return True


def sizes(folder: Path) -> dict[str, int]:
    """Return the size of each file below a remote folder, by its path relative to it.

    Raises:
        OSError: It cannot be listed.
    """
    root = key(folder).rstrip("/") + "/"
    with errors_of(folder):
        files = system(folder).find(key(folder), detail=True)
    return {name.removeprefix(root): int(info["size"] or 0) for name, info in files.items()}


def upload(source: Path, path: Path) -> None:
    """Copy a file on this disk to a store, in parts if it is large.

    Raises:
        OSError: It cannot be written; what is at `path` stays as it was.
    """
    with errors_of(path):
        try:
            system(path).put_file(str(source), key(path))
        except NotImplementedError:
            raise OSError(errno.EROFS, "the store cannot be written to") from None


@contextmanager
def errors_of(path: object) -> Iterator[None]:
    """Turn the exceptions of a store's library, such as for a missing login, into OSError."""
    try:
        yield
    except (OSError, UserError):
        raise
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise OSError(errno.EIO, text) from error


def modified(info: Mapping[str, Any]) -> int:
    """Return the time of a listed file's last change in nanoseconds, 0 if unknown."""
    for name in _TIMES:
        value = info.get(name)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                continue
        if isinstance(value, datetime):
            value = value.timestamp()
        if isinstance(value, int | float):
            return round(value * 1e6) * 1000
    return 0


def unreadable(word: object, error: OSError) -> InputError:
    """Return the error of an input that cannot be read."""
    reason = error.strerror or str(error) or type(error).__name__
    return InputError(f"{word}: cannot be read: {reason.removeprefix(f'{word}: ')}")
