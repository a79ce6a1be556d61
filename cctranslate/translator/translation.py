"""The settings of a Translator, and its results."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Literal, TypedDict, get_args

import numpy as np
from PIL import Image

from cctranslate.batch.inputs.decoding import FaceMode
from cctranslate.batch.outputs.encoding import FORMATS, Result, encode, xmp
from cctranslate.errors import OptionError, OutputError
from cctranslate.faces.color_space import color_space
from cctranslate.faces.crops import FaceChoice
from cctranslate.files.paths import can_exist
from cctranslate.files.writing import atomic_write
from cctranslate.inference.variants import Plan

MOST = 64
"""Largest value of `samples` and `best_of`."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How pictures are translated; the options of `batch` have the same names."""

    faces: FaceMode = "auto"
    """`whole`: a picture is a face; `detect`: faces are found in it; `auto`: up to 96 pixels the
    picture is the face."""
    which: FaceChoice = "all"
    """Which detected faces to translate: all, the largest, or the N-th from the largest."""
    result: Literal["picture", "face"] = "picture"
    """The picture with its faces changed, or the face alone, 48x48 gray."""
    strength: float | Sequence[float] = 1
    """From 0, no change, to 1; several give a result each."""
    samples: int = 1
    """Number of varied results for each face and expression."""
    best_of: int = 1
    """Number of candidates for each result. The judge chooses the one that it is surest of."""
    seed: int = 0
    """Random seed of `samples` and `best_of`."""
    min_confidence: float | None = None
    """Probability of the target that confirms a result; None: it must be the most probable."""

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            OptionError: A value is not possible.
        """
        self._require("faces", self.faces in get_args(FaceMode), "auto, whole or detect")
        is_which = is_whole(self.which, 1) or self.which in ("all", "largest")
        self._require("which", is_which, "all, largest or a number from 1")
        self._require("result", self.result in ("picture", "face"), "picture or face")
        is_strength = bool(self._given) and all(_is_fraction(given) for given in self._given)
        self._require("strength", is_strength, "from 0 to 1")
        for name in ("samples", "best_of"):
            self._require(name, is_whole(getattr(self, name), 1, MOST), f"from 1 to {MOST}")
        self._require("seed", is_whole(self.seed, 0, 2**32 - 1), "from 0 to 2**32 - 1")
        is_confidence = self.min_confidence is None or _is_fraction(self.min_confidence)
        self._require("min_confidence", is_confidence, "from 0 to 1, or None")

    def _require(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            value = " ".join(repr(getattr(self, name)).split())
            raise OptionError(f"{name}={value}: expected {allowed}")

    @property
    def _given(self) -> tuple[object, ...]:
        """The strengths as they were given."""
        several = isinstance(self.strength, Sequence) and not isinstance(self.strength, str)
        if several or (isinstance(self.strength, np.ndarray) and self.strength.ndim):
            return tuple(self.strength)  # type: ignore[arg-type]
        return (self.strength,)

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths, each once, in ascending order."""
        values = [float(given) for given in self._given]  # type: ignore[arg-type]
        return tuple(sorted({abs(value) if value == 0 else value for value in values}))

    def plan(self, targets: tuple[str, ...]) -> Plan:
        """Return the results to make of each face."""
        return Plan(
            targets=targets,
            strengths=self.strengths,
            samples=int(self.samples),
            best_of=int(self.best_of),
            seed=int(self.seed),
            min_confidence=self.min_confidence,
        )


def is_whole(value: object, least: int, most: int | None = None) -> bool:
    """Return whether a value is a whole number in a range. Those of numpy are, too."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return whole and least <= value and (most is None or value <= most)  # type: ignore[operator]


def _is_fraction(value: object) -> bool:
    """Return whether a value is a number from 0 to 1. Those of numpy are, too."""
    return isinstance(value, Real) and 0 <= float(value) <= 1


class SettingsDict(TypedDict, total=False):
    """The fields of `Settings` as keyword arguments."""

    faces: FaceMode
    which: FaceChoice
    result: Literal["picture", "face"]
    strength: float | Sequence[float]
    samples: int
    best_of: int
    seed: int
    min_confidence: float | None


@dataclass(frozen=True, kw_only=True)
class FaceTranslation:
    """A face of a picture, and what the judge reads in its result."""

    number: int
    """From 1, the largest face first."""
    box: tuple[int, int, int, int]
    """Left, top, width and height in the upright picture's pixels."""
    score: float | None
    """The detector's confidence; None for a picture that is taken for a face."""
    image: Image.Image | None
    """The result of this face alone, 48x48 gray; None if the face was not translated."""
    predicted: str | None
    """The expression that the judge reads."""
    confidence: float | None
    """The judge's calibrated probability of `predicted`."""
    confirmed: bool
    """Whether the judge confirms the target."""
    probabilities: dict[str, float]
    """The judge's probabilities, by expression."""
    source_predicted: str | None
    """The expression that the judge reads in the face before the change."""
    reason: str | None
    """Why the face was not translated; `no face found`; or `hard to change: ...`."""


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A picture with another expression on its faces. It can be pickled."""

    image: Image.Image
    """The picture at its size and in its colors, upright; the first face if `result` is `face`."""
    target: str
    strength: float
    sample: int
    faces: tuple[FaceTranslation, ...]
    """The picture's faces. Translated ones come first, the largest of them first."""

    def save(self, path: str | os.PathLike[str], quality: int | None = None) -> None:
        """Write the picture as `batch` does, with its color space and the mark of AI-made pictures.

        `image.save` writes neither. An existing file is replaced.

        Args:
            path: A name that ends in `.png`, `.jpg`, `.jpeg` or `.webp`.
            quality: Of JPEG and WebP, 1 to 100; None: 95 for JPEG, lossless for WebP.

        Raises:
            OptionError: The name has another ending, or the quality is none.
            OutputError: The file cannot be written, or its format cannot hold the picture.
        """
        target = Path(path)
        if not can_exist(target):
            raise OutputError(f"{str(target)!r}: cannot be written: no file can have this name")
        form = FORMATS.get(target.suffix.lower())
        if form is None:
            raise OptionError(f"{target}: expected a name in {', '.join(FORMATS)}")
        if quality is not None and not is_whole(quality, 1, 100):
            raise OptionError(f"quality={quality!r}: expected from 1 to 100")
        bands = "RGB" if self.image.mode.startswith("RGB") else "L"
        result = Result(picture=self.image, color_space=color_space(self.image, bands))
        try:
            content = encode(result, form, xmp(self.target), quality and int(quality))
        except OSError as error:
            raise OutputError(f"{target}: {error}") from None
        with atomic_write(target) as file:
            file.write(content)

    @property
    def confirmed(self) -> bool:
        """Whether the judge confirms every face that was translated."""
        return all(face.confirmed for face in self.faces if face.image is not None)

    @property
    def predicted(self) -> str:
        """The expression that the judge reads in the first face."""
        return self.faces[0].predicted or ""

    @property
    def confidence(self) -> float:
        """The judge's calibrated probability of `predicted`."""
        return self.faces[0].confidence or 0.0

    @property
    def probabilities(self) -> dict[str, float]:
        """The judge's probabilities for the first face, by expression."""
        return self.faces[0].probabilities
