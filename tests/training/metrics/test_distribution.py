"""Metrics on data whose answer is known."""

import numpy as np
import pytest

from cctranslate.training.metrics.distribution import (
    Eigenfaces,
    frechet_distance,
    kernel_distance,
    roughness,
)
from tests.support import pictures

RANDOM = np.random.default_rng(0)


def test_frechet_distance_of_shifted_and_scaled_normals() -> None:
    a = RANDOM.normal(size=(20_000, 4))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, a + 2) == pytest.approx(16, rel=1e-6)
    assert frechet_distance(a, a * 3) == pytest.approx(4 * 4, rel=0.05)


def test_kernel_distance_is_unbiased_and_sees_a_shift() -> None:
    a, b = RANDOM.normal(size=(2, 2_000, 8))
    assert abs(kernel_distance(a, b)) < 0.02
    assert kernel_distance(a, b + 1) > 1


def test_eigenfaces_know_a_face_from_another() -> None:
    faces = np.stack([pictures.draw_face(i % 7, i) for i in range(400)])
    known = Eigenfaces(faces[:300], components=32)
    z = known.embed(faces[300:])
    brighter = known.embed((faces[300:] * 0.8 + 20).astype(np.uint8))
    assert (z * brighter).sum(1).mean() > 0.9
    assert abs((z * np.roll(z, 1, 0)).sum(1).mean()) < 0.2


def test_eigenfaces_of_few_and_of_many_faces_agree() -> None:
    faces = np.stack([pictures.draw_face(i % 7, i) for i in range(40)])
    few = Eigenfaces(faces, components=8).embed(faces)
    # 58 times each is more rows than pixels, with the same components.
    many = Eigenfaces(np.concatenate([faces] * 58), components=8).embed(faces)
    np.testing.assert_allclose(few @ few.T, many @ many.T, atol=1e-3)


def test_eigenfaces_of_fewer_faces_than_components_are_finite() -> None:
    faces = np.stack([pictures.draw_face(i % 7, i) for i in range(20)])
    z = Eigenfaces(faces).embed(faces)
    assert np.isfinite(z).all()
    np.testing.assert_allclose((z * z).sum(1), 1, atol=1e-5)


def test_roughness_of_a_checkerboard() -> None:
    board = (np.indices((48, 48)).sum(0) % 2 * 10).astype(np.uint8)[None]
    assert roughness(board) == pytest.approx(40)
    assert roughness(np.full((1, 48, 48), 7, np.uint8)) == 0
