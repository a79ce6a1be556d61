"""Faces that have the expression that is asked for."""

import numpy as np
import pytest

from cctranslate.inference import attenuation


@pytest.mark.parametrize(("sure", "share"), [(0.0, 1), (0.7, 1), (0.85, 0.5), (1.0, 0)])
def test_the_surer_the_judge_is_the_less_is_changed(sure: float, share: float) -> None:
    before = np.full((1, 7), (1 - sure) / 6, np.float32)
    before[0, 3] = sure
    got = attenuation.fractions(before, np.array([4, 3]))
    np.testing.assert_allclose(got, [[1, share]], atol=1e-5)


def test_what_is_toned_down_lies_between_the_face_and_its_translation() -> None:
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    translated = np.random.default_rng(1).integers(0, 256, (3, 2, 48, 48), np.uint8)
    shares = np.array([[1, 1], [0, 1], [0.5, 1]], np.float32)
    toned = attenuation.attenuate(faces, translated, shares)
    np.testing.assert_array_equal(toned[:, 1], translated[:, 1])
    np.testing.assert_array_equal(toned[0, 0], translated[0, 0])
    np.testing.assert_array_equal(toned[1, 0], faces[1])
    middle = (faces[2].astype(float) + translated[2, 0]) / 2
    assert np.abs(toned[2, 0] - middle).max() <= 0.5
