"""Names of files: those that are no data, and those of archive members."""

_CLUTTER = {
    "__macosx",
    "@eadir",
    "@recycle",
    "@tmp",
    "@__thumb",
    "@recently-snapshot",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "recycled",
    "recycler",
    "system volume information",
    "network trash folder",
    "temporary items",
    "lost+found",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
}
"""Lower-case names of folders and files that systems and file managers make."""
_VIDEO_PREVIEW = ".thm"
"""The end of a JPEG that a camera puts beside a video."""


def member_path(name: str) -> str:
    """Return an archive member's name as a `/`-joined path below a folder.

    Zips made on Windows may have backslashes. Roots, drives, `.` and `..` are left out.
    """
    parts = name.replace("\\", "/").replace(":", "_").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..")) or "member"


def is_clutter(path: str) -> bool:
    """Return whether a `/`-joined path is hidden or lies in a folder that a system made."""
    folded = path.lower()
    return folded.endswith(_VIDEO_PREVIEW) or any(
        part in _CLUTTER or (part.startswith(".") and part not in (".", ".."))
        for part in folded.split("/")
    )
