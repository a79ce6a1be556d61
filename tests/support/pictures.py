"""Drawn faces, also in FER2013's forms, and photographs made of public-domain portraits."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from cctranslate.emotions import EMOTIONS
from cctranslate.faces.alignment import align, crop
from cctranslate.faces.detector import FaceDetector
from cctranslate.pixels import Gray
from cctranslate.training.data.fer2013 import Faces

PHOTOS = Path(__file__).parents[2] / "datasets" / "photos"
COLLINS, HOPPER = "collins", "hopper"


def draw_face(label: int, seed: int) -> Gray:
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


def drawn_faces(labels: Sequence[int], first_row: int = 0) -> Faces:
    """Drawn faces with these labels, in rows from `first_row` on."""
    rows = np.arange(first_row, first_row + len(labels))
    return Faces(
        images=np.stack([draw_face(k, row) for k, row in zip(labels, rows.tolist(), strict=True)]),
        labels=np.array(labels, np.uint8),
        rows=rows,
    )


def png(label: int, seed: int = 0) -> bytes:
    """Return a drawn face as a PNG."""
    file = io.BytesIO()
    Image.fromarray(draw_face(label, seed)).save(file, "png")
    return file.getvalue()


def write_many(folder: Path, count: int, different: int = 7) -> Path:
    """Write many inputs `0000.png`, ...; after the first `different` ones, links to those."""
    folder.mkdir()
    for number in range(count):
        path = folder / f"{number:04d}.png"
        if number < different:
            path.write_bytes(png(number % 7, number))
        else:
            path.hardlink_to(folder / f"{number % different:04d}.png")
    return folder


def fer_rows(count: int) -> list[tuple[int, Gray, str]]:
    """`count` rows of label, face and Usage: each class in turn, a fourth of them PublicTest."""
    return [
        (i % 7, draw_face(i % 7, i), "PublicTest" if i % 28 >= 21 else "Training")
        for i in range(count)
    ]


def write_csv(path: Path, count: int = 84, header: str = "emotion,pixels,Usage") -> Path:
    """Write drawn faces as fer2013.csv does."""
    with path.open("w", newline="") as file:
        names = header.split(",")
        writer = csv.writer(file)
        writer.writerow(names)
        for label, image, usage in fer_rows(count):
            cells = {"emotion": label, "pixels": " ".join(map(str, image.ravel())), "usage": usage}
            writer.writerow([cells[name.strip().lower()] for name in names])
    return path


def write_folder(root: Path, count: int = 84) -> Path:
    """Write drawn faces as the Kaggle folder form: train|test/<emotion>/<Usage>_<row>.png."""
    for number, (label, image, usage) in enumerate(fer_rows(count)):
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
        for number, (label, _, usage) in enumerate(fer_rows(count)):
            votes = dict.fromkeys(columns, 0)
            votes[of_label[label] if number else "NF"] = 8
            votes["unknown"] = 2
            name = f"train/{EMOTIONS[label]}/{usage}_{number:05d}.png"
            writer.writerow([name, label, usage, *votes.values()])
    return path


def portrait(name: str, side: int | None = None) -> Image.Image:
    """A portrait in RGB, `side` pixels wide."""
    with Image.open(PHOTOS / f"{name}.jpg") as file:
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


def saturation(pixel: np.ndarray) -> float:
    """Return the saturation of a color, in [0, 1]."""
    return float(np.ptp(pixel) / pixel.max())


def landscape() -> Image.Image:
    """No face: a slope from dark to light."""
    slope = np.linspace(20, 230, 300, dtype=np.float32)
    return Image.fromarray(np.broadcast_to(slope[:, None], (300, 400)).astype(np.uint8))


def people() -> list[Gray]:
    """The faces of a dozen people, 48x48, framed as FER2013's."""
    detector, faces = FaceDetector(), []
    for file in sorted([*PHOTOS.glob("*.jpg"), *(PHOTOS.parent / "portraits").glob("*.jpg")]):
        with Image.open(file) as picture:
            colors, gray = np.asarray(picture.convert("RGB")), np.asarray(picture.convert("L"))
        faces.append(crop(gray, align(detector.find(colors)[0].points)))
    return faces
