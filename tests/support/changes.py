"""What a run changed in a picture."""

from pathlib import Path

import numpy as np
from PIL import Image


def levels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


def outside(changed: np.ndarray, box: tuple[int, ...]) -> np.ndarray:
    """What changed [H,W,...] beyond a face and what is around it."""
    left, top, width, height = box
    reach = max(width, height) // 2
    rest = changed.copy()
    rest[
        max(top - reach, 0) : top + height + reach, max(left - reach, 0) : left + width + reach
    ] = 0
    return rest


def boxes(report: list[dict[str, str]]) -> list[tuple[int, ...]]:
    return [tuple(map(int, row["box"].split())) for row in report]
