"""Pictures without a face: drawn, cut from photographs, or made of parts of faces."""

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cctranslate.pixels import SIZE, Gray

Drawer = Callable[[np.random.Generator], NDArray[np.float64]]
_Y, _X = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]


def blocks(random: np.random.Generator) -> NDArray[np.float64]:
    """Return noise in squares."""
    side = int(random.choice([1, 2, 3, 4, 6, 8, 12]))
    levels = random.normal(128, random.uniform(5, 80), (SIZE // side,) * 2)
    return np.asarray(np.kron(levels, np.ones((side, side))), np.float64)


def smooth(random: np.random.Generator) -> NDArray[np.float64]:
    """Return blurred noise."""
    noise = _blurred(random.normal(0, 1, (96, 96)), random.uniform(0.5, 12))[24:72, 24:72]
    return np.asarray(128 + random.uniform(5, 60) * (noise - noise.mean()) / noise.std())


def _blurred(levels: NDArray[Any], deviation: float) -> NDArray[Any]:
    return np.asarray(cv2.GaussianBlur(levels, (0, 0), deviation))


def pink(random: np.random.Generator) -> NDArray[np.float64]:
    """Return noise with the spectrum of natural pictures."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(random.normal(size=(SIZE, SIZE))) / frequency ** random.uniform(0.7, 2.2)
    noise = np.fft.ifft2(spectrum).real
    return np.asarray(128 + random.uniform(10, 60) * (noise - noise.mean()) / noise.std())


def ramp(random: np.random.Generator) -> NDArray[np.float64]:
    """Return a gradient, or waves."""
    turn = random.uniform(0, 2 * math.pi)
    along = _X * np.cos(turn) + _Y * np.sin(turn)
    if random.random() < 0.5:
        return np.asarray(128 + random.uniform(10, 120) * along)
    return np.asarray(128 + 100 * np.sin(random.uniform(3, 40) * along + random.uniform(0, 6)))


def blob(random: np.random.Generator) -> NDArray[np.float64]:
    """Return a bright or dark spot."""
    x, y = random.uniform(-0.6, 0.6, 2)
    distance = np.hypot((_X - x) / random.uniform(0.4, 1.5), (_Y - y) / random.uniform(0.4, 1.5))
    spot = 255 * np.exp(-(distance**2) * random.uniform(0.3, 4))
    return np.asarray(spot if random.random() < 0.5 else 255 - spot)


def shapes(random: np.random.Generator) -> NDArray[np.float64]:
    """Return ellipses and rectangles."""
    picture = Image.new("L", (SIZE, SIZE), int(random.integers(0, 256)))
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 8)):
        x, y = (int(v) for v in random.integers(-10, SIZE, 2))
        box = (x, y, x + int(random.integers(3, 50)), y + int(random.integers(3, 50)))
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape(box, fill=int(random.integers(0, 256)))
    return np.asarray(picture, np.float64)


def text(random: np.random.Generator) -> NDArray[np.float64]:
    """Return lines of letters."""
    picture = Image.new("L", (SIZE, SIZE), int(random.integers(128, 256)))
    draw, size = ImageDraw.Draw(picture), int(random.integers(8, 40))
    font = ImageFont.load_default(size)
    for y in range(0, SIZE, size + 2):
        letters = "".join(random.choice(list("abcdefghijklmnopqrstuvwxyzABC 12345"), 12))
        draw.text((int(random.integers(-4, 6)), y), letters, int(random.integers(0, 100)), font)
    levels = np.asarray(picture, np.float64)
    return levels if random.random() < 0.5 else 255 - levels


def flat(random: np.random.Generator) -> NDArray[np.float64]:
    """Return one gray level, with little noise or none."""
    noise = random.normal(0, random.uniform(0, 3), (SIZE, SIZE))
    return np.asarray(random.uniform(0, 255) + noise * (random.random() < 0.5))


DRAWN: dict[str, Drawer] = {
    f.__name__: f for f in (blocks, smooth, pink, ramp, blob, shapes, text, flat)
}


def drawn(draw: Drawer, count: int, random: np.random.Generator) -> Gray:
    """Return `count` drawn pictures [N,48,48]."""
    return np.stack([draw(random).clip(0, 255).astype(np.uint8) for _ in range(count)])


def shuffled(faces: Gray, count: int, random: np.random.Generator) -> Gray:
    """Return faces whose blocks stand in another order [N,48,48]: skin and hair without a face."""
    made = []
    for face in faces[random.integers(0, len(faces), count)]:
        side = int(random.choice([8, 12, 16, 24]))
        n = SIZE // side
        parts = face.reshape(n, side, n, side).swapaxes(1, 2).reshape(n * n, side, side)
        order = random.permutation(n * n)
        while (order != np.arange(n * n)).mean() <= 0.7:
            order = random.permutation(n * n)
        mixed = parts[order].reshape(n, n, side, side).swapaxes(1, 2).reshape(SIZE, SIZE)
        made.append(_blurred(mixed, random.uniform(0.1, 2)) if random.random() < 0.5 else mixed)
    return np.stack(made)


def parts(faces: Gray, count: int, random: np.random.Generator) -> Gray:
    """Return small parts of faces, enlarged [N,48,48]."""
    made = []
    for face in faces[random.integers(0, len(faces), count)]:
        side = int(random.integers(8, 22))
        made.append(_cut(face, side, random))
    return np.stack(made)


def crops(picture: Gray, count: int, random: np.random.Generator) -> Gray:
    """Return square parts of a picture, of 40 pixels up to all of it [N,48,48]."""
    shorter = min(picture.shape)
    sides = np.exp(random.uniform(math.log(min(40, shorter)), math.log(shorter), count))
    return np.stack([_cut(picture, int(side), random) for side in sides])


def _cut(picture: Gray, side: int, random: np.random.Generator) -> Gray:
    y, x = (int(random.integers(0, length - side + 1)) for length in picture.shape)
    method = cv2.INTER_AREA if side > SIZE else cv2.INTER_CUBIC
    part = picture[y : y + side, x : x + side]
    return np.asarray(cv2.resize(part, (SIZE, SIZE), interpolation=method), np.uint8)
