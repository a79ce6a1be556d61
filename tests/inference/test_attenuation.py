"""Faces that have the expression that is asked for."""

import numpy as np
import pytest

from cctranslate.inference import attenuation
from cctranslate.inference.variants import Plan


@pytest.mark.parametrize(("sure", "share"), [(0.0, 1), (0.7, 1), (0.85, 0.5), (1.0, 0)])
def test_the_surer_the_judge_is_the_less_is_changed(sure: float, share: float) -> None:
    before = np.full((1, 7), (1 - sure) / 6, np.float32)
    before[0, 3] = sure
    got = attenuation.fractions(before, np.array([4, 3]))
    np.testing.assert_allclose(got, [[1, share]], atol=1e-5)


def test_what_is_toned_down_lies_between_the_face_and_its_translation() -> None:
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    translated = np.random.default_rng(1).integers(0, 256, (3, 2, 48, 48), np.uint8)
    fractions = np.array([[1, 1], [0, 1], [0.5, 1]], np.float32)
    toned = attenuation.attenuate(faces, translated, fractions)
    np.testing.assert_array_equal(toned[:, 1], translated[:, 1])
    np.testing.assert_array_equal(toned[0, 0], translated[0, 0])
    np.testing.assert_array_equal(toned[1, 0], faces[1])
    middle = (faces[2].astype(float) + translated[2, 0]) / 2
    assert np.abs(toned[2, 0] - middle).max() <= 0.5


def test_styles_of_a_face_that_shows_the_target_differ() -> None:
    """Only the change to the plain translation is left out; what a style adds stays."""
    random = np.random.default_rng(2)
    faces = random.integers(100, 150, (2, 48, 48), np.uint8)
    plain_change, style = random.integers(-40, 40, (2, 48, 48)), random.integers(-20, 20, (48, 48))
    plain = np.clip(faces + plain_change, 0, 255).astype(np.uint8)
    styled = np.clip(plain + style, 0, 255).astype(np.uint8)
    translated = np.stack([plain, styled], 1)
    applied = np.array([[0, 0], [0.5, 0.5]], np.float32)
    toned = attenuation.attenuate(faces, translated, applied, np.array([0, 0])).astype(int)
    np.testing.assert_array_equal(toned[0, 0], faces[0])
    np.testing.assert_array_equal(toned[0, 1], faces[0] + style)
    assert np.abs(toned[1, 1] - toned[1, 0] - style).max() <= 1
    without = attenuation.attenuate(faces, translated[:, :1], applied[:, :1])
    np.testing.assert_array_equal(toned[:, :1], without)


def test_edits_are_attenuated_as_translations_are() -> None:
    edits = np.random.default_rng(3).normal(size=(2, 3, 4, 48, 48)).astype(np.float32)
    applied = np.array([[0.25, 0.25, 1], [1, 1, 1]], np.float32)
    toned = edits.copy()
    attenuation.attenuate_edits(toned, applied, np.array([0, 0, 2]))
    np.testing.assert_array_equal(toned[1], edits[1])
    np.testing.assert_allclose(toned[0, 0], 0.25 * edits[0, 0], rtol=1e-5)
    added = edits[0, 1] - edits[0, 0]
    np.testing.assert_allclose(toned[0, 1], 0.25 * edits[0, 0] + added, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(toned[0, 2], edits[0, 2])


def test_the_plain_one_is_of_the_same_target_and_strength() -> None:
    plan = Plan(targets=("happy", "sad"), strengths=(0.5, 1), samples=2, best_of=2)
    plain = plan.conditions.plain
    assert plain.tolist() == [k // 4 * 4 for k in range(16)]
    assert plan.conditions.part(slice(1, 3)).plain.tolist() == [0, 1], "none: each is its own"
