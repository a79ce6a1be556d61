"""All discriminators of a student: of pixels, and of what a pretrained network sees in them."""

from collections.abc import Sequence

from torch import Tensor, nn

from cctranslate.training.losses.components import ComponentDiscriminators, Shown
from cctranslate.training.losses.projected import ProjectedDiscriminator
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.pretrained.picture_features import PictureFeatures


class StudentDiscriminators(nn.Module):
    """Discriminators of whole faces, mouths and eyes, and if wanted one of features."""

    def __init__(self, widths: Sequence[int], seen: PictureFeatures | None) -> None:
        """Take the network whose features one of them sees; None leaves it out."""
        super().__init__()
        self.parts = ComponentDiscriminators(widths)
        self.features = None if seen is None else ProjectedDiscriminator(seen)

    def d_terms(self, real: Shown, fake: Shown, step: int) -> Terms:
        """Return each one's loss as `d_mouth` and the like."""
        terms = self.parts.d_terms(real, fake)
        if self.features is not None:
            terms |= self.features.d_terms(real, fake, step)
        return terms

    def g_terms(self, real: Shown, fake: Shown, step: int) -> Terms:
        """Return what G loses to each of them."""
        terms = self.parts.g_terms(real, fake)
        if self.features is not None:
            terms |= self.features.g_terms(fake, step)
        return terms

    def penalty(self, faces: Shown) -> Tensor:
        """Return the gradient penalty of those that see pixels."""
        return self.parts.penalty(faces)
