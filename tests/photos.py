"""Photographs for tests, made of the public-domain portraits in datasets."""

from pathlib import Path

import numpy as np
from PIL import Image

from cctranslate.faces.alignment import align, crop
from cctranslate.faces.detector import FaceDetector
from cctranslate.pixels import Gray

FOLDER = Path(__file__).parent.parent / "datasets" / "photos"
COLLINS, HOPPER = "collins", "hopper"


def portrait(name: str, side: int | None = None) -> Image.Image:
    """A portrait in RGB, `side` pixels wide."""
    with Image.open(FOLDER / f"{name}.jpg") as file:
        picture = file.convert("RGB")
    if side is None:
        return picture
    height = round(picture.height * side / picture.width)
    return picture.resize((side, height), Image.Resampling.LANCZOS)


def group() -> Image.Image:
    """Three faces of 150, 90 and 24 pixels, the second turned by 20 degrees."""
    picture = Image.new("RGB", (1200, 800), (90, 110, 140))
    picture.paste(portrait(HOPPER, 450), (40, 60))
    turned = portrait(COLLINS).rotate(20, Image.Resampling.BICUBIC, fillcolor=(90, 110, 140))
    picture.paste(turned, (560, 40))
    picture.paste(portrait(COLLINS, 130), (1000, 620))
    return picture


def landscape() -> Image.Image:
    """No face: a slope from dark to light."""
    slope = np.linspace(20, 230, 300, dtype=np.float32)
    return Image.fromarray(np.broadcast_to(slope[:, None], (300, 400)).astype(np.uint8))


def people() -> list[Gray]:
    """The faces of a dozen people, 48x48, framed as FER2013's."""
    finder, faces = FaceDetector(), []
    for file in sorted([*FOLDER.glob("*.jpg"), *(FOLDER.parent / "portraits").glob("*.jpg")]):
        with Image.open(file) as picture:
            colours, gray = np.asarray(picture.convert("RGB")), np.asarray(picture.convert("L"))
        faces.append(crop(gray, align(finder.find(colours)[0].points)))
    return faces
