"""A dataset of a folder for each expression, and the counts of what `--balance` makes of it."""

from collections import Counter
from pathlib import Path

from PIL import Image

from cctranslate.emotions import EMOTIONS
from tests.support import pictures
from tests.support.reports import rows

SIZES = {"happy": 12, "sad": 7, "fear": 3}
MISSING = {"angry": 12, "disgust": 12, "fear": 9, "sad": 5, "surprise": 12, "neutral": 12}


def write_class(root: Path, emotion: str, count: int) -> None:
    """Write faces of an expression to its folder."""
    (root / emotion).mkdir(parents=True)
    grow(root, emotion, range(count))


def grow(root: Path, emotion: str, numbers: range) -> None:
    """Add faces to the folder of an expression."""
    for number in numbers:
        face = pictures.draw_face(EMOTIONS.index(emotion), number)
        Image.fromarray(face).save(root / emotion / f"{number:02}.png")


def made(out: Path) -> Counter[str]:
    """Return the results of each expression."""
    return Counter(row["target"] for row in rows(out) if row["output"])


def totals(train: Path, out: Path) -> Counter[str]:
    """Return the inputs and results of each class."""
    return made(out) + Counter(path.parent.name for path in train.rglob("*.png"))
