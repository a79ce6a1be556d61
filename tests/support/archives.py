"""Archives of drawn faces, and rows of a dataset."""

import io
import tarfile
import zipfile
from pathlib import Path

from cctranslate.emotions import EMOTIONS
from tests.support import pictures
from tests.support.pictures import png


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


SEVEN = {f"pictures/{EMOTIONS[k]}/{k}.png": png(k) for k in (0, 1, 2, 3, 6, 4, 5)}
"""In the order in which a folder of them would be walked."""


def table(usages: tuple[str, ...]) -> bytes:
    """A dataset of drawn faces of label 3, one for each usage."""
    pixels = " ".join(map(str, pictures.draw_face(3, 0).ravel()))
    lines = [f"3,{pixels},{usage}\n" for usage in usages]
    return ("emotion,pixels,Usage\n" + "".join(lines)).encode()
