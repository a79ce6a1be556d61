"""The same translation from Python: `Translator().translate(image, "happy")`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cctranslate import bundle
from cctranslate.emotions import EMOTIONS, parse_emotion, parse_emotions
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.variants import Plan
from cctranslate.pixels import Gray, to_gray


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A face with another expression, and what the judge makes of it."""

    image: Image.Image
    """48x48, gray."""
    target: str
    predicted: str
    confidence: float
    """The judge's calibrated probability of `predicted`."""
    confirmed: bool
    probabilities: dict[str, float]


class Translator:
    """Translates pictures of faces with a bundle's models, which it opens once."""

    def __init__(
        self, weights: Path | str | None = None, device: str = "auto", batch_size: int | None = None
    ) -> None:
        """Open a bundle; the default is the one that comes with the package.

        Raises:
            UserError: the bundle or the device cannot be used.
        """
        found = bundle.load(Path(weights) if weights else bundle.shipped())
        self._models = TranslationModels(found, device, batch_size)

    def translate(self, image: Image.Image, target: str) -> Translation:
        """One picture, of any size and mode, to one expression.

        Raises:
            ValueError: `target` names no expression.
        """
        return next(self.translate_many([image], [parse_emotion(target)]))[0]

    def translate_many(
        self, images: Iterable[Image.Image], targets: Sequence[str]
    ) -> Iterator[list[Translation]]:
        """For each picture its translations to the targets, in FER2013's order of them.

        Raises:
            ValueError: a target names no expression.
        """
        return self._stream(iter(images), Plan(targets=parse_emotions(tuple(targets))))

    def _stream(self, stream: Iterator[Image.Image], plan: Plan) -> Iterator[list[Translation]]:
        while batch := list(islice(stream, self._models.batch_size)):
            originals = np.stack([_upright(image) for image in batch])
            translated = self._models.translate(originals, plan.conditions).faces
            judged = self._models.judge(translated)
            for faces, probabilities in zip(translated, judged, strict=True):
                yield [
                    Translation(
                        image=Image.fromarray(face),
                        target=target,
                        predicted=EMOTIONS[int(p.argmax())],
                        confidence=float(p.max()),
                        confirmed=plan.confirms(target, p),
                        probabilities=dict(zip(EMOTIONS, p.tolist(), strict=True)),
                    )
                    for face, target, p in zip(faces, plan.targets, probabilities, strict=True)
                ]


def _upright(image: Image.Image) -> Gray:
    return to_gray(ImageOps.exif_transpose(image))
