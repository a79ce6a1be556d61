"""Files that are not on a disk, by fsspec: `s3://`, `gs://`, `http://`, `memory://`.

`open_path` gives them as `universal_pathlib` has them, to be used as a `pathlib.Path` is: with
`open`, `stat`, `iterdir`, `name`, `suffix`, `parent` and `/`. Neither library is imported for a
path without a scheme.
"""

from __future__ import annotations

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
"""What stores call the time of a change."""


def is_remote(word: object) -> bool:
    """Return whether a path or a word names a file by a scheme."""
    return bool(_SCHEME.match(str(word)))


def open_path(word: str) -> Path:
    """Return the path that a word names, in a store or on a disk.

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
    """Return what a remote path's file system calls it."""
    return str(cast(Any, path).path)


def read(path: Path) -> bytes:
    """Return the content of a remote file, in one request.

    Raises:
        OSError: It cannot be read.
    """
    with errors_of(path):
        content: bytes = system(path).cat_file(key(path))
    return content


@contextmanager
def uploading(path: Path) -> Iterator[BinaryIO]:
    """Open a file on this disk that becomes a remote one when the block ends without an error.

    A store shows a file once all of it is there.

    Raises:
        OSError: It cannot be written; what is at `path` stays as it was.
    """
    with NamedTemporaryFile(prefix="cctranslate-") as file:
        yield cast(BinaryIO, file)
        file.flush()
        with errors_of(path):
            try:
                system(path).put_file(file.name, key(path))
            except NotImplementedError:
                raise OSError("the store cannot be written to") from None


@contextmanager
def errors_of(path: object) -> Iterator[None]:
    """Raise what a store's library raises, such as for want of a login, as OSError."""
    try:
        yield
    except (OSError, UserError):
        raise
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise OSError(f"{path}: {text}") from error


def modified(info: Mapping[str, Any]) -> int:
    """Return the time of a listed file's last change in nanoseconds; 0 if the store tells none."""
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
