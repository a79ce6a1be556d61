"""Embed faces with the recognizer, and erase the expression from the embeddings."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cctranslate.pixels import Gray
from cctranslate.process import signals
from cctranslate.training.data import computed_arrays
from cctranslate.training.data.device_cache import scaled
from cctranslate.training.device import autocast
from cctranslate.training.networks.pretrained.face_recognizer import FaceRecognizer

FILE = "identity.npz"
BATCH = 128
"""Faces that are embedded at once."""
SMALLEST = 1e-6
"""Fraction of the largest variance, or correlation, below which a direction holds nothing."""


def load_or_embed(
    path: Path, recognizer: FaceRecognizer, images: Gray, device: torch.device
) -> NDArray[np.float32]:
    """Return the embeddings [N,128] of `images` that `path` stores, or compute and store them.

    The recognizer must be on the device.
    """

    def compute() -> computed_arrays.Arrays:
        return {"embeddings": embed(recognizer, images, device).numpy()}

    return computed_arrays.load_or_compute(path, (images,), compute)["embeddings"]


@torch.inference_mode()
def embed(recognizer: FaceRecognizer, images: Gray, device: torch.device) -> Tensor:
    """Return embeddings [N,128] of faces [N,48,48] along the recognizer's axes, on the CPU."""
    parts = []
    for start in range(0, len(images), BATCH):
        signals.raise_if_received()
        faces = scaled(torch.from_numpy(images[start : start + BATCH]).to(device))
        with autocast(device):
            embeddings = recognizer(faces).float()
        parts.append((F.normalize(embeddings, dim=1) @ recognizer.axes.float().T).cpu())
    return torch.cat(parts)


def fit_eraser(
    embeddings: NDArray[np.float32], labels: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean [D] and the matrix [D,D] that erase labels [N,C] from embeddings [N,D].

    After `(embeddings - mean) @ matrix.T` no linear function of an embedding predicts the label,
    and no other such affine map changes the embeddings less (LEACE: Belrose et al. 2023).
    """
    x = embeddings.astype(np.float64)
    z = labels.astype(np.float64)
    mean = x.mean(0)
    centered = x - mean
    covariance = centered.T @ centered / len(x)
    cross = centered.T @ (z - z.mean(0)) / len(x)
    variances, directions = np.linalg.eigh(covariance)
    significant = variances > SMALLEST * variances.max()
    directions, deviations = directions[:, significant], np.sqrt(variances[significant])
    whiten = directions / deviations @ directions.T
    color = directions * deviations @ directions.T
    basis, strengths, _ = np.linalg.svd(whiten @ cross, full_matrices=False)
    basis = basis[:, strengths > SMALLEST]
    eraser = np.eye(x.shape[1]) - color @ basis @ basis.T @ whiten
    return mean.astype(np.float32), eraser.astype(np.float32)
