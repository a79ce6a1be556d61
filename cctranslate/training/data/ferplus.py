"""Read FER+ votes (Barsoum et al. 2016) of ten annotators a face, and make soft labels of them."""

import csv
import hashlib
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS, NUM_CLASSES, parse_emotion
from cctranslate.errors import DataError, MissingDataError
from cctranslate.fer2013 import FERPLUS
from cctranslate.training.data.fer2013 import Faces

_OTHERS = ("contempt", "unknown", "NF")
_NUMBER = re.compile(r"(\d+)\.\w+$")
_ENOUGH = 50
"""Least number of faces for checking how many agree."""

_MOST_VOTES = 1e6
"""Larger numbers come from a damaged file."""

Votes = dict[int, NDArray[np.float32]]
"""Row number in the official CSV -> votes [10]: the seven expressions, contempt, unknown, NF."""


def load_votes(path: Path) -> Votes:
    """Read `ferplus.csv` (image, emotion, usage, votes) or Microsoft's `fer2013new.csv`.

    Columns for contempt, unknown and NF may be missing, as in a table of `batch --soft-labels`.

    Raises:
        DataError: The file is missing, or is no table of FER+ votes.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read(csv.DictReader(file), path)
    except FileNotFoundError:
        raise MissingDataError(
            f"{path}: not found: FER+ votes are microsoft/FERPlus on GitHub, fer2013new.csv"
        ) from None
    except OSError as error:
        raise MissingDataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a CSV: {error}") from None


def _read(reader: "csv.DictReader[str]", path: Path) -> Votes:
    fields = {name.strip(): name for name in reader.fieldnames or ()}
    missing = [name for name in FERPLUS if name not in fields]
    if missing:
        raise DataError(f"{path}: no column {missing[0]}: expected FER+ votes")
    votes: Votes = {}
    for index, row in enumerate(reader):
        try:
            counts = [float(row[fields[name]]) for name in FERPLUS]
            counts += [float(row[fields[name]]) if name in fields else 0.0 for name in _OTHERS]
            if not all(0 <= count <= _MOST_VOTES for count in counts):
                raise ValueError
        except (ValueError, TypeError):  # a short row has None
            raise DataError(
                f"{path}: line {reader.line_num}: expected numbers of votes: mend the line"
            ) from None
        votes[_row_number(row, index)] = np.array(counts, np.float32)
    return votes


def _row_number(row: dict[str, str], index: int) -> int:
    # fer2013new.csv has one line for each row of fer2013.csv, in its order, named or not;
    # ferplus.csv names its pictures by that row number.
    named = _NUMBER.search(row.get("image") or "")
    return int(named[1]) if named else index


def digest(votes: Votes) -> str:
    """Return the SHA-256 of all votes, to tell which labels a model was trained on."""
    hashed = hashlib.sha256()
    for row in sorted(votes):
        hashed.update(f"{row}:".encode() + votes[row].tobytes())
    return hashed.hexdigest()


def matched(faces: Faces, votes: Votes) -> NDArray[np.float32]:
    """Return the votes [N,10] for each face.

    Raises:
        DataError: The faces' row numbers are not those of the votes, or the votes are for others.
    """
    if not all(int(row) in votes for row in faces.rows):
        raise DataError(
            "the votes do not cover the faces: they go by row number in the official fer2013.csv, "
            "so use the CSV, or a folder whose names carry those numbers"
        )
    counts = np.stack([votes[int(row)] for row in faces.rows])
    # FER2013's rows agree in 64% of faces, rows in another order in 18%.
    agree = (counts[:, :NUM_CLASSES].argmax(1) == faces.labels).mean()
    if len(faces) >= _ENOUGH and agree < 0.4:
        raise DataError(
            f"the votes are for other faces: only {agree:.0%} agree with their labels: they go by "
            "row number in the official fer2013.csv, so use it as it was published"
        )
    return counts


def soft_labels(faces: Faces, votes: Votes | None, fraction: float) -> NDArray[np.float32]:
    """Return label distributions [N,7]: `fraction` of the votes', the rest FER2013's label.

    Votes for contempt and unknown are left out; faces without usable votes keep their label.
    A picture that most voters called no face gets a row of zeros: leave it out of training.

    Raises:
        DataError: The votes are not for these faces.
    """
    hard = np.eye(NUM_CLASSES, dtype=np.float32)[faces.labels]
    if votes is None:
        return hard
    counts = matched(faces, votes)
    expressions, no_face = counts[:, :NUM_CLASSES], counts[:, 9]
    total = expressions.sum(1, keepdims=True)
    voted = np.divide(expressions, total, where=total > 0, out=hard.copy())
    labels = np.where(total > 0, fraction * voted + (1 - fraction) * hard, hard)
    labels[no_face > counts.sum(1) / 2] = 0
    return labels.astype(np.float32)


def likeliest(labels: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the likeliest expression [N] of label rows [N,7]; -1 for a row of zeros."""
    return np.where(labels.sum(1) > 0, labels.argmax(1), -1).astype(np.int64)


def majority(faces: Faces, votes: Votes) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which faces have a majority expression in FER+ (mask [N]), and its id [N].

    A majority is the single most voted of all ten answers, and one of the seven.

    Raises:
        DataError: The votes are not for these faces.
    """
    counts = matched(faces, votes)
    top = counts.argmax(1)
    single = (counts == counts.max(1, keepdims=True)).sum(1) == 1
    return single & (top < NUM_CLASSES), top.astype(np.int64)


assert tuple(parse_emotion(name) for name in FERPLUS) == EMOTIONS
