"""What frozen networks teach G: guides the expression, encoders the person."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import EMOTIONS
from cctranslate.recipes.spec import Procedure
from cctranslate.training import augment, device, losses
from cctranslate.training.batches import Batch
from cctranslate.training.classifier import OUTPUTS, Classifier
from cctranslate.training.edit import CLASSES

GUIDE_NOISE = 0.1
HIDDEN = 0.75
"""How often a guide sees the upper half alone of what it is to read by the eyes."""
FORGET = 0.02
"""Share of what a batch adds to the running means of how far results and real faces lie."""


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """The networks that were trained before G and teach it."""

    guides: tuple[Classifier, ...] = ()
    encoders: tuple[Classifier, ...] = ()


class Teachers(nn.Module):
    """G's terms that frozen networks give; what it remembers is what `drift` compares."""

    def __init__(self, frozen: Frozen, procedure: Procedure, place: torch.device) -> None:
        super().__init__()
        # Not submodules: a run's checkpoint holds what it trains, and these it does not.
        self._guides = [_still(guide, place) for guide in frozen.guides]
        self._encoders = [_still(encoder, place) for encoder in frozen.encoders]
        self._device = place
        told = [EMOTIONS.index(emotion) for emotion in procedure.by_the_eyes]
        self._by_the_eyes = torch.tensor(told, dtype=torch.int64, device=place)
        self.moved, self.real = (_Running(len(self._encoders), place) for _ in range(2))

    @property
    def know_people(self) -> bool:
        """Whether there are encoders."""
        return bool(self._encoders)

    def guide(self, fake: Tensor, targets: Tensor) -> Tensor:
        """The guides' mean loss [N], each on a view of its own."""
        views = [guide(self._view(fake, targets)).float() for guide in self._guides]
        return torch.stack([losses.guide_loss(view, targets) for view in views]).mean(0)

    def _view(self, fake: Tensor, targets: Tensor) -> Tensor:
        view = augment.for_guide(fake, GUIDE_NOISE)
        if not len(self._by_the_eyes):
            return view
        hidden = torch.rand(len(fake), device=fake.device) < HIDDEN
        return augment.without_lower_half(view, torch.isin(targets, self._by_the_eyes) & hidden)

    def person(
        self, batch: Batch, source: Tensor, fake: Tensor, *, drift: bool
    ) -> dict[str, Tensor]:
        """How far the encoders take the faces for others, and how far all of a target drift.

        `identity` is one minus the cosine of a face's and its translation's embeddings, both seen
        in the same view. `drift` compares the mean of what a target's translations add to their
        sources' embeddings with what sets real faces of that expression apart from all faces: the
        squared distance, its mean over targets. What every result of a target shares beyond that
        is G's mark, which no one's face has.
        """
        pairs = [self._pair(encoder, source, fake) for encoder in self._encoders]
        before = torch.stack([before for before, _ in pairs])
        after = torch.stack([after for _, after in pairs])
        away = 1 - (before * after).sum(2).mean()
        terms = {"identity": away}
        return terms | {"drift": self._drift(batch, before, after)} if drift else terms

    def _pair(self, encoder: Classifier, source: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings [N,128] before and after."""
        views = augment.for_identity(torch.cat([source, fake], 1))
        with device.autocast(self._device):
            with torch.no_grad():
                before = encoder(views[:, :1]).float()
            after = encoder(views[:, 1:]).float()
        return F.normalize(before, dim=1), F.normalize(after, dim=1)

    def _drift(self, batch: Batch, before: Tensor, after: Tensor) -> Tensor:
        """Embeddings [E,N,128] of sources and results; one step of the running means, too."""
        targets = F.one_hot(batch.targets, CLASSES).float()
        real = batch.labels[batch.source]
        moved_now = torch.einsum("nk,end->ekd", targets, after - before)
        with torch.no_grad():
            self.moved.add(moved_now, targets.sum(0))
            self.real.add(torch.einsum("nk,end->ekd", real, before), real.sum(0))
            of_all = self.real.sums.sum(1, keepdim=True) / self.real.counts.sum()
            off = self.moved.means() - (self.real.means() - of_all)
            there = (targets.sum(0) > 0).float()[:, None]
        # The running mean says how far off a target is, with little noise; the gradient that a
        # batch's own mean gives of that squared distance is this product's.
        mean_now = moved_now / targets.sum(0).clamp_min(1)[:, None]
        pull = 2 * (off * there * (mean_now - mean_now.detach())).sum((1, 2))
        return (off.square().sum((1, 2)) + pull).mean() / CLASSES


class _Running(nn.Module):
    """Embeddings' means by class [E,7,128] over the last batches."""

    def __init__(self, encoders: int, place: torch.device) -> None:
        super().__init__()
        size = (encoders, CLASSES, OUTPUTS["identity"])
        self.register_buffer("sums", torch.zeros(size, device=place))
        self.register_buffer("counts", torch.zeros(CLASSES, device=place))

    sums: Tensor
    counts: Tensor

    def add(self, sums: Tensor, counts: Tensor) -> None:
        """Take in a batch's sums [E,7,128] of so many [7]."""
        self.sums.mul_(1 - FORGET).add_(sums)
        self.counts.mul_(1 - FORGET).add_(counts)

    def means(self) -> Tensor:
        """As they are now; zeros where nothing was seen."""
        return self.sums / self.counts.clamp_min(1)[:, None]


def _still(network: Classifier, place: torch.device) -> Classifier:
    return network.to(place).eval().requires_grad_(False)
