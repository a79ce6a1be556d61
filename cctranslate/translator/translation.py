"""The settings of a Translator, and its results."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, get_args

from PIL import Image

from cctranslate.batch.inputs.decoding import FaceMode
from cctranslate.batch.outputs.encoding import FORMATS, Result, encode, xmp
from cctranslate.errors import OptionError, OutputError
from cctranslate.faces.color_space import color_space
from cctranslate.faces.crops import FaceChoice
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
        number = isinstance(self.which, int) and not isinstance(self.which, bool)
        self._require("faces", self.faces in get_args(FaceMode), "auto, whole or detect")
        which = (number and int(self.which) > 0) or self.which in ("all", "largest")
        self._require("which", which, "all, largest or a number from 1")
        self._require("result", self.result in ("picture", "face"), "picture or face")
        strengths = all(0 <= strength <= 1 for strength in self.strengths)
        self._require("strength", strengths and bool(self.strengths), "from 0 to 1")
        for name in ("samples", "best_of"):
            count = getattr(self, name)
            self._require(name, isinstance(count, int) and 0 < count <= MOST, f"from 1 to {MOST}")
        self._require("seed", 0 <= self.seed < 2**32, "from 0 to 2**32 - 1")
        confidence = self.min_confidence
        is_confidence = confidence is None or (math.isfinite(confidence) and 0 <= confidence <= 1)
        self._require("min_confidence", is_confidence, "from 0 to 1, or None")

    def _require(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            raise OptionError(f"{name}={getattr(self, name)!r}: expected {allowed}")

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths, each once, in ascending order."""
        values = (self.strength,) if isinstance(self.strength, int | float) else self.strength
        return tuple(sorted({abs(float(s)) if s == 0 else float(s) for s in values}))

    def plan(self, targets: tuple[str, ...]) -> Plan:
        """Return the results to make of each face."""
        return Plan(
            targets=targets,
            strengths=self.strengths,
            samples=self.samples,
            best_of=self.best_of,
            seed=self.seed,
            min_confidence=self.min_confidence,
        )


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
            OptionError: the name has another ending, or the quality is none.
            OutputError: the file cannot be written, or its format cannot hold the picture.
        """
        target = Path(path)
        form = FORMATS.get(target.suffix.lower())
        if form is None:
            raise OptionError(f"{target}: expected a name in {', '.join(FORMATS)}")
        if quality is not None and not 1 <= quality <= 100:
            raise OptionError(f"quality={quality}: expected from 1 to 100")
        bands = "RGB" if self.image.mode.startswith("RGB") else "L"
        result = Result(picture=self.image, color_space=color_space(self.image, bands))
        try:
            content = encode(result, form, xmp(self.target), quality)
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
