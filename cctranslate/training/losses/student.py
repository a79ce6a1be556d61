"""All discriminators of a student: parts of faces, and what the face recognizer sees of them."""

from collections.abc import Sequence

from torch import Tensor, nn

from cctranslate.training.losses.components import ComponentDiscriminators, Shown
from cctranslate.training.losses.projected import ProjectedDiscriminator
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.face_recognizer import FaceRecognizer


class StudentDiscriminators(nn.Module):
    """Discriminators of whole faces, mouths and eyes, and if wanted one of features."""

    def __init__(self, widths: Sequence[int], recognizer: FaceRecognizer | None) -> None:
        """Take the recognizer whose features one of them sees; None leaves it out."""
        super().__init__()
        self.parts = ComponentDiscriminators(widths)
        self.features = None if recognizer is None else ProjectedDiscriminator(recognizer)

    def d_terms(self, real: Shown, fake: Shown, *, features: bool) -> Terms:
        """Return each one's loss as `d_mouth` and the like; of `features` only if asked for."""
        terms = self.parts.d_terms(real, fake)
        if self.features is not None and features:
            terms |= self.features.d_terms(real.x, fake.x, fake.classes)
        return terms

    def g_terms(self, real: Shown, fake: Shown, *, features: bool) -> Terms:
        """Return what G loses to each of them."""
        terms = self.parts.g_terms(real, fake)
        if self.features is not None and features:
            terms |= self.features.g_terms(fake.x, fake.classes)
        return terms

    def penalty(self, faces: Shown) -> Tensor:
        """Return the gradient penalty of those that see pixels."""
        return self.parts.penalty(faces)
