"""What `throughput.py` measures on: faces of a CSV as PNGs, and drawn photographs."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cctranslate.batch.inputs.decoded import Decoded
from cctranslate.batch.inputs.decoding import DecodeOptions, decode
from cctranslate.batch.inputs.fer_csv import from_csv
from cctranslate.faces.detector import FaceDetector
from tests.support import pictures

PHOTOGRAPHS = 6


def unpack(data: Path, folder: Path, count: int) -> np.ndarray:
    """Write a CSV's first faces as PNGs and return them [N,48,48]."""
    folder.mkdir()
    options, faces = DecodeOptions(face_mode="auto", detector=FaceDetector(), will_reread=False), []
    with data.open("rb") as file:
        for number, row in enumerate(islice(from_csv(data, file), count)):
            decoded = decode(row, options)
            assert isinstance(decoded, Decoded)
            faces.append(decoded.faces[0].levels)
            Image.fromarray(faces[-1]).save(folder / f"{number:06}.png")
    return np.stack(faces)


def photograph(folder: Path) -> Path:
    """Write pictures of 12 megapixels with a face each."""
    folder.mkdir()
    small = np.random.default_rng(0).integers(60, 180, (187, 250, 3), np.uint8)
    for number in range(PHOTOGRAPHS):
        large = cv2.resize(small, (4000, 3000), interpolation=cv2.INTER_CUBIC)
        picture = Image.fromarray(np.asarray(large, np.uint8))
        picture.paste(pictures.portrait(pictures.HOPPER, 1300), (500 * number, 500))
        picture.save(folder / f"{number}.jpg", quality=90)
    return folder
