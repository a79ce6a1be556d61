"""Faces that the detector loses while it looks at them again."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.faces.detector import FaceDetector
from tests.support.cli import Run
from tests.support.reports import rows

PORTRAITS = Path(__file__).parents[2] / "datasets" / "portraits"


def part(name: str, box: tuple[int, int, int, int]) -> Image.Image:
    """Return a part of a portrait, enlarged, that holds a face only in part."""
    with Image.open(PORTRAITS / f"{name}.jpg") as picture:
        return picture.convert("L").crop(box).resize((160, 160), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("name", "box"), [("barkla", (67, 23, 236, 192)), ("dirac", (12, 5, 70, 64))]
)
def test_a_face_that_the_last_look_loses_is_none(
    run: Run, tmp_path: Path, name: str, box: tuple[int, int, int, int]
) -> None:
    picture = part(name, box)
    found = FaceDetector().find(np.asarray(picture))
    assert all(detection.points.any() for detection in found)
    picture.save(tmp_path / "part.png")
    run(tmp_path / "part.png", "--to", "sad", "-o", tmp_path / "out")
    (row,) = rows(tmp_path / "out")
    assert (row["status"], row["reason"].partition(";")[0]) == ("skipped", "no face found")
