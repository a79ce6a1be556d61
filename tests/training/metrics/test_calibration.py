"""Calibration figures against numbers worked out by hand."""

import numpy as np
import pytest
import torch

from cctranslate.training.metrics.calibration import expected_calibration_error, fit_temperature


def test_calibration_error_of_an_overconfident_guess() -> None:
    probabilities = np.tile([0.9, 0.1], (10, 1))
    labels = np.array([0] * 6 + [1] * 4)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.3)


def test_the_temperature_makes_confidence_as_high_as_accuracy() -> None:
    """Three of four are right at odds of e^4 to 1: the temperature makes the odds 3 to 1."""
    logits = torch.tensor([[4.0, 0.0]]).repeat(400, 1)
    labels = (torch.arange(400) % 4 == 0).long()
    assert fit_temperature(logits, labels) == pytest.approx(4 / np.log(3), rel=1e-3)
