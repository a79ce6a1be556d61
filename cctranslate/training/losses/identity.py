"""Whether a changed face is still that person, as frozen networks that tell people apart see it."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.training.data.batches import Batch
from cctranslate.training.device import autocast

FORGET = 0.02
"""Share of what a batch adds to the running means of how far results and real faces lie."""
Embedder = Callable[[Tensor], Tensor]
"""Faces [N,1,48,48] in [-1,1] -> embeddings [N,E]."""


class IdentityEncoder(nn.Module):
    """What some encoders say of batches; it remembers the running means that `drift` compares.

    Each gives embeddings of `width` and sees `view` of faces [N,C,48,48].
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        view: Callable[[Tensor], Tensor],
        width: int,
        device: torch.device,
    ) -> None:
        super().__init__()
        # Not submodules: a run's checkpoint holds what it trains, and these it does not.
        self._networks: list[Embedder] = [still(network, device) for network in networks]
        self._view, self._device = view, device
        size = (len(self._networks), NUM_CLASSES, width)
        self.moved, self.real = (_Running(size, device) for _ in range(2))

    def __len__(self) -> int:
        """How many encoders there are."""
        return len(self._networks)

    def embed(self, source: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings [E,N,D] of length 1, before and after, each pair of the same view."""
        pairs = [self._pair(network, source, fake) for network in self._networks]
        return torch.stack([before for before, _ in pairs]), torch.stack([a for _, a in pairs])

    def _pair(self, network: Embedder, source: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        views = self._view(torch.cat([source, fake], 1))
        with autocast(self._device):
            with torch.no_grad():
                before = network(views[:, :1]).float()
            after = network(views[:, 1:]).float()
        return F.normalize(before, dim=1), F.normalize(after, dim=1)

    def drift(self, batch: Batch, before: Tensor, after: Tensor) -> Tensor:
        """How far all results of a target drift, by embeddings [E,N,D] of sources and results.

        The mean of what a target's translations add to their sources' embeddings is compared with
        what sets real faces of that expression apart from all faces: the squared distance, its mean
        over targets. What every result of a target shares beyond that is G's mark, which no one's
        face has. It takes one step of the running means, too.
        """
        targets = F.one_hot(batch.targets, NUM_CLASSES).float()
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
        return (off.square().sum((1, 2)) + pull).mean() / NUM_CLASSES


class _Running(nn.Module):
    """Embeddings' means by class [E,7,D] over the last batches."""

    def __init__(self, size: tuple[int, int, int], device: torch.device) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(size, device=device))
        self.register_buffer("counts", torch.zeros(NUM_CLASSES, device=device))

    sums: Tensor
    counts: Tensor

    def add(self, sums: Tensor, counts: Tensor) -> None:
        """Take in a batch's sums [E,7,D] of so many [7]."""
        self.sums.mul_(1 - FORGET).add_(sums)
        self.counts.mul_(1 - FORGET).add_(counts)

    def means(self) -> Tensor:
        """As they are now; zeros where nothing was seen."""
        return self.sums / self.counts.clamp_min(1)[:, None]


def away(before: Tensor, after: Tensor) -> Tensor:
    """One minus the cosine of embeddings [E,N,D] of length 1, before and after: its mean."""
    return 1 - (before * after).sum(2).mean()


def still(network: nn.Module, device: torch.device) -> nn.Module:
    """The network there, frozen."""
    return network.to(device).eval().requires_grad_(False)
