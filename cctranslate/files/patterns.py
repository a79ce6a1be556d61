"""Shell patterns with `**`, which also end where links lead back to a parent folder."""

import glob
import os
import re
from collections.abc import Iterator

from cctranslate.files.names import is_clutter

_SEPARATORS = re.escape(os.sep + (os.altsep or ""))
_DEEP = re.compile(rf"(?:^|(?<=[{_SEPARATORS}]))\*\*(?:[{_SEPARATORS}]+|$)")


def is_deep(pattern: str) -> bool:
    """Return whether a pattern has a `**`."""
    return _DEEP.search(pattern) is not None


def matches(pattern: str, base: str = "") -> Iterator[str]:
    """Yield the paths that a pattern matches, in no order.

    `**` stands for any number of nested folders. Linked folders are followed, but not into a
    folder that the path is already in. Hidden folders and those of the system are left out.

    Args:
        pattern: With the wildcards of `glob`.
        base: Where a relative pattern starts from; the paths begin with it.
    """
    deep = _DEEP.search(pattern)
    if deep is None:
        names = glob.iglob(pattern, root_dir=base or None)  # noqa: PTH207
        yield from (os.path.join(base, name) for name in names)  # noqa: PTH118
        return
    above, rest = pattern[: deep.start()], pattern[deep.end() :]
    for start in matches(above, base) if above else (base,):
        for folder in _folders(start):
            yield from matches(rest or "*", folder)


def _folders(start: str) -> Iterator[str]:
    """Yield a folder and those below it, each with a separator at its end.

    `""` is the working directory. A folder that cannot be listed counts as empty, as in a shell.
    """
    # Not recursive: folders may be nested deeper than Python's stack allows.
    ahead: list[tuple[str, frozenset[tuple[int, int]]]] = [(start, frozenset())]
    while ahead:
        folder, through = ahead.pop()
        try:
            status = os.stat(folder or ".")  # noqa: PTH116
            if (identity := (status.st_dev, status.st_ino)) in through:
                continue
            with os.scandir(folder or ".") as entries:
                below = [entry.name for entry in entries if _is_folder(entry)]
        except OSError:
            continue
        yield folder
        inner = through | {identity}
        ahead += [
            (os.path.join(folder, name, ""), inner)  # noqa: PTH118
            for name in below
            if not is_clutter(name)
        ]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # `entry.is_dir()` raises OSError for a link to itself.
    if entry.is_symlink():
        return os.path.isdir(entry.path)  # noqa: PTH112
    return entry.is_dir()
