"""Drawing and choosing pairs, with networks that are told what to say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cctranslate.errors import RunError
from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.components import derive
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.pairs import PAIRS, DrawSpec
from cctranslate.recipes.teacher import TEACHER
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.pairs import selection, store
from cctranslate.training.pairs.draw import DrawNetworks
from cctranslate.training.pairs.store import Draws
from cctranslate.training.run_folder import MEASURED, write_json
from cctranslate.training.trainers.pair_maker import PairMaker
from tests.support import pictures

COUNT = 14
RECIPE = derive(
    PAIRS,
    draws=(
        DrawSpec(kind="result"),
        DrawSpec(kind="repair", count=1, begin=0.8, guidance=1.0, steps=1),
        DrawSpec(kind="translate", count=2, begin=0.0, guidance=1.5, steps=1),
    ),
    batch_size=4,
    target_chance=0.5,
    cosine=-1,
    critic_quantile=0.0,
    critics=("mouth",),
    critic_epochs=1,
)
Maker = Callable[..., PairMaker]


class Guide(nn.Module):
    """Reads every face as surprised."""

    def forward(self, x: Tensor) -> Tensor:
        return 9 * torch.eye(7)[5].expand(len(x), -1)


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    faces = pictures.drawn_faces([i % 7 for i in range(COUNT)])
    torch.manual_seed(0)
    networks = DrawNetworks(
        teacher=Denoiser(derive(TEACHER, widths=(8, 16, 16), embedding=32)),
        guides=(Guide(),),  # type: ignore[arg-type]
        recognizer=face_recognizer.load(),
        generator=build_generator(FLOW.generator),
    )
    points = np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1))

    def maker(
        folder: str = "run", seed: int = 0, has_landmarks: bool = True, **changes: Any
    ) -> PairMaker:
        (tmp_path / folder).mkdir(exist_ok=True)
        return PairMaker(
            derive(RECIPE, **changes),
            folder=tmp_path / folder,
            faces=faces,
            votes=None,
            face_landmarks=Landmarks(points=points, has_landmarks=np.full(COUNT, has_landmarks)),
            embeddings=np.zeros((COUNT, 128), np.float32),
            networks=networks,
            device=torch.device("cpu"),
            seed=seed,
        )

    return maker


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


def test_guides_ask_less_of_hard_faces(make: Maker) -> None:
    maker = make(has_landmarks=False)
    target_probabilities = np.array([0.2, 0.3, 0.6], np.float32)
    draws = Draws(**of_three(target_probabilities))
    assert maker.passing(draws).tolist() == [False, True, True]
    assert make("easy").passing(draws).tolist() == [False, False, True]


def test_what_is_kept_passed_and_is_reported_by_source_and_target(make: Maker) -> None:
    maker = make()
    for step in range(maker.steps):
        maker.step(step)
    figures = selection.select(maker.drawn_pairs())
    with np.load(maker.folder / store.KEPT) as arrays:
        realness = arrays["realness"]
    draws = store.read(maker.folder / store.KEPT)
    assert figures["draws"] == 16 * 6 * 4
    assert figures["passing"] >= figures["kept"] == len(draws) > 0
    assert set(draws.targets.tolist()) == {5}
    assert (draws.target_probabilities > 0.5).all()
    table = figures["covered_by_source_and_target"]
    assert all(table[k][k] is None for k in range(7))
    assert all(table[k][0] == 0 for k in range(1, 7))
    assert sum(table[k][5] for k in range(7) if k != 5) > 0
    first = selection.best(draws)
    assert len(first) == len({(s, t) for s, t in zip(draws.sources, draws.targets, strict=True)})
    for i in first:
        same = (draws.sources == draws.sources[i]) & (draws.targets == draws.targets[i])
        assert realness[i] == realness[same].max()


def test_draws_that_are_gone_are_drawn_anew(make: Maker) -> None:
    maker = make()
    for step in range(maker.steps):
        maker.step(step)
    path = store.path_of(maker.folder, 1)
    before = store.read(path)
    path.unlink()
    assert len(make().drawn_pairs().draws) == 16 * 6 * 4
    assert (store.read(path).images == before.images).all()


def test_pairs_are_selected_once_unless_they_are_gone(make: Maker) -> None:
    maker = make()
    for step in range(maker.steps):
        maker.step(step)
    figures = maker.conclude({}, None)
    assert figures is not None
    write_json(maker.folder / MEASURED, figures)
    assert make().conclude({}, None) is None
    (maker.folder / store.KEPT).unlink()
    assert make().conclude({}, None) == figures
    assert (maker.folder / store.KEPT).exists()
    again = make()
    again.step(3)  # the checkpoint was an earlier one
    assert again.conclude({}, None) == figures


def test_draws_that_none_lets_through_are_an_error_that_says_what_to_do(make: Maker) -> None:
    maker = make("none", target_chance=1.0, epochs=0.25)
    for step in range(maker.steps):
        maker.step(step)
    with pytest.raises(RunError, match="let 0 of 96 draws through, too few"):
        selection.select(maker.drawn_pairs())


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
