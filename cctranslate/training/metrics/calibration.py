"""Measure a classifier's accuracy and calibration, and fit its temperature."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.emotions import NUM_CLASSES
from cctranslate.errors import DivergedError
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.data.ferplus import Votes, majority
from cctranslate.training.networks.classifiers import Classifier, predict_logits

BINS = 15
"""Bins of confidence, by which the calibration error is computed."""


def calibrate(network: Classifier, faces: Faces, votes: Votes | None, device: torch.device) -> None:
    """Fit the network's temperature on faces, by FER+ majority where there are votes.

    Raises:
        DivergedError: The network's logits are not finite.
    """
    network.temperature.fill_(1.0)
    references = _references(faces, votes)
    mask, labels = references.get("ferplus_majority", references["fer2013"])
    if mask.any():
        logits = predict_logits(network, faces.images, device)
        if not logits.isfinite().all():
            raise DivergedError(
                "the classifier's logits are not finite: train it anew with a lower --lr or "
                "another --seed"
            )
        chosen = logits[torch.from_numpy(mask)], torch.from_numpy(labels[mask])
        network.temperature.fill_(fit_temperature(*chosen))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the T that makes labels [N] most likely under softmax(logits [N,7] / T).

    Source: Guo et al. 2017.
    """
    log_t = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(logits / log_t.exp(), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return float(log_t.detach().exp())


def classifier_figures(
    probabilities: np.ndarray, faces: Faces, votes: Votes | None
) -> dict[str, Any]:
    """Return accuracy, calibration error and confusion of probabilities [N,7].

    By FER2013's labels, and by FER+ majorities where there are votes.
    """
    return {
        name: _figures(probabilities[mask], labels[mask])
        for name, (mask, labels) in _references(faces, votes).items()
        if mask.any()
    }


def _references(faces: Faces, votes: Votes | None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each source of labels the faces that have one (mask [N]) and the labels [N]."""
    references = {"fer2013": (np.ones(len(faces), bool), faces.labels.astype(np.int64))}
    if votes is not None:
        references["ferplus_majority"] = majority(faces, votes)
    return references


def _figures(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    predicted = probabilities.argmax(1)
    confusion = np.zeros((NUM_CLASSES, NUM_CLASSES), int)
    np.add.at(confusion, (labels, predicted), 1)
    return {
        "faces": len(labels),
        "accuracy": round(float((predicted == labels).mean()), 4),
        "ece": round(expected_calibration_error(probabilities, labels), 4),
        "confusion": confusion.tolist(),
    }


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean gap between confidence and accuracy over 15 equal bins (Guo et al. 2017).

    scikit-learn has the curve but not its weighted mean, and torchmetrics is a large dependency for
    five lines.
    """
    confidence, hit = probabilities.max(1), probabilities.argmax(1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(hit[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(sum(gaps))
