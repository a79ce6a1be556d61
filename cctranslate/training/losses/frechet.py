"""The Frechet distance between translations and their sources, as a loss.

Translations to one expression lose a little of what makes each face different: as a set they lie
closer together than real faces, around another mean. A face recognizer's embeddings show this even
where it recognizes every single face.
"""

import torch
from torch import Tensor, nn

MEMORY = 2000
"""Number of recent faces that the running covariances cover."""
RIDGE = 0.01
"""Fraction of the mean variance that is added to every direction."""
ITERATIONS = 18
"""Enough for variances that differ by a factor of ten thousand; each is three matrix products."""


class FrechetLoss(nn.Module):
    """Squared Frechet distance of embeddings before and after, along `axes` [A,E] of them.

    |b - a|^2 + tr(B) + tr(A) - 2 tr((B^1/2 A B^1/2)^1/2) of means b, a and covariances B, A
    (Dowson and Landau 1982), all of them running. Call `update` with a batch before `forward`.
    """

    axes: Tensor

    def __init__(self, axes: Tensor) -> None:
        super().__init__()
        # Not stored in checkpoints, as they belong to the network that computes the embeddings.
        self.register_buffer("axes", axes, persistent=False)
        self.before, self.after = _Moments(len(axes)), _Moments(len(axes))

    @torch.no_grad()
    def update(self, before: Tensor, after: Tensor) -> None:
        """Add a batch's embeddings [N,E] before and after to the running statistics."""
        self.before.add(before @ self.axes.T)
        self.after.add(after @ self.axes.T)

    def forward(self, after: Tensor) -> Tensor:
        """Return the running distance, with its gradient with respect to this batch's embeddings.

        It is 0 until half of the memory is filled, as covariances of few faces are useless.
        """
        z = after @ self.axes.T
        with torch.no_grad():
            cov_before, cov_after = self.before.covariance(), self.after.covariance()
            root, _ = _roots(cov_before)
            product_root, inverse = _roots(root @ cov_after @ root)
            mean = self.after.mean()
            off = mean - self.before.mean()
            distance = off.square().sum() + cov_before.trace() + cov_after.trace()
            distance = distance - 2 * product_root.trace()
            # The derivative by A is I - B^1/2 (B^1/2 A B^1/2)^-1/2 B^1/2.
            slope = torch.eye(len(root), device=root.device) - root @ inverse @ root
            ready = (self.after.count > MEMORY / 2).float()
        moved = z - mean
        now = 2 * (moved @ off).mean() + ((moved @ slope) * moved).sum() / len(z)
        # The value is the running distance; the gradient is that of this batch's part in it.
        return ready * (distance + now - now.detach())


class _Moments(nn.Module):
    """Running mean and covariance of embeddings [N,A]."""

    count: Tensor
    sums: Tensor
    squares: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("sums", torch.zeros(width))
        self.register_buffer("squares", torch.zeros(width, width))

    def add(self, z: Tensor) -> None:
        """Add a batch."""
        keep = max(0.0, 1 - len(z) / MEMORY)
        self.count.mul_(keep).add_(len(z))
        self.sums.mul_(keep).add_(z.sum(0))
        self.squares.mul_(keep).add_(z.T @ z)

    def mean(self) -> Tensor:
        """Return the mean [A]."""
        return self.sums / self.count

    def covariance(self) -> Tensor:
        """Return the covariance [A,A], with the ridge."""
        mean = self.mean()
        plain = self.squares / self.count - torch.outer(mean, mean)
        ridge = RIDGE * plain.trace() / len(mean)
        return plain + ridge * torch.eye(len(mean), device=plain.device)


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the square root of a positive definite matrix, and the root's inverse.

    By Newton-Schulz iterations, as CUDA graphs cannot record a decomposition.
    """
    scale, identity = matrix.trace(), torch.eye(len(matrix), device=matrix.device)
    root, inverse = matrix / scale, identity
    for _ in range(ITERATIONS):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return root * scale.sqrt(), inverse / scale.sqrt()
