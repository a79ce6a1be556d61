"""Landmarks by the real detector, stored once, and moved with their faces."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cctranslate.faces.alignment import MIRRORED_POINTS, TEMPLATE
from cctranslate.pixels import Gray
from cctranslate.training.data import augment, landmarks
from tests.support import pictures


@pytest.fixture(scope="module")
def people() -> Gray:
    """Faces framed as FER2013's, and at last a picture without any."""
    return np.stack([*pictures.people(), np.full((48, 48), 128, np.uint8)])


def test_landmarks_lie_where_faces_have_them(people: Gray) -> None:
    found = landmarks.find(people)
    assert found.has_landmarks.tolist() == [True] * (len(people) - 1) + [False]
    assert np.abs(found.points[:-1] - TEMPLATE).max() < 8  # the nose of a face in half profile
    assert np.abs(np.median(found.points[:-1], 0) - TEMPLATE).max() < 1.5
    assert (found.points[-1] == TEMPLATE.astype(np.float32)).all()


def test_landmarks_of_a_mirrored_face_are_mirrored(people: Gray) -> None:
    seen = landmarks.find(people[:-1]).points
    mirrored = landmarks.find(np.ascontiguousarray(people[:-1, :, ::-1])).points
    off = np.abs(mirrored[:, MIRRORED_POINTS] * [-1, 1] + [47, 0] - seen).max((1, 2))
    assert np.median(off) < 1.8


def test_landmarks_are_found_once_and_stored(people: Gray, tmp_path: Path) -> None:
    path = tmp_path / landmarks.FILE
    first = landmarks.load_or_find(path, people[:3])
    before = path.stat().st_mtime_ns
    again = landmarks.load_or_find(path, people[:3])
    assert path.stat().st_mtime_ns == before
    assert (again.points == first.points).all()
    others = landmarks.load_or_find(path, people[3:6])
    assert (others.points != first.points).any()


def test_a_file_cut_short_is_found_again(people: Gray, tmp_path: Path) -> None:
    path = tmp_path / landmarks.FILE
    first = landmarks.load_or_find(path, people[:2])
    path.write_bytes(path.read_bytes()[:200])
    assert (landmarks.load_or_find(path, people[:2]).points == first.points).all()


def test_moved_landmarks_stay_on_what_they_marked() -> None:
    """A dark dot at each landmark: after the move the dots lie at the moved landmarks."""
    torch.manual_seed(0)
    points = torch.tensor(TEMPLATE, dtype=torch.float32).round().expand(40, -1, -1)
    x = torch.ones(40, 1, 48, 48)
    for column, row in points[0].int().tolist():
        x[:, :, row - 1 : row + 2, column - 1 : column + 2] = -1
    moved, new = augment.with_landmarks(x, points)
    assert bool((new[:, 0, 0] < new[:, 1, 0]).all())
    assert float((new - points).abs().max()) > 1
    for face, marks in zip(moved[:, 0], new.round().int().tolist(), strict=True):
        assert max(float(face[row, column]) for column, row in marks) < -0.5
