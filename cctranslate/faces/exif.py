"""The EXIF data that a result keeps of its source."""

from contextlib import suppress
from dataclasses import dataclass

from PIL import ExifTags, Image

_OF_THE_FILE = {
    *(254, 255, 256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324),
    *(325, 330, 338, 339, 347, 530, 531, 532, 700, 33723, 34377, 34675),
}
"""Tags about the pixels' layout in the file, the orientation, and nested blocks of metadata."""


@dataclass(frozen=True, kw_only=True)
class KeptExif:
    """EXIF data without an orientation or a thumbnail, which would show the old face."""

    data: bytes = b""
    left_out: tuple[str, ...] = ()
    """The names of tags that cannot be written."""


def kept_exif(picture: Image.Image) -> KeptExif:
    """Return the EXIF data of a picture that has been turned upright.

    Tags of a wrong type or with a bad value are left out.
    """
    try:
        exif = picture.getexif()
        for tag in _OF_THE_FILE & set(exif):
            del exif[tag]
        if not exif:
            return KeptExif()
    except Exception:  # Pillow raises nearly anything for bad tags
        return KeptExif(left_out=("all",))
    with suppress(Exception):
        return KeptExif(data=exif.tobytes())
    left_out = [tag for tag in exif if not _can_be_written(exif, tag)]
    for tag in left_out:
        del exif[tag]
    names = tuple(ExifTags.TAGS.get(tag, hex(tag)) for tag in left_out)
    with suppress(Exception):
        return KeptExif(data=exif.tobytes() if exif else b"", left_out=names)
    return KeptExif(left_out=("all",))


def _can_be_written(exif: Image.Exif, tag: int) -> bool:
    alone = Image.Exif()
    with suppress(Exception):
        alone[tag] = exif[tag]
        alone.tobytes()
        return True
    return False
