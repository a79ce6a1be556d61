"""G's losses by frozen networks: guides for the expression, encoders for the person."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import EMOTIONS
from cctranslate.recipes.components import Procedure, Weights
from cctranslate.training.data import augment
from cctranslate.training.data.batches import Batch
from cctranslate.training.losses.frechet import FrechetLoss
from cctranslate.training.losses.identity import DriftLoss, IdentityEncoder, identity_loss
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.classifiers import OUTPUTS, Classifier
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.networks.pretrained.face_recognizer import FaceRecognizer

GUIDE_NOISE = 0.1
"""Standard deviation of the noise on what a guide sees, in [-1,1]."""
HIDDEN = 0.75
"""Probability that a guide sees only the upper half of a result for an upper-face target."""
_FORMER_NAMES = {
    "encoders.": "drift.",
    "recogniser.": "likeness_drift.",
    "frechet.": "likeness_frechet.",
}
"""Former prefixes of the running statistics, in checkpoints of 0.1.0's first runs."""


@dataclass(frozen=True, kw_only=True)
class TeacherNetworks:
    """The trained networks that teach G."""

    guides: tuple[Classifier, ...] = ()
    encoders: tuple[Classifier, ...] = ()
    face_recognizer: FaceRecognizer | None = None


class GuideLoss(nn.Module):
    """Cross-entropy of frozen classifiers on augmented translations."""

    upper_face: Tensor

    def __init__(self, guides: Sequence[Classifier], upper_face: Sequence[str]) -> None:
        """Use guides; for the targets `upper_face` they mostly see the upper half."""
        super().__init__()
        self.networks = nn.ModuleList(guides).eval().requires_grad_(False)
        targets = torch.tensor([EMOTIONS.index(e) for e in upper_face], dtype=torch.int64)
        self.register_buffer("upper_face", targets, persistent=False)

    def forward(self, fake: Tensor, targets: Tensor) -> Tensor:
        """Return the guides' mean loss [N], each on its own random view of the faces."""
        logits = [guide(self._view(fake, targets)).float() for guide in self.networks]
        return torch.stack([guide_loss(guide_logits, targets) for guide_logits in logits]).mean(0)

    def _view(self, fake: Tensor, targets: Tensor) -> Tensor:
        view = augment.for_guide(fake, GUIDE_NOISE)
        if not len(self.upper_face):
            return view
        hidden = torch.rand(len(fake), device=fake.device) < HIDDEN
        return augment.without_lower_half(view, torch.isin(targets, self.upper_face) & hidden)


def guide_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the cross-entropy [N] with smoothed labels: more confidence is not rewarded."""
    return F.cross_entropy(logits, classes, label_smoothing=0.1, reduction="none")


class Teachers(nn.Module):
    """G's terms by frozen networks.

    Only the running statistics are stored in checkpoints: `state` leaves the networks out.
    """

    def __init__(
        self,
        networks: TeacherNetworks,
        procedure: Procedure,
        weights: Weights,
        device: torch.device,
    ) -> None:
        super().__init__()
        self._weights = weights
        self.guide = GuideLoss(networks.guides, procedure.upper_face_targets)
        self.encoders = IdentityEncoder(networks.encoders, augment.for_identity)
        recognizers: tuple[FaceRecognizer, ...] = ()
        if networks.face_recognizer is not None:
            recognizers = (networks.face_recognizer,)
        self.face_recognizer = IdentityEncoder(recognizers, augment.for_face_recognizer)
        if weights.drift:
            self.drift = DriftLoss(len(self.encoders), OUTPUTS["identity"])
        if weights.likeness_drift:
            self.likeness_drift = DriftLoss(len(recognizers), face_recognizer.WIDTH)
        if weights.likeness_frechet:
            self.likeness_frechet = FrechetLoss(recognizers[0].axes)
        self.to(device)

    @property
    def see_identity(self) -> bool:
        """Whether there are encoders, or a face recognizer."""
        return len(self.encoders) > 0 or len(self.face_recognizer) > 0

    def identity(self, batch: Batch, source: Tensor, fake: Tensor) -> Terms:
        """Add the batch to the running statistics, and return the identity terms.

        `identity` is one minus the cosine of the encoders' embeddings of a face and its
        translation, `likeness` the same by the face recognizer. `drift`, `likeness_drift` and
        `likeness_frechet` compare the embeddings of all translations with those of real faces.
        """
        terms: Terms = {}
        if len(self.encoders):
            before, after = self.encoders(source, fake)
            terms["identity"] = identity_loss(before, after)
            if self._weights.drift:
                self.drift.update(batch, before, after)
                terms["drift"] = self.drift(batch, before, after)
        if len(self.face_recognizer):
            before, after = self.face_recognizer(source, fake)
            terms["likeness"] = identity_loss(before, after)
            if self._weights.likeness_drift:
                self.likeness_drift.update(batch, before, after)
                terms["likeness_drift"] = self.likeness_drift(batch, before, after)
            if self._weights.likeness_frechet:
                self.likeness_frechet.update(before[0], after[0])
                terms["likeness_frechet"] = self.likeness_frechet(after[0])
        return terms

    def state(self) -> dict[str, Tensor]:
        """Return the running statistics, without the frozen networks."""
        state = self.state_dict()
        return {name: value for name, value in state.items() if ".networks." not in name}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Load running statistics.

        Raises:
            KeyError: Some of them are missing.
        """
        renamed = dict(state)
        for name, value in state.items():
            for former, current in _FORMER_NAMES.items():
                if name.startswith(former):
                    renamed[current + name.removeprefix(former)] = value
        self.load_state_dict({name: renamed[name] for name in self.state()}, strict=False)
