"""The Frechet distance of results to the faces they were, as a loss.

A face that is made to read as something loses a little of what sets it apart, and so do all: they
come to lie closer together than faces do, about another middle. A network that knows people shows
it, where each face alone is still taken for itself.
"""

import torch
from torch import Tensor, nn

MEMORY = 2000
"""Faces that the running covariances are of; each batch replaces as many."""
RIDGE = 0.01
"""Share of the mean variance that every direction is given besides."""
ITERATIONS = 18
"""Enough for variances that are ten thousandfold apart; each is three products of matrices."""


class Frechet(nn.Module):
    """It, of embeddings before and after, along `axes` [A,E] of them."""

    axes: Tensor

    def __init__(self, axes: Tensor, device: torch.device) -> None:
        super().__init__()
        # It belongs to the network that gives the embeddings: no part of a run's checkpoint.
        self.register_buffer("axes", axes.to(device), persistent=False)
        self.before, self.after = (_Moments(len(axes), device) for _ in range(2))

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """The squared distance of the running Gaussians of embeddings [N,E] before and after.

        |b - a|^2 + tr(B) + tr(A) - 2 tr((B^1/2 A B^1/2)^1/2) of means b, a and covariances B, A
        (Dowson and Landau 1982). Its gradient is what this batch does to it. It is 0 until half of
        the memory is filled: covariances of few faces say nothing.
        """
        z = after @ self.axes.T
        with torch.no_grad():
            self.before.add(before @ self.axes.T)
            self.after.add(z)
            one, other = self.before.covariance(), self.after.covariance()
            root, _ = _roots(one)
            both, inverse = _roots(root @ other @ root)
            mean = self.after.mean()
            off = mean - self.before.mean()
            distance = off.square().sum() + one.trace() + other.trace() - 2 * both.trace()
            # The derivative by A is I - B^1/2 (B^1/2 A B^1/2)^-1/2 B^1/2.
            slope = torch.eye(len(root), device=root.device) - root @ inverse @ root
            ready = (self.after.count > MEMORY / 2).float()
        moved = z - mean
        now = 2 * (moved @ off).mean() + ((moved @ slope) * moved).sum() / len(z)
        return ready * (distance + now - now.detach())


class _Moments(nn.Module):
    """Mean and covariance of the last faces' embeddings [N,A]."""

    def __init__(self, width: int, device: torch.device) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros((), device=device))
        self.register_buffer("sums", torch.zeros(width, device=device))
        self.register_buffer("squares", torch.zeros(width, width, device=device))

    count: Tensor
    sums: Tensor
    squares: Tensor

    def add(self, z: Tensor) -> None:
        """Take in a batch."""
        keep = max(0.0, 1 - len(z) / MEMORY)
        self.count.mul_(keep).add_(len(z))
        self.sums.mul_(keep).add_(z.sum(0))
        self.squares.mul_(keep).add_(z.T @ z)

    def mean(self) -> Tensor:
        """As it is now [A]."""
        return self.sums / self.count

    def covariance(self) -> Tensor:
        """As it is now [A,A], with the ridge."""
        mean = self.mean()
        found = self.squares / self.count - torch.outer(mean, mean)
        ridge = RIDGE * found.trace() / len(mean)
        return found + ridge * torch.eye(len(mean), device=found.device)


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Square root of a positive definite matrix and that root's inverse, by Newton and Schulz.

    Of products alone, which CUDA graphs record, as they do no decomposition.
    """
    scale, one = matrix.trace(), torch.eye(len(matrix), device=matrix.device)
    root, inverse = matrix / scale, one
    for _ in range(ITERATIONS):
        step = 1.5 * one - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return root * scale.sqrt(), inverse / scale.sqrt()
