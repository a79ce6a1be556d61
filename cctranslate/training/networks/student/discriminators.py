"""All discriminators of a student: of pixels, and of a pretrained network's features."""

from collections.abc import Sequence

from torch import nn

from cctranslate.training.networks.pretrained.picture_features import PictureFeatures
from cctranslate.training.networks.student.part_discriminators import (
    DiscriminatorInput,
    PartDiscriminators,
)
from cctranslate.training.networks.student.projected_discriminator import (
    Features,
    ProjectedDiscriminator,
)


class StudentDiscriminators(nn.Module):
    """Discriminators of whole faces, mouths and eyes, and if wanted one of features."""

    def __init__(self, widths: Sequence[int], picture_features: PictureFeatures | None) -> None:
        """Build them; without a pretrained network `picture_features` there is none of features."""
        super().__init__()
        self.parts = PartDiscriminators(widths)
        self.features = (
            None if picture_features is None else ProjectedDiscriminator(picture_features)
        )

    def see(self, faces: DiscriminatorInput, step: int) -> Features | None:
        """Return what the discriminator of features sees in a step, if there is one."""
        return None if self.features is None else self.features.see(faces, step)
