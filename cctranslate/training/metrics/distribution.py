"""Figures of a translator's quality, computed from arrays alone."""

import math

import numpy as np
from numpy.typing import NDArray

from cctranslate.pixels import Gray, to_scaled

Features = NDArray[np.floating]


def frechet_distance(a: Features, b: Features) -> float:
    """Return FID's distance between two sets of features [N,C], [M,C] (Heusel et al. 2017).

    `scipy.linalg.sqrtm` of a product of covariances is complex without full rank, as with fewer
    faces than features. The square root of a symmetric matrix never is.
    """
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    gap = a.mean(0) - b.mean(0)
    return float(gap @ gap + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def kernel_distance(a: Features, b: Features) -> float:
    """Return KID: unbiased squared MMD with a cubic kernel (Binkowski et al. 2018)."""
    c = a.shape[1]

    def kernel(x: Features, y: Features) -> Features:
        return np.asarray((x @ y.T / c + 1) ** 3)

    def off_diagonal(k: Features) -> float:
        return float((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)))

    return off_diagonal(kernel(a, a)) + off_diagonal(kernel(b, b)) - 2 * float(kernel(a, b).mean())


class Eigenfaces:
    """Identity embeddings without a trained network: whitened principal components of faces.

    Turk and Pentland 1991. The first three components are left out, as they mostly represent the
    light (Belhumeur et al. 1997). Cosines of two people's embeddings are about 0. With few faces
    there are fewer than `components`.
    """

    def __init__(self, faces: Gray, components: int = 128) -> None:
        x = _flat(faces)
        self._mean = x.mean(0)
        x -= self._mean
        values, vectors = _principal(x)
        used = slice(3, min(3 + components, int((values > values[0] * 1e-9).sum())))
        self._project = vectors[:, used] / np.sqrt(values[used])

    def embed(self, faces: Gray) -> Features:
        """Return embeddings [N,components] of length 1."""
        z = (_flat(faces) - self._mean) @ self._project
        return np.asarray(z / np.linalg.norm(z, axis=1, keepdims=True).clip(1e-9))


def _principal(x: NDArray[np.float32]) -> tuple[Features, Features]:
    """Return variances [C] along the principal components [D,C] of centered rows [N,D].

    The largest come first. Sums are computed in double precision part by part: scikit-learn's PCA
    would need all of FER2013 in double precision, 530 MB.
    """
    n, d = x.shape
    if n <= d:
        _, spread, components = np.linalg.svd(x, full_matrices=False)
        return spread**2 / max(n - 1, 1), components.T
    covariance = np.zeros((d, d))
    for part in np.array_split(x, math.ceil(n / d)):  # double precision a part at a time
        wide = part.astype(np.float64)
        covariance += wide.T @ wide
    values, vectors = np.linalg.eigh(covariance / (n - 1))
    return values[::-1], vectors[:, ::-1]


def _flat(faces: Gray) -> NDArray[np.float32]:
    """Flatten faces [N,48,48] to rows of pixels, each of zero mean and unit deviation."""
    x = to_scaled(faces).reshape(len(faces), -1)
    x = x - x.mean(1, keepdims=True)
    return np.asarray(x / x.std(1, keepdims=True).clip(1e-3))


def roughness(faces: Gray) -> float:
    """Return the mean absolute Laplacian in gray levels: checkerboards raise it, blur lowers it."""
    v = faces.astype(np.float32)
    middle = 4 * v[:, 1:-1, 1:-1]
    around = v[:, :-2, 1:-1] + v[:, 2:, 1:-1] + v[:, 1:-1, :-2] + v[:, 1:-1, 2:]
    return float(np.abs(middle - around).mean())
