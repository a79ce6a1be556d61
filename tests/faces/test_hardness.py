"""How hard faces are to change, on landmarks moved by hand."""

import numpy as np
import pytest

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.faces.hardness import hardness


def of(points: object, found: bool = True) -> float:
    moved = np.array(points, np.float32)[None]
    return float(hardness(moved, np.array([found]))[0])


def test_a_frontal_face_in_the_middle_is_easy() -> None:
    assert of(TEMPLATE) == 0
    assert of(TEMPLATE * 0.8 + 4.7) == 0  # a smaller one
    assert of(TEMPLATE, found=False) == 1  # it stands for a face without landmarks


@pytest.mark.parametrize(("pixels", "expected"), [(0, 0), (2, 0), (4.3, 0.5), (-4.3, 0.5), (7, 1)])
def test_a_nose_aside_is_a_turned_face(pixels: float, expected: float) -> None:
    turned = TEMPLATE.copy()
    turned[2, 0] += pixels  # eyes and mouth are 18.2 and 18 pixels apart
    assert of(turned) == pytest.approx(expected, abs=0.05)


def test_a_profile_is_narrow() -> None:
    narrow = (TEMPLATE - 23.5) * [0.5, 1] + 23.5
    assert of(narrow) == pytest.approx(0.98, abs=0.05)


@pytest.mark.parametrize("shift", [(12, 0), (-12, 0), (0, 9), (0, -15)])
def test_a_face_at_the_edge_is_hard(shift: tuple[float, float]) -> None:
    assert of(TEMPLATE + shift) > 0.4


def test_a_tilted_face_is_hard_from_some_angle_on() -> None:
    def tilted(degrees: float) -> float:
        a = np.radians(degrees)
        turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
        return of((TEMPLATE - TEMPLATE.mean(0)) @ turn + TEMPLATE.mean(0))

    assert tilted(10) == 0
    assert tilted(27.5) == pytest.approx(0.5, abs=0.02) == tilted(-27.5)
    assert tilted(50) == 1
