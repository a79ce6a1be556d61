"""Bounds on memory, in bytes, so that photographs of any size can be worked on side by side."""

import os
from pathlib import Path

from cctranslate.batch.inputs.items import Broken, FaceRow, Item

EXPANSION = 24
"""Bytes of memory to decode a byte of a file: a JPEG of 8 MB has some 19 megapixels, which take
ten bytes each in Pillow, numpy and OpenCV together."""
LEAST = 256 << 20
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def budget() -> int:
    """Return the bytes that inputs in one stage may take: a quarter of the machine's memory."""
    limits = [_physical(), _container()]
    return max(min(limit for limit in limits if limit) // 4, LEAST) if any(limits) else LEAST


def weigh(item: Item) -> int:
    """Return roughly the bytes of memory that a fetched item takes while it is decoded."""
    if item.held or isinstance(item, FaceRow | Broken):
        return EXPANSION * item.held
    try:
        return EXPANSION * item.path.stat().st_size
    except (OSError, ValueError):
        return 0


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _container() -> int:
    """Return the limit of a container or a job, 0 if there is none."""
    try:
        text = _CGROUP.read_text(encoding="ascii").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
