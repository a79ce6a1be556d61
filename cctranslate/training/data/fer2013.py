"""Read FER2013 in any of its forms, as arrays by split."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from cctranslate.errors import DataError, MissingDataError
from cctranslate.fer2013 import (
    HEAD,
    USAGES,
    CsvFault,
    CsvRow,
    has_pixels,
    parse_label,
    parse_pixels,
    parse_usage,
    read_csv,
)
from cctranslate.files.compression import decompressed
from cctranslate.files.names import is_clutter, member_path
from cctranslate.files.tar_members import open_stream, stream_members
from cctranslate.files.walking import walk
from cctranslate.files.zips import open_zip
from cctranslate.pixels import SIZE, Gray
from cctranslate.training.data.picture_folders import Echo, Row, picture_rows

CSV_NAMES = ("fer2013.csv", "icml_face_data.csv", "train.csv")
WHERE = (
    "FER2013 is on Kaggle (challenges-in-representation-learning-facial-expression-recognition-"
    "challenge, or msambare/fer2013): put fer2013.csv under datasets/, or name the download, "
    "zipped or not, with --data"
)


def _silent(line: str) -> None:
    """Drop a line."""


@dataclass(frozen=True, kw_only=True)
class Faces:
    """One split: `images` [N,48,48] uint8, `labels` [N] uint8 (FER2013 ids), `rows` [N] int64.

    `rows` are the faces' row numbers in the official CSV, by which FER+ votes are matched.
    """

    images: Gray
    labels: NDArray[np.uint8]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Faces":
        """Return the chosen faces, by mask or indices."""
        return Faces(images=self.images[chosen], labels=self.labels[chosen], rows=self.rows[chosen])


Splits = dict[str, Faces]
"""Faces by usage: Training, PublicTest, PrivateTest; missing ones are left out."""


def load(path: Path, echo: Echo = _silent) -> Splits:
    """Read FER2013 from a CSV, a folder, or a zip or tar of either, compressed or not.

    Args:
        path: The file or folder.
        echo: Takes lines on pictures in the folder that are left out.

    Raises:
        DataError: The file is missing, damaged or not FER2013, or a row is bad.
    """
    if path.is_dir():
        return _load_named(_below(path), lambda name: (path / name).open("rb"), str(path), echo)
    if not path.is_file():
        raise MissingDataError(f"{path}: not found. {WHERE}")
    try:
        if zipfile.is_zipfile(path):
            with open_zip(path) as archive:
                members = (name for name in archive.namelist() if not name.endswith("/"))
                return _load_named(
                    members, lambda name: _buffered(archive.open(name)), str(path), echo
                )
        if tarfile.is_tarfile(path):
            return _load_tar(path, echo)
        with path.open("rb") as packed, decompressed(packed) as file:
            return _load_csv(file, str(path))
    except DataError:
        raise
    except PermissionError as error:
        raise MissingDataError(f"{path}: cannot be read: {error.strerror}") from None
    except Exception as error:
        # Each archive format raises errors of its own.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: damaged or encrypted: {reason}: download it again") from None


def _below(folder: Path) -> Iterator[str]:
    """Return the files below a folder, as `batch` finds them: linked folders are followed."""
    for path, relative in walk(folder):
        if path.is_dir():
            raise DataError(f"{path}: cannot be listed: make it readable or remove it")
        if path.is_file() or not path.exists():  # a dangling link fails when it is opened
            yield relative


def _load_tar(path: Path, echo: Echo) -> Splits:
    with path.open("rb") as packed, decompressed(packed) as file, open_stream(file) as stream:
        # Unlike tarfile alone, this reads on in joined tars, and notices what is damaged.
        members = {member.name: member for member in stream_members(stream) if member.isfile()}
    with tarfile.open(path) as archive:

        def opened(name: str) -> io.BufferedReader:
            file = archive.extractfile(members[name])
            assert file is not None  # a regular file, as chosen above
            return _buffered(file)

        return _load_named(members, opened, str(path), echo)


def _buffered(file: IO[bytes]) -> io.BufferedReader:
    return io.BufferedReader(cast(io.RawIOBase, file))


def fingerprint(splits: Splits) -> str:
    """Return the SHA-256 of all images and labels, to tell which data a model was trained on."""
    digest = hashlib.sha256()
    for usage in USAGES:
        if usage in splits:
            digest.update(usage.encode())
            digest.update(splits[usage].images.tobytes())
            digest.update(splits[usage].labels.tobytes())
    return digest.hexdigest()


def without_copies(faces: Faces, of: Faces) -> Faces:
    """Return the faces without exact copies in another split.

    About 8% of FER2013's test faces are also in Training, and would inflate figures.
    """
    of_pixels = {image.tobytes() for image in of.images}
    return faces.take(np.array([image.tobytes() not in of_pixels for image in faces.images], bool))


def _collect(rows: Iterable[Row], source: str) -> Splits:
    """Collect rows in arrays that grow in place, which takes little more memory than the pixels."""
    pixels = {usage: bytearray() for usage in USAGES}
    labels = {usage: bytearray() for usage in USAGES}
    numbers: dict[str, list[int]] = {usage: [] for usage in USAGES}
    for usage, label, number, face in rows:
        pixels[usage] += face
        labels[usage].append(label)
        numbers[usage].append(number)
    splits = {
        usage: _in_row_order(
            Faces(
                images=np.frombuffer(pixels[usage], np.uint8).reshape(-1, SIZE, SIZE),
                labels=np.frombuffer(labels[usage], np.uint8),
                rows=np.array(numbers[usage], np.int64),
            )
        )
        for usage in USAGES
        if labels[usage]
    }
    if not splits:
        raise DataError(f"{source}: holds no faces. {WHERE}")
    return splits


def _in_row_order(faces: Faces) -> Faces:
    """Sort faces by row number, so that all forms of the dataset give the same arrays."""
    order = np.argsort(faces.rows, kind="stable")
    return faces if (np.diff(order) == 1).all() else faces.take(order)


def _load_csv(file: IO[bytes], source: str) -> Splits:
    """Read fer2013.csv, icml_face_data.csv or train.csv, which has no Usage."""
    columns, rows = read_csv(file)
    if not {"emotion", "pixels"} <= set(columns):
        try:
            ",".join(columns).encode()
        except UnicodeEncodeError:
            reason = "not UTF-8 text: expected a CSV, or a whole zip or tar"
            raise DataError(f"{source}: line 1: {reason}") from None
        raise DataError(f"{source}: line 1: expected columns emotion,pixels,Usage. {WHERE}")
    return _collect((_from_csv(row, source) for row in rows), source)


def _from_csv(row: CsvRow | CsvFault, source: str) -> Row:
    try:
        if isinstance(row, CsvFault):
            raise ValueError(row.reason)
        usage = USAGES[0] if row.usage is None else parse_usage(row.usage)
        label = parse_label(row.emotion or "")
        return usage, label, row.number, parse_pixels(row.pixels).tobytes()
    except ValueError as error:
        raise DataError(f"{source}: line {row.line}: {error}: mend or remove the line") from None


def _load_named(
    names: Iterable[str], opened: Callable[[str], io.BufferedReader], source: str, echo: Echo
) -> Splits:
    """Read the dataset among the files of a folder or an archive: its CSV, or else its pictures."""
    paths = {member_path(name): name for name in names}
    files = {path: paths[path] for path in sorted(paths) if not is_clutter(path)}
    for path in sorted(files, key=_csv_rank):
        if _csv_rank(path) > len(CSV_NAMES):
            break
        with opened(files[path]) as packed, decompressed(packed) as file:
            if PurePosixPath(path).name in CSV_NAMES or has_pixels(file.peek(HEAD)):
                return _load_csv(file, f"{source}: {path}")
    return _collect(picture_rows(files, opened, source, echo), source)


def _csv_rank(path: str) -> int:
    """Return the rank in which a file is tried as the dataset's CSV; other files rank last."""
    name = PurePosixPath(path).name.lower()
    name = name.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz")
    if name in CSV_NAMES:
        return CSV_NAMES.index(name)
    return len(CSV_NAMES) + (not name.endswith(".csv"))
