"""How faces lie in their pictures, by landmarks moved by hand."""

import numpy as np
import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE, align
from cctranslate.training.data import framing


def moved(degrees: float = 0, scale: float = 1, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    a, middle = np.radians(degrees), TEMPLATE.mean(0)
    turn = scale * np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return np.asarray((TEMPLATE - middle) @ turn + middle + shift)


def frames_of(*faces: np.ndarray) -> torch.Tensor:
    return framing.align(torch.from_numpy(np.stack(faces)).float())


def test_frames_are_those_of_the_alignment_of_photographs() -> None:
    random = np.random.default_rng(0)
    faces = [moved(20, 1.2, (3, -4)) + random.normal(0, 1, (5, 2)) for _ in range(3)]
    expected = np.stack([align(face) for face in faces])
    assert frames_of(*faces).numpy() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("how", "odd"),
    [
        ({}, False),
        ({"degrees": 7}, False),
        ({"degrees": -11}, True),
        ({"scale": 1.2}, False),
        ({"scale": 1.4}, True),
        ({"scale": 0.7}, True),
        ({"shift": (3, 3)}, False),
        ({"shift": (0, -5)}, True),
    ],
)
def test_a_face_is_misaligned_beyond_each_limit(how: dict[str, float], odd: bool) -> None:
    assert framing.are_misaligned(frames_of(moved(**how))).tolist() == [odd]  # type: ignore[arg-type]


def test_a_warp_by_the_inverse_undoes_one_by_the_frame() -> None:
    frames = frames_of(moved(30, 0.8, (5, -2)))
    line = torch.arange(48.0)
    smooth = torch.sin(line / 9)[:, None] * torch.cos(line / 7)
    x = smooth[None, None]
    upright = framing.warp(x, frames, "bicubic", "reflection")
    back = framing.warp(upright, framing.inverse(frames), "bilinear", "zeros")
    inner = (..., slice(16, 30), slice(18, 32))
    torch.testing.assert_close(back[inner], x[inner], atol=0.02, rtol=0)
    # The middle between the eyes of the upright face shows what lies there in the picture.
    eyes = moved(30, 0.8, (5, -2))[:2].mean(0)
    there = framing.warp(x, frames, "bilinear", "zeros")[0, 0, 18, 23:25].mean()
    assert float(there) == pytest.approx(np.sin(eyes[1] / 9) * np.cos(eyes[0] / 7), abs=0.05)
