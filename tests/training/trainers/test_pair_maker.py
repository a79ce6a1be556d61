"""Drawing and choosing pairs, with networks that are told what to say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cctranslate.recipes.pairs import DrawSpec
from cctranslate.training.pairs import store
from cctranslate.training.pairs.store import Draws
from tests.training.pairs.makers import Maker, maker_in


def of_three(target_probabilities: NDArray[np.float32]) -> dict[str, Any]:
    """Fields of three draws of the first face that guides read with these target_probabilities."""
    none = np.zeros(3, np.int64)
    images = np.zeros((3, 48, 48), np.uint8)
    cosines = np.ones(3, np.float32)
    return {
        "images": images,
        "sources": none,
        "targets": none,
        "spec_indices": none,
        "target_probabilities": target_probabilities,
        "cosines": cosines,
    }


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return maker_in(tmp_path)


def test_a_step_draws_every_other_expression_in_every_way(make: Maker) -> None:
    maker = make()
    terms = maker.step(0)
    draws = store.read(store.path_of(maker.folder, 0))
    assert len(draws) == 4 * 6 * 4
    assert np.bincount(draws.spec_indices).tolist() == [24, 24, 48]
    for source in np.unique(draws.sources):
        targets = draws.targets[draws.sources == source]
        assert sorted(set(targets.tolist())) == [k for k in range(7) if k != source % 7]
    # The guide reads surprise alone, which one target in six or none asks for.
    assert float(terms["passing"]) == pytest.approx((draws.targets == 5).mean())
    assert ((draws.target_probabilities > 0.9) == (draws.targets == 5)).all()


def test_another_draw_of_the_same_way_differs(make: Maker) -> None:
    maker = make()
    maker.step(0)
    draws = store.read(store.path_of(maker.folder, 0))
    first, second = np.split(draws.images[draws.spec_indices == 2], 2)
    assert (first != second).any((1, 2)).all()


def test_a_step_that_is_stored_is_not_drawn_again(make: Maker) -> None:
    maker = make()
    before = {name: float(value) for name, value in maker.step(0).items()}
    path = store.path_of(maker.folder, 0)
    written = path.stat().st_mtime_ns
    assert {name: float(value) for name, value in make().step(0).items()} == before
    assert path.stat().st_mtime_ns == written
    make("again").step(0)
    again = store.read(store.path_of(maker.folder.parent / "again", 0))
    assert (again.images == store.read(path).images).all()


def test_epochs_are_passes_over_the_faces(make: Maker) -> None:
    """14 faces in 4 steps of 4."""
    assert make().steps == 4
    assert make("half", epochs=0.5).steps == 2


def test_hard_faces_get_weaker_results_alone(make: Maker) -> None:
    draws = (DrawSpec(kind="result", strength=0.9), DrawSpec(kind="repair", begin=0.8, steps=1))

    def drawn(folder: str, **changes: Any) -> Draws:
        maker = make(folder, draws=draws, **changes)
        maker.step(0)
        return store.read(store.path_of(maker.folder, 0))

    easy, hard = drawn("easy"), drawn("hard", has_landmarks=False)
    still = drawn("still", has_landmarks=False, hard_strength=0.0)
    assert set(easy.spec_indices.tolist()) == {0, 1}
    assert set(hard.spec_indices.tolist()) == {0}

    def changed(results: Draws) -> float:
        mine = results.take(results.spec_indices == 0)
        return float(np.abs(mine.images.astype(float) - still.images).mean())

    assert changed(still) == 0
    assert 0 < changed(hard) < 0.7 * changed(easy)


def test_hard_faces_pass_with_a_lower_probability(make: Maker) -> None:
    maker = make(has_landmarks=False)
    target_probabilities = np.array([0.2, 0.3, 0.6], np.float32)
    draws = Draws(**of_three(target_probabilities))
    assert maker.passing(draws).tolist() == [False, True, True]
    assert make("easy").passing(draws).tolist() == [False, False, True]


def test_draws_that_are_gone_are_drawn_anew(make: Maker) -> None:
    maker = make()
    for step in range(maker.steps):
        maker.step(step)
    path = store.path_of(maker.folder, 1)
    before = store.read(path)
    path.unlink()
    assert len(make().drawn_pairs().draws) == 16 * 6 * 4
    assert (store.read(path).images == before.images).all()
