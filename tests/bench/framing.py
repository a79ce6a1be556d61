"""Where the eyes, nose and mouth lie in FER2013's faces, by the detector that `batch` uses.

    python tests/bench/framing.py fer2013.csv

Prints the medians that `cctranslate/faces/alignment.py` has as TEMPLATE, of every 8th Training row.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from cctranslate.faces.alignment import MIRRORED_POINTS
from cctranslate.faces.detector import FaceDetector
from cctranslate.training.data import fer2013

ZOOM = 4
"""The detector is at home with faces of some hundred pixels."""
NAMES = ("left eye", "right eye", "nose", "left mouth", "right mouth")


def main() -> None:
    """Print the table."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    faces = fer2013.load(Path(sys.argv[1]))["Training"].images[::8]
    detector, points = FaceDetector(), []
    for face in faces:
        found = detector.find(np.asarray(cv2.resize(face, None, fx=ZOOM, fy=ZOOM), np.uint8))
        if found:
            points.append((found[0].points + 0.5) / ZOOM - 0.5)
    middle, spread = np.median(points, 0), np.std(points, 0)
    mirrored = middle[MIRRORED_POINTS] * [-1, 1] + [47, 0]
    even = (middle + mirrored) / 2
    print(f"found {len(points)} of {len(faces)} faces")
    print(f"{'':12}{'median x, y':>16}{'deviation':>16}{'made symmetric':>16}")
    for name, *values in zip(NAMES, middle, spread, even, strict=True):
        print(f"{name:12}" + "".join(f"{x:9.1f},{y:6.1f}" for x, y in values))


if __name__ == "__main__":
    main()
