"""The shapes that a graph's outputs must have: a card's digests do not tell them."""

from collections.abc import Sequence
from pathlib import Path

from cctranslate.emotions import NUM_CLASSES
from cctranslate.errors import BundleError
from cctranslate.pixels import SIZE, Floats

_TRAILING: dict[str, tuple[int, ...]] = {
    "translated": (1, SIZE, SIZE),
    "flow": (2, SIZE, SIZE),
    "paint": (1, SIZE, SIZE),
    "mouth": (1, SIZE, SIZE),
    "probabilities": (NUM_CLASSES,),
    "logits": (),
    "hard": (),
}
"""Sizes after those of faces and targets; a judge's features may have any."""


def check(folder: Path, names: Sequence[str], outputs: Sequence[Floats], *leading: int) -> None:
    """Check that outputs have the shapes that their names ask for.

    Args:
        folder: The bundle.
        names: The outputs' names.
        outputs: The outputs.
        *leading: The number of faces and, of a generator, that of targets.

    Raises:
        BundleError: One has another shape.
    """
    for name, output in zip(names, outputs, strict=True):
        expected = (*leading, *_TRAILING.get(name, output.shape[len(leading) :]))
        if output.shape != expected:
            raise BundleError(
                f"{folder}: {name} has the shape {list(output.shape)}, expected {list(expected)}: "
                "export the bundle again"
            )
