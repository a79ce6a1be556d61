"""Teach G by frozen networks: guides the expression, encoders and the recognizer the person."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cctranslate.emotions import EMOTIONS
from cctranslate.recipes.spec import Procedure, Weights
from cctranslate.training.data import augment
from cctranslate.training.data.batches import Batch
from cctranslate.training.losses import adversarial
from cctranslate.training.losses.frechet import Frechet
from cctranslate.training.losses.identity import IdentityEncoder, away, still
from cctranslate.training.networks import face_recognizer
from cctranslate.training.networks.classifiers import OUTPUTS, Classifier
from cctranslate.training.networks.face_recognizer import FaceRecognizer

GUIDE_NOISE = 0.1
HIDDEN = 0.75
"""How often a guide sees the upper half alone of what it is to read by the eyes."""


@dataclass(frozen=True, kw_only=True)
class TeacherNetworks:
    """The networks that were trained before G and teach it."""

    guides: tuple[Classifier, ...] = ()
    encoders: tuple[Classifier, ...] = ()
    face_recognizer: FaceRecognizer | None = None


class Teachers(nn.Module):
    """G's terms that frozen networks give; what it remembers is what `drift` compares."""

    def __init__(self, frozen: TeacherNetworks, procedure: Procedure, device: torch.device) -> None:
        super().__init__()
        # Not submodules: a run's checkpoint holds what it trains, and these it does not.
        self._guides = [still(guide, device) for guide in frozen.guides]
        told = [EMOTIONS.index(emotion) for emotion in procedure.by_the_eyes]
        self._by_the_eyes = torch.tensor(told, dtype=torch.int64, device=device)
        self.encoders = IdentityEncoder(
            frozen.encoders, augment.for_identity, OUTPUTS["identity"], device
        )
        known = () if frozen.face_recognizer is None else (frozen.face_recognizer,)
        self.face_recognizer = IdentityEncoder(
            known, augment.for_face_recognizer, face_recognizer.WIDTH, device
        )
        self.frechet = Frechet(known[0].axes, device) if known else None

    @property
    def know_people(self) -> bool:
        """Whether there are encoders, or a face recognizer."""
        return len(self.encoders) > 0 or len(self.face_recognizer) > 0

    def guide(self, fake: Tensor, targets: Tensor) -> Tensor:
        """The guides' mean loss [N], each on a view of its own."""
        views = [guide(self._view(fake, targets)).float() for guide in self._guides]
        return torch.stack([adversarial.guide_loss(view, targets) for view in views]).mean(0)

    def _view(self, fake: Tensor, targets: Tensor) -> Tensor:
        view = augment.for_guide(fake, GUIDE_NOISE)
        if not len(self._by_the_eyes):
            return view
        hidden = torch.rand(len(fake), device=fake.device) < HIDDEN
        return augment.without_lower_half(view, torch.isin(targets, self._by_the_eyes) & hidden)

    def person(
        self, batch: Batch, source: Tensor, fake: Tensor, weights: Weights
    ) -> dict[str, Tensor]:
        """How far faces are taken for others, and how far all of a target drift, as weights ask.

        `identity` is one minus the cosine of a face's and its translation's embeddings, both seen
        in the same view, by the encoders, `likeness` the same by the face recognizer; `drift` and
        `likeness_drift` are what `IdentityEncoder.drift` makes of either, `likeness_frechet` what
        `Frechet` makes of the face recognizer's.
        """
        terms: dict[str, Tensor] = {}
        if len(self.encoders):
            pair = self.encoders.embed(source, fake)
            terms["identity"] = away(*pair)
            if weights.drift:
                terms["drift"] = self.encoders.drift(batch, *pair)
        if self.frechet is not None:
            pair = self.face_recognizer.embed(source, fake)
            terms["likeness"] = away(*pair)
            if weights.likeness_drift:
                terms["likeness_drift"] = self.face_recognizer.drift(batch, *pair)
            if weights.likeness_frechet:
                terms["likeness_frechet"] = self.frechet(pair[0][0], pair[1][0])
        return terms
