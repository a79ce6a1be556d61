"""Drawn faces in FER2013's forms, for tests that must run without the dataset."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import Gray


def face(label: int, seed: int) -> Gray:
    """A drawn face [48,48] whose mouth and brows follow its label."""
    random = np.random.default_rng([label, seed])
    light = int(random.integers(120, 220))
    picture = Image.new("L", (48, 48), int(random.integers(0, 90)))
    draw = ImageDraw.Draw(picture)
    left, top = random.integers(4, 9, 2)
    draw.ellipse((left, top, 47 - left, 46), fill=light)
    dark = light - 90
    for x in (17, 31):
        draw.ellipse((x - 2, 20, x + 2, 20 + 2 + (label == 5) * 3), fill=dark)
        lift = (label in (2, 5)) * -3 + (label in (0, 1)) * 2
        draw.line((x - 4, 16 + lift, x + 4, 16 + lift + (label == 4) * 2), fill=dark)
    bend = {0: 2, 1: 4, 2: 3, 3: -6, 4: 6, 5: 0, 6: 0}[label]
    if label == 5:
        draw.ellipse((20, 32, 28, 42), fill=dark)
    else:
        draw.line([(16, 36 + bend), (24, 36 - bend // 2), (32, 36 + bend)], fill=dark, width=2)
    noise = random.normal(0, 4, (48, 48))
    return (np.asarray(picture, float) + noise).clip(0, 255).astype(np.uint8)


def rows(count: int) -> list[tuple[int, Gray, str]]:
    """`count` rows of label, face and Usage: each class in turn, a fourth of them PublicTest."""
    return [
        (i % 7, face(i % 7, i), "PublicTest" if i % 28 >= 21 else "Training") for i in range(count)
    ]


def write_csv(path: Path, count: int = 84, header: str = "emotion,pixels,Usage") -> Path:
    """Write drawn faces as fer2013.csv does."""
    with path.open("w", newline="") as file:
        names = header.split(",")
        writer = csv.writer(file)
        writer.writerow(names)
        for label, image, usage in rows(count):
            cells = {"emotion": label, "pixels": " ".join(map(str, image.ravel())), "usage": usage}
            writer.writerow([cells[name.strip().lower()] for name in names])
    return path


def write_folder(root: Path, count: int = 84) -> Path:
    """Write drawn faces as the Kaggle folder form: train|test/<emotion>/<Usage>_<row>.png."""
    for number, (label, image, usage) in enumerate(rows(count)):
        split = "train" if usage == "Training" else "test"
        folder = root / split / EMOTIONS[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{usage}_{number:05d}.png")
    return root


def write_votes(path: Path, count: int = 84) -> Path:
    """Write FER+ votes that agree with the labels, eight of ten; row 0 is no face."""
    columns = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"]
    columns += ["contempt", "unknown", "NF"]
    of_label = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "emotion", "usage", *columns])
        for number, (label, _, usage) in enumerate(rows(count)):
            votes = dict.fromkeys(columns, 0)
            votes[of_label[label] if number else "NF"] = 8
            votes["unknown"] = 2
            name = f"train/{EMOTIONS[label]}/{usage}_{number:05d}.png"
            writer.writerow([name, label, usage, *votes.values()])
    return path
