"""How faces are found and aligned in large pictures: FER2013's, where we know what is where.

    python tests/bench/pictures.py fer2013.csv [FACES]

Pastes PublicTest faces (400, or FACES) into pictures of 1600x1200, one in each, at several sizes
and angles and at places drawn by a fixed seed, and prints by size and by angle

    recall      fraction of the faces that are found, and boxes found where no face is
    frame       how far the corners of the aligned frame lie from where the same face, upright
                and alone, has them, in pixels of the 48x48 face (median)
    aligned     the judge's accuracy by FER2013's labels, of found and aligned faces,
    box         of the detector's boxes, upright and widened to squares,
    direct      and of the dataset's own 48x48 pixels of the same faces
    ms          of processor time, to find and align in a picture
"""

import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cctranslate import bundle
from cctranslate.faces.alignment import FaceTransform, align, composed, crop
from cctranslate.faces.detector import Detection, FaceDetector
from cctranslate.inference.models import TranslationModels
from cctranslate.pixels import SIZE, Gray
from cctranslate.training.data import fer2013

HEIGHT, WIDTH = 1200, 1600
SIDES = (48, 64, 96, 192, 384, 768)
ANGLES = (-45, -30, -15, 0, 15, 30, 45)
CORNERS = np.array([[-0.5, -0.5, 1], [47.5, -0.5, 1], [-0.5, 47.5, 1], [47.5, 47.5, 1]])


@dataclass
class Shown:
    """A face [48,48] with what was found of it."""

    side: int
    angle: int
    label: int
    direct: Gray
    aligned: Gray | None
    box: Gray | None
    error: float
    false: int
    ms: float


def placed(side: int, angle: int, random: np.random.Generator) -> FaceTransform:
    """The frame of a face of a size and angle somewhere in the picture, whole."""
    turn = np.deg2rad(angle)
    a, b = side / SIZE * np.cos(turn), side / SIZE * np.sin(turn)
    reach = side / 2 * (abs(np.cos(turn)) + abs(np.sin(turn))) + 1
    x, y = random.uniform(reach, WIDTH - reach), random.uniform(min(reach, 600), HEIGHT - reach)
    middle = (SIZE - 1) / 2
    return np.array([[a, -b, x - (a - b) * middle], [b, a, y - (a + b) * middle]])


def pasted(face: Gray, frame: FaceTransform, random: np.random.Generator) -> Gray:
    """A picture with the face in that frame, before large soft shapes and some noise."""
    coarse = random.normal(128, 40, (HEIGHT // 200, WIDTH // 200)).astype(np.float32)
    picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    noise = random.normal(0, 4, (HEIGHT, WIDTH))
    size = (WIDTH, HEIGHT)
    large = cv2.warpAffine(
        face.astype(np.float32), frame, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    # All of the face is there; its edges go on for a quarter of its size while they fade.
    line = (1 - (np.abs(np.arange(-SIZE, 2 * SIZE) - 23.5) - 23.5) / 12).clip(0, 1)
    wide = composed(frame, np.array([[1.0, 0, -SIZE], [0, 1, -SIZE]]))
    mask = cv2.warpAffine(np.outer(line, line).astype(np.float32), wide, size)
    return np.asarray((picture + noise + mask * (large - picture - noise)).clip(0, 255), np.uint8)


def boxed(one: Detection) -> FaceTransform:
    """The detector's box, upright and widened to a square."""
    side = max(one.width, one.height)
    x, y = one.left + one.width / 2, one.top + one.height / 2
    scale = side / SIZE
    middle = (SIZE - 1) / 2 * scale
    return np.array([[scale, 0, x - middle], [0, scale, y - middle]])


def shown(
    face: Gray, label: int, side: int, angle: int, detector: FaceDetector, seed: int
) -> Shown:
    """Paste, find, align and compare."""
    random = np.random.default_rng(seed)
    frame = placed(side, angle, random)
    picture = pasted(face, frame, random)
    started = time.process_time()
    faces = detector.find(picture)
    frames = [align(one.points) for one in faces]
    crops = [crop(picture, own) for own in frames]
    ms = (time.process_time() - started) * 1000
    middle = frame @ [23.5, 23.5, 1]
    hit = [
        i for i, own in enumerate(frames) if np.hypot(*(own @ [23.5, 23.5, 1] - middle)) < side / 3
    ][:1]
    result = Shown(side, angle, label, face, None, None, np.nan, len(faces) - len(hit), ms)
    if hit:
        alone = detector.find(np.asarray(cv2.resize(face, None, fx=4, fy=4), np.uint8))
        own = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375]])
        there = composed(frame, composed(own, align(alone[0].points))) if alone else frame * np.nan
        gaps = CORNERS @ frames[hit[0]].T - CORNERS @ there.T
        result.error = float(np.hypot(gaps[:, 0], gaps[:, 1]).mean() / side * SIZE)
        result.aligned = crops[hit[0]]
        result.box = crop(picture, boxed(faces[hit[0]]))
    return result


def read(models: TranslationModels, faces: list[Gray]) -> np.ndarray:
    """The judge's class of each face."""
    readings = [np.zeros(0, int)]
    for i in range(0, len(faces), models.batch_size):
        part = np.stack(faces[i : i + models.batch_size])
        readings.append(models.judge(part[:, None])[:, 0].argmax(-1))
    return np.concatenate(readings)


def table(models: TranslationModels, by: str, groups: dict[int, list[Shown]]) -> None:
    """Print a line a group."""
    print(f"{by:>8}{'recall':>9}{'false':>7}{'frame':>8}", end="")
    print(f"{'aligned':>9}{'box':>7}{'direct':>8}{'ms':>7}")
    for key, group in sorted(groups.items()):
        found = [one for one in group if one.aligned is not None and one.box is not None]
        labels = np.array([one.label for one in found])
        accuracy = [
            np.mean(read(models, [getattr(one, way) for one in found]) == labels)
            for way in ("aligned", "box", "direct")
        ]
        print(f"{key:8}{len(found) / len(group):9.1%}", end="")
        print(f"{sum(one.false for one in group):7}", end="")
        print(f"{np.nanmedian([one.error for one in found]):8.1f}", end="")
        print(f"{accuracy[0]:9.1%}{accuracy[1]:7.1%}{accuracy[2]:8.1%}", end="")
        print(f"{np.mean([one.ms for one in group]):7.0f}")


def main() -> None:
    """Print the tables."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    count = int(sys.argv[2]) if len(sys.argv) == 3 else 400
    split = fer2013.load(Path(sys.argv[1]))["PublicTest"]
    chosen = np.linspace(0, len(split) - 1, count).astype(int)
    detector, models = FaceDetector(), TranslationModels(bundle.load(bundle.shipped()), "cpu")
    by_side: dict[int, list[Shown]] = defaultdict(list)
    by_angle: dict[int, list[Shown]] = defaultdict(list)
    for seed, i in enumerate(chosen):
        face, label = split.images[i], int(split.labels[i])
        side, angle = SIDES[seed % len(SIDES)], ANGLES[seed // len(SIDES) % len(ANGLES)]
        one = shown(face, label, side, angle, detector, seed)
        by_side[side].append(one)
        by_angle[angle].append(one)
    table(models, "pixels", by_side)
    table(models, "degrees", by_angle)
    table(models, "all", {count: [one for group in by_side.values() for one in group]})


if __name__ == "__main__":
    main()
