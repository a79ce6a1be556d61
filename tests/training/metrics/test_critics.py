"""Critics on faces of which it is known how far they can be told apart."""

import signal

import numpy as np
import pytest
import torch

from cctranslate.pixels import Gray
from cctranslate.process import signals
from cctranslate.training.metrics.critics import REGIONS, _moved, train_critic
from cctranslate.training.metrics.realism import roc_auc
from tests.support import pictures

CPU = torch.device("cpu")
MOUTH = REGIONS["mouth"]


def faces(start: int, count: int = 200) -> Gray:
    return np.stack([pictures.draw_face(i % 7, i) for i in range(start, start + count)])


def with_squares(images: Gray) -> Gray:
    """Paint a square of 5 pixels on each mouth."""
    painted = images.copy()
    painted[:, 34:39, 20:25] = 255
    return painted


def auc(results: Gray, real: Gray, unseen_results: Gray, unseen_real: Gray) -> float:
    critic = train_critic(results, real, MOUTH, CPU)
    found = roc_auc(critic.score(unseen_results), critic.score(unseen_real))
    assert found is not None
    return found


def test_a_critic_always_finds_painted_squares() -> None:
    learned = with_squares(faces(0)), faces(200)
    assert auc(*learned, with_squares(faces(400)), faces(600)) > 0.99


def test_faces_of_one_distribution_cannot_be_told_apart() -> None:
    # The standard error of 200 faces a side is 0.03.
    assert auc(faces(0), faces(200), faces(400), faces(600)) == pytest.approx(0.5, abs=0.1)


def test_the_same_seed_gives_the_same_critic_whatever_was_drawn_before() -> None:
    unseen = faces(80, 20)
    scores = []
    for seed in (3, 3, 4):
        torch.rand(1)
        before = torch.get_rng_state()
        critic = train_critic(with_squares(faces(0, 40)), faces(40, 40), MOUTH, CPU, seed=seed)
        assert torch.equal(torch.get_rng_state(), before)
        scores.append(critic.score(unseen))
    np.testing.assert_array_equal(scores[0], scores[1])
    assert np.abs(scores[0] - scores[2]).max() > 1e-3


@pytest.mark.parametrize("name", REGIONS)
def test_a_critic_sees_its_region_alone(name: str) -> None:
    region, unseen = REGIONS[name], faces(80, 20)
    critic = train_critic(with_squares(faces(0, 40)), faces(40, 40), region, CPU)
    outside = np.ones((48, 48), bool)
    outside[region.top : region.bottom, region.left : region.right] = False
    changed = unseen.copy()
    changed[:, outside] = 0
    np.testing.assert_array_equal(critic.score(unseen), critic.score(changed))


def test_a_face_and_its_mirror_image_score_alike() -> None:
    unseen = faces(80, 20)
    critic = train_critic(with_squares(faces(0, 40)), faces(40, 40), MOUTH, CPU)
    np.testing.assert_allclose(
        critic.score(unseen), critic.score(unseen[:, :, ::-1]), rtol=0, atol=1e-5
    )


def test_no_faces_have_no_scores() -> None:
    critic = train_critic(faces(0, 20), faces(20, 20), MOUTH, CPU)
    assert critic.score(faces(0, 20)[:0]).shape == (0,)


def test_training_moves_faces_by_whole_pixels_and_mirrors_half_of_them() -> None:
    torch.manual_seed(0)
    rows, columns = np.indices((48, 48)).astype(np.uint8)
    many = 400
    moved_rows = _moved(torch.from_numpy(rows).expand(many, -1, -1), MOUTH)
    torch.manual_seed(0)
    moved = _moved(torch.from_numpy(columns).expand(many, -1, -1), MOUTH)
    assert moved.shape == (many, 18, 28)
    assert set((moved_rows[:, 0, 0].int() - 28).tolist()) == {-2, -1, 0, 1, 2}
    right, left = moved[:, 0, 1].int() - moved[:, 0, 0].int(), moved[:, 0, 0].int()
    assert set(right.tolist()) == {-1, 1}
    assert 0.4 < (right == 1).float().mean() < 0.6
    assert set((left[right == 1] - 10).tolist()) == {-2, -1, 0, 1, 2}
    assert set((left[right == -1] - 37).tolist()) == {-2, -1, 0, 1, 2}


def test_a_signal_whose_interrupt_was_lost_ends_the_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signals, "received", [signal.SIGINT])
    before = torch.get_rng_state()
    with pytest.raises(KeyboardInterrupt):
        train_critic(faces(0, 20), faces(20, 20), MOUTH, CPU)
    assert torch.equal(torch.get_rng_state(), before)
