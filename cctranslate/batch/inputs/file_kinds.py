"""Recognize files that Pillow cannot read, by their first bytes and names, and say what to do."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePath

from PIL import Image

from cctranslate.fer2013 import has_pixels
from cctranslate.files.compression import is_compressed

_RAW_SUFFIXES = {
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq"),
    *(".k25", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf"),
    *(".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
}
_RAW_HEADS = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM")
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2"}
_DOCUMENT_FORMATS = {
    "BUFR": "meteorological data",
    "EPS": "a PostScript document",
    "GRIB": "meteorological data",
    "HDF5": "an HDF5 file",
    "MPEG": "a video",
    "Parquet": "a Parquet table: save its pictures as files first",
    "PDF": "a PDF document",
}
"""Formats that Pillow opens, but that hold documents, data or videos."""
_DOCUMENT_HEADS = {
    b"%PDF": "PDF",
    b"%!PS": "EPS",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"\x89HDF": "HDF5",
    b"\0\0\x01\xba": "MPEG",
    b"\0\0\x01\xb3": "MPEG",
    b"GRIB": "GRIB",
    b"BUFR": "BUFR",
    b"PAR1": "Parquet",
}
_ARCHIVES = (".zip", ".tar", ".cbz", ".cbt")
_PACKED_HEADS = (
    *(b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd"),
    *(b"\x1f\x9d", b"]\0\0", b"LZIP", b"PK\x07\x08"),
)
_DAMAGED_HEIF = "HEIC: damaged, or of a kind that pillow-heif cannot read"
_TIFF_NEW_SUBFILE_TYPE, _TIFF_PHOTOMETRIC, _TIFF_SUB_IFDS, _TIFF_DNG = 254, 262, 330, 50706
"""Tags of TIFF."""
_SENSOR_DATA = (32803, 34892)
"""Values of TIFF's PhotometricInterpretation for raw sensor data."""


@dataclass(frozen=True, kw_only=True)
class UnreadFile:
    """The status of a file that cannot be read, and why."""

    skipped: bool
    """Whether it is skipped, as it is no picture; else it is a picture that fails."""
    reason: str
    unsupported: bool = False
    """Whether no file of this kind can be read here."""


def is_zip(head: bytes, path: Path) -> bool:
    """Return whether a file that begins with `head` is a zip."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or _is_named(head, path, ".zip")


def is_tar(head: bytes, path: Path) -> bool:
    """Return whether a file that begins with `head`, of `fer2013.HEAD` bytes, is a tar."""
    return head[257:262] == b"ustar" or _is_named(head, path, ".tar")


def _is_named(head: bytes, path: Path, suffix: str) -> bool:
    """Return whether a file has the suffix and does not hold a picture."""
    if path.suffix.lower() != suffix:
        return False
    if not head:
        return True  # maybe a pipe, which can be read only once
    try:
        with path.open("rb") as file, Image.open(file):
            return False
    except Exception:
        return True  # Pillow raises nearly anything for other files


def is_picture_name(name: PurePath) -> bool:
    """Return whether a name's suffix is one of pictures."""
    suffix = name.suffix.lower()
    registered = Image.registered_extensions().get(suffix)
    return (registered is not None and registered not in _DOCUMENT_FORMATS) or _by_suffix(
        suffix
    ) != ""


def is_document(picture: Image.Image) -> bool:
    """Return whether Pillow opened a document, data or a video."""
    return picture.format in _DOCUMENT_FORMATS


def is_camera_raw(picture: Image.Image, name: PurePath) -> bool:
    """Return whether Pillow opened only the preview in a camera's raw file."""
    if picture.format != "TIFF":
        return False
    tags = picture.tag_v2  # type: ignore[attr-defined]
    preview = tags.get(_TIFF_NEW_SUBFILE_TYPE) == 1 and _TIFF_SUB_IFDS in tags
    sensor = _TIFF_DNG in tags or tags.get(_TIFF_PHOTOMETRIC) in _SENSOR_DATA
    return preview or sensor or name.suffix.lower() in _RAW_SUFFIXES


def camera_raw_reason(name: PurePath) -> str:
    """Return the reason for a camera's raw file in the report."""
    kind = name.suffix[1:].upper() if name.suffix.lower() in _RAW_SUFFIXES else "raw"
    return f"camera raw ({kind}): develop it to JPEG, PNG or TIFF first"


def describe_unread(head: bytes, name: PurePath, *, named: bool, member: bool) -> UnreadFile:
    """Return the status and the reason of a file that Pillow cannot read.

    Args:
        head: Its first `fer2013.HEAD` bytes.
        name: Its name.
        named: Whether the user named it: then it fails, whatever it is.
        member: Whether it lies in an archive, else in a folder or by itself.
    """
    if reason := _picture_reason(head, name):
        return UnreadFile(skipped=False, reason=reason, unsupported=reason != _DAMAGED_HEIF)
    for start, form in _DOCUMENT_HEADS.items():
        if head.startswith(start):
            return UnreadFile(skipped=not named, reason=f"no picture: {_DOCUMENT_FORMATS[form]}")
    if reason := _container_reason(head, name, named=named, member=member):
        return UnreadFile(skipped=not named, reason=reason)
    claims_picture = named or is_picture_name(name)
    reason = "not a picture that Pillow can read" if head else "empty file"
    if head and name.suffix.lower() in (".csv", ".tsv"):
        reason = "no dataset in FER2013's form: a CSV with a column `pixels` and commas"
    return UnreadFile(skipped=not claims_picture, reason=reason)


def _picture_reason(head: bytes, name: PurePath) -> str:
    """Return why a picture of a recognized kind cannot be read; empty for other files."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in _HEIF_BRANDS and b"avif" not in head[:64]:
        return _heif()
    if brand == b"crx " or head.startswith(_RAW_HEADS):
        return camera_raw_reason(name)
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return _by_suffix(".jxl")
    return _by_suffix(name.suffix.lower()) if head else ""


def _by_suffix(suffix: str) -> str:
    if suffix in (".heic", ".heif", ".hif"):
        return _heif()
    if suffix == ".jxl":
        return "JPEG XL: convert it to PNG or JPEG first"
    return camera_raw_reason(PurePath(f"x{suffix}")) if suffix in _RAW_SUFFIXES else ""


def _heif() -> str:
    if find_spec("pillow_heif"):
        return _DAMAGED_HEIF
    return "HEIC: pip install 'cctranslate[heif]'"


def _container_reason(head: bytes, name: PurePath, *, named: bool, member: bool) -> str:
    """Return what to do with an archive or a dataset; empty for other files."""
    suffix = name.suffix.lower()
    zipped = named and head.startswith(b"PK\x03\x04")  # in a folder it may be a document
    is_archive = zipped or is_compressed(head) or head[257:262] == b"ustar" or suffix in _ARCHIVES
    if (is_archive or head.startswith(_PACKED_HEADS)) and head:
        if named and not head.startswith(_PACKED_HEADS):
            return "an archive where one picture is expected"
        if member:
            return "an archive in an archive: unpack it first"
        if head.startswith(_PACKED_HEADS):
            return "an archive that cannot be read: unpack it first"
        return "an archive in a folder: name it as an input to read it"
    if has_pixels(head) and named:
        return "a dataset where one picture is expected"
    if has_pixels(head):
        return "a dataset in a folder: name it as an input to read it"
    return ""
