"""Models that sleep instead of computing, so that one machine can stand for several nodes."""

import time

from cctranslate.inference.conditions import Conditions
from cctranslate.inference.models import Translated, TranslationModels
from cctranslate.pixels import Gray

SECONDS = 0.01
"""How long a face takes."""


def install() -> None:
    """Let each face take so long in this process, whatever else it does."""
    computed = TranslationModels.translate

    def translate(
        self: TranslationModels, faces: Gray, conditions: Conditions, with_edits: bool = False
    ) -> Translated:
        time.sleep(SECONDS * len(faces))
        return computed(self, faces, conditions, with_edits)

    TranslationModels.translate = translate  # type: ignore[method-assign]
