"""Turn paths, bytes, PIL images and arrays into inputs for the stages of `batch`."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cctranslate.batch.items import BrokenItem, ContentItem, Item
from cctranslate.batch.outputs.encoding import Result, encode
from cctranslate.faces import raster
from cctranslate.files.paths import can_exist
from cctranslate.files.remote import is_remote

Source = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""A path, the bytes of a picture file, a PIL image, or an array [H,W], [H,W,3] or [H,W,4] uint8."""


def is_single(sources: object) -> bool:
    """Return whether what should be several pictures is one."""
    if isinstance(sources, np.ndarray):  # else an array of pictures
        return sources.ndim < 3 or (sources.ndim == 3 and sources.shape[2] in (1, 3, 4))
    return isinstance(sources, str | os.PathLike | bytes | bytearray | memoryview | Image.Image)


def to_item(source: Source) -> Item:
    """Return a source as an input. If it is no picture, the input fails with the reason."""
    if isinstance(source, str | os.PathLike):
        path = Path(os.fsdecode(source))
        if not os.fspath(source):
            return _broken("''", "it is empty: name a path")
        if is_remote(source):
            return _broken("URL", f"{source}: only `batch` reads URLs: pass the picture's bytes")
        if not can_exist(path):
            return _broken(repr(str(path)), "no file can have this name")
        return Item(path=path, relative=path.name, named=True)
    if isinstance(source, bytes | bytearray | memoryview):
        return _member("bytes", bytes(source))
    if isinstance(source, Image.Image):
        return _encoded("image", source)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    return _broken(type(source).__name__, "expected a path, bytes, a PIL image or a uint8 array")


def _from_array(array: NDArray[Any]) -> Item:
    name = f"array {list(array.shape)} of {array.dtype}"
    levels = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    shaped = levels.ndim == 2 or (levels.ndim == 3 and levels.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not shaped:
        return _broken(name, "expected [H,W], [H,W,3] or [H,W,4] of uint8")
    return _encoded(name, Image.fromarray(np.ascontiguousarray(levels)))


def _encoded(name: str, picture: Image.Image) -> Item:
    """Return a picture as a PNG in memory, upright, so that it is read as files are."""
    if not (picture.width and picture.height):
        return _broken(name, "it is empty")
    try:
        canvas = raster.read(picture.copy())
        upright = Result(picture=canvas.picture(), color_space=canvas.color_space)
        content = encode(upright, "png", packet=None)
    except Exception as error:
        # A picture that was opened and not loaded is decoded here: that raises nearly anything.
        return _broken(name, " ".join(str(error).split()) or type(error).__name__)
    return _member(name, content)


def _member(name: str, content: bytes) -> Item:
    return ContentItem(path=Path(name), relative=name, named=True, content=content)


def _broken(name: str, reason: str) -> Item:
    return BrokenItem(path=Path(name), relative=name, named=True, reason=reason)
