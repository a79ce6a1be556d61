"""Read the whole members of tars that a run wrote."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class TarMember:
    """A whole member of a tar, with its positions in the file."""

    name: str
    start: int
    """The position of its header."""
    content: int
    """The position of its content."""
    size: int
    end: int
    """The position after its padding."""


def tar_members(path: Path) -> Iterator[TarMember]:
    """Yield the members of a tar, up to the first missing or damaged one."""
    try:
        length = path.stat().st_size
        with tarfile.open(path, "r:", encoding="utf-8") as archive:
            while info := archive.next():
                # tarfile keeps every member that it has read.
                archive.members = []  # type: ignore[attr-defined]
                end = info.offset_data + info.size + -info.size % tarfile.BLOCKSIZE
                if end > length:
                    return
                yield TarMember(
                    name=info.name,
                    start=info.offset,
                    content=info.offset_data,
                    size=info.size,
                    end=end,
                )
    except (OSError, tarfile.TarError):
        return
