"""A picture with what the models made of its faces."""

from dataclasses import dataclass

from cctranslate.batch.inputs.items import Decoded
from cctranslate.batch.report.row import Disposition
from cctranslate.inference.variants import Plan
from cctranslate.pixels import Gray, Scaled


@dataclass(frozen=True, kw_only=True)
class FaceResults:
    """A face's V results [V,48,48], their probabilities [V,7] and those of the face, `before` [7].

    `edits` [V,3,48,48] are there if its picture is to be changed.
    """

    translated: Gray
    edits: Scaled | None
    probabilities: Scaled
    before: Scaled
    shows_face: bool
    """Whether there is a face at all; a result of anything else is never confirmed."""
    hard: bool
    """Whether a face that is a picture of its own is hard to change."""

    def confirms(self, plan: Plan, k: int) -> bool:
        """Return whether the judge confirms result `k` of the plan."""
        return self.shows_face and plan.confirms(plan.variants[k].target, self.probabilities[k])


@dataclass(frozen=True, kw_only=True)
class TranslatedPicture:
    """A picture with the results of the faces to translate."""

    decoded: Decoded
    faces: tuple[FaceResults, ...]
    ms: float
    """Milliseconds of inference for each face."""
    dispositions: tuple[tuple[Disposition | None, ...], ...]
    """What becomes of each face's results; None where an earlier call made it."""
