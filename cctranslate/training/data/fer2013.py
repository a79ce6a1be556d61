"""FER2013 in every form it is found in, as arrays by split."""

import csv
import hashlib
import io
import re
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cctranslate.emotions import EMOTIONS, parse_emotion
from cctranslate.errors import DataError
from cctranslate.pixels import SIZE, Gray, to_gray

DEFAULT = Path("datasets/fer2013.csv")
USAGES = ("Training", "PublicTest", "PrivateTest")
CSV_NAMES = ("fer2013.csv", "icml_face_data.csv", "train.csv")
WHERE = (
    "FER2013 is on Kaggle (challenges-in-representation-learning-facial-expression-recognition-"
    "challenge, or msambare/fer2013): put fer2013.csv under datasets/, or name the download, "
    "zipped or not, with --data"
)
_ROW_NAME = re.compile(r"(Training|PublicTest|PrivateTest)_(\d+)\.\w+$")
_FOLDERS = {"train": "Training", "test": "PublicTest"}
_NAMELESS = 1_000_000
"""Where the numbers of pictures start whose names carry none: past the votes' own."""
_LONGEST = 100_000
"""Characters a line: FER2013's have under 10,000; a file without line ends may be of any size."""


@dataclass(frozen=True, kw_only=True)
class Faces:
    """One split: `images` [N,48,48] uint8, `labels` [N] uint8 (FER2013 ids), `rows` [N] int64.

    `rows` are the faces' row numbers in the official CSV (what FER+ votes go by).
    """

    images: Gray
    labels: NDArray[np.uint8]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Faces":
        """The chosen faces, by mask or indices."""
        return Faces(images=self.images[chosen], labels=self.labels[chosen], rows=self.rows[chosen])


Splits = dict[str, Faces]
"""Faces by Usage: Training, PublicTest, PrivateTest; those the source lacks are left out."""


def load(path: Path) -> Splits:
    """Read FER2013 from a CSV, a folder, or a zip or tar of either.

    Raises:
        DataError: nothing there, not FER2013, damaged, or a bad row, named by its line.
    """
    if path.is_dir():
        files = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        return _load_named(files, lambda name: (path / name).open("rb"), str(path))
    if not path.is_file():
        raise DataError(f"{path}: not found. {WHERE}")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = (name for name in archive.namelist() if not name.endswith("/"))
                return _load_named(members, archive.open, str(path))
        if tarfile.is_tarfile(path):
            return _load_tar(path)
    except DataError:
        raise
    except Exception as error:
        # Each way of packing has errors of its own.
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: damaged or encrypted: {said}: download it again") from None
    with path.open("rb") as file:
        return _load_csv(file, str(path))


def _load_tar(path: Path) -> Splits:
    with tarfile.open(path) as archive:
        members = {member.name: member for member in archive if member.isfile()}

        def opened(name: str) -> IO[bytes]:
            file = archive.extractfile(members[name])
            assert file is not None  # a regular file, as chosen above
            return file

        return _load_named(members, opened, str(path))


def fingerprint(splits: Splits) -> str:
    """SHA-256 over every split's images and labels: which data a model was trained on."""
    digest = hashlib.sha256()
    for usage in USAGES:
        if usage in splits:
            digest.update(usage.encode())
            digest.update(splits[usage].images.tobytes())
            digest.update(splits[usage].labels.tobytes())
    return digest.hexdigest()


def without_copies(faces: Faces, of: Faces) -> Faces:
    """The faces that do not also stand, pixel for pixel, in another split.

    About 8% of FER2013's test faces stand in Training too and inflate any figure.
    """
    known = {image.tobytes() for image in of.images}
    return faces.take(np.array([image.tobytes() not in known for image in faces.images], bool))


_Row = tuple[str, int, int, bytes]
"""Usage, label, row number, pixels."""


def _collect(rows: Iterable[_Row], source: str) -> Splits:
    """Gather rows into arrays that grow in device: memory stays near the pixels' own size."""
    pixels = {usage: bytearray() for usage in USAGES}
    labels = {usage: bytearray() for usage in USAGES}
    numbers: dict[str, list[int]] = {usage: [] for usage in USAGES}
    for usage, label, number, face in rows:
        pixels[usage] += face
        labels[usage].append(label)
        numbers[usage].append(number)
    found = {
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
    if not found:
        raise DataError(f"{source}: holds no faces. {WHERE}")
    return found


def _in_row_order(faces: Faces) -> Faces:
    """The same order from every form of the dataset, so that runs and fingerprints agree."""
    order = np.argsort(faces.rows, kind="stable")
    return faces if (np.diff(order) == 1).all() else faces.take(order)


def _load_csv(file: IO[bytes], source: str) -> Splits:
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(iter(partial(lines.readline, _LONGEST), ""))
        try:
            return _collect(_csv_rows(reader, source), source)
        except UnicodeDecodeError:
            reason = "not UTF-8 text: expected a CSV, or a whole zip or tar"
        except IndexError:
            reason = "too few columns: mend or remove the line"
        except (ValueError, csv.Error) as error:
            reason = f"{error}: mend or remove the line"
    raise DataError(f"{source}: line {max(reader.line_num, 1)}: {reason}")


def _csv_rows(reader: Iterator[list[str]], source: str) -> Iterator[_Row]:
    """Rows of fer2013.csv, icml_face_data.csv (spaces in its header) or train.csv (no Usage)."""
    header = [name.strip().lower() for name in next(reader, [])]
    if not {"emotion", "pixels"} <= set(header):
        raise DataError(f"{source}: line 1: expected columns emotion,pixels,Usage. {WHERE}")
    emotion, pixels = header.index("emotion"), header.index("pixels")
    usage = header.index("usage") if "usage" in header else None
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        for number, row in enumerate(filter(None, reader)):  # blank lines are no rows
            split = row[usage].strip() if usage is not None else "Training"
            if split not in USAGES:
                raise ValueError(f"Usage is {split!r}, expected one of {', '.join(USAGES)}")
            yield split, _label(row[emotion]), number, _pixels(row[pixels])


def _label(text: str) -> int:
    if text.strip() not in {str(label) for label in range(len(EMOTIONS))}:
        raise ValueError(
            f"emotion is {' '.join(text.split())[:40]}, expected 0 to {len(EMOTIONS) - 1}"
        )
    return int(text)


def _pixels(text: str) -> bytes:
    try:
        levels = np.fromstring(text, np.int64, sep=" ")
    except (ValueError, DeprecationWarning):
        raise ValueError("pixels hold something that is no number") from None
    if levels.size != SIZE * SIZE:
        raise ValueError(f"{levels.size} pixels, expected {SIZE * SIZE}")
    if levels.min() < 0 or levels.max() > 255:
        raise ValueError("a pixel lies outside 0 to 255")
    return levels.astype(np.uint8).tobytes()


def _load_named(names: Iterable[str], opened: Callable[[str], IO[bytes]], source: str) -> Splits:
    """The dataset among the files of a folder or an archive: its CSV, or else its pictures."""
    kept = sorted(name for name in names if not _is_clutter(PurePosixPath(name)))
    for known in CSV_NAMES:
        for name in kept:
            if PurePosixPath(name).name == known:
                with opened(name) as file:
                    return _load_csv(file, f"{source}: {name}")
    return _collect(_picture_rows(kept, opened, source), source)


def _is_clutter(name: PurePosixPath) -> bool:
    """What file managers leave behind: .DS_Store, __MACOSX/._x.png, Thumbs.db."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
    return hidden or name.name.lower() in ("thumbs.db", "desktop.ini")


def _picture_rows(
    names: Iterable[str], opened: Callable[[str], IO[bytes]], source: str
) -> Iterator[_Row]:
    """Faces that lie as `.../train/<emotion>/name` or `.../test/<emotion>/name`.

    A name such as `PublicTest_0028709.png` decides the split over its folder: nothing that
    the dataset calls a test row is ever trained on.
    """
    for count, name in enumerate(names):
        parts = PurePosixPath(name).parts
        if len(parts) < 3 or parts[-3].lower() not in _FOLDERS:
            continue
        try:
            label = EMOTIONS.index(parse_emotion(parts[-2]))
            with opened(name) as stream, Image.open(stream) as picture:
                face = to_gray(picture)
        except UnidentifiedImageError:
            raise DataError(f"{source}: {name}: not a picture: remove it") from None
        except (ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"{source}: {name}: {error}: mend or remove it") from None
        named = _ROW_NAME.search(parts[-1])
        by_folder = _FOLDERS[parts[-3].lower()]
        usage, number = (named[1], int(named[2])) if named else (by_folder, _NAMELESS + count)
        yield usage, label, number, face.tobytes()
