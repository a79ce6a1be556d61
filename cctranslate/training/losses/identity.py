"""Identity losses: keep the person, by embeddings of frozen networks that tell people apart."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.training.data.batches import Batch
from cctranslate.training.device import autocast

FORGET = 0.02
"""Fraction by which each batch reduces the running sums of embeddings."""


class IdentityEncoder(nn.Module):
    """Frozen encoders: each embeds a random view of a face and the same view of its translation.

    `view` augments faces [N,C,48,48], equally in all channels.
    """

    def __init__(self, networks: Sequence[nn.Module], view: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks).eval().requires_grad_(False)
        self._view = view

    def __len__(self) -> int:
        return len(self.networks)

    def forward(self, source: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Embed faces [N,1,48,48] before and after; return unit vectors [E,N,D] of both.

        There is no gradient for the embeddings before.
        """
        pairs = [self._pair(network, source, fake) for network in self.networks]
        return torch.stack([before for before, _ in pairs]), torch.stack([a for _, a in pairs])

    def _pair(self, network: nn.Module, source: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        views = self._view(torch.cat([source, fake], 1))
        with autocast(source.device):
            with torch.no_grad():
                before = network(views[:, :1]).float()
            after = network(views[:, 1:]).float()
        return F.normalize(before, dim=1), F.normalize(after, dim=1)


class DriftLoss(nn.Module):
    """Penalizes a mean change of embeddings that differs from that of real faces.

    For each target, the mean change of embeddings by translation is compared with the difference
    between the mean of real faces of that expression and the mean of all faces. The loss is the
    squared distance, averaged over targets. What goes beyond real faces is an artifact of G.
    Call `update` with a batch before `forward`.
    """

    def __init__(self, encoders: int, width: int) -> None:
        super().__init__()
        self.moved = _RunningMeans(encoders, width)
        self.real = _RunningMeans(encoders, width)

    @torch.no_grad()
    def update(self, batch: Batch, before: Tensor, after: Tensor) -> None:
        """Add a batch's embeddings [E,N,D] of sources and translations to the running means."""
        targets = F.one_hot(batch.targets, NUM_CLASSES).float()
        real = batch.labels[batch.source]
        self.moved.add(torch.einsum("nk,end->ekd", targets, after - before), targets.sum(0))
        self.real.add(torch.einsum("nk,end->ekd", real, before), real.sum(0))

    def forward(self, batch: Batch, before: Tensor, after: Tensor) -> Tensor:
        """Return the loss of the running means, with its gradient with respect to this batch."""
        targets = F.one_hot(batch.targets, NUM_CLASSES).float()
        with torch.no_grad():
            of_all = self.real.sums.sum(1, keepdim=True) / self.real.counts.sum()
            off = self.moved.means() - (self.real.means() - of_all)
            present = (targets.sum(0) > 0).float()[:, None]
        moved = torch.einsum("nk,end->ekd", targets, after - before)
        mean_now = moved / targets.sum(0).clamp_min(1)[:, None]
        # 0, with the gradient of the squared distance with respect to the batch's mean. The running
        # means give the direction, with little noise.
        pull = 2 * (off * present * (mean_now - mean_now.detach())).sum((1, 2))
        return (off.square().sum((1, 2)) + pull).mean() / NUM_CLASSES


class _RunningMeans(nn.Module):
    """Running means of embeddings by class [E,7,D]."""

    sums: Tensor
    counts: Tensor

    def __init__(self, encoders: int, width: int) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(encoders, NUM_CLASSES, width))
        self.register_buffer("counts", torch.zeros(NUM_CLASSES))

    def add(self, sums: Tensor, counts: Tensor) -> None:
        """Add a batch's sums [E,7,D] over `counts` [7] faces."""
        self.sums.mul_(1 - FORGET).add_(sums)
        self.counts.mul_(1 - FORGET).add_(counts)

    def means(self) -> Tensor:
        """Return the means [E,7,D]; zeros for classes without faces."""
        return self.sums / self.counts.clamp_min(1)[:, None]


def identity_loss(before: Tensor, after: Tensor) -> Tensor:
    """Return one minus the mean cosine of embeddings [E,N,D] of length 1."""
    return 1 - (before * after).sum(2).mean()
