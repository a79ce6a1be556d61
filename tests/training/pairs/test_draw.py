"""Drawing and choosing pairs, with networks that are told what to say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cctranslate.errors import RunError
from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.pairs import PAIRS, DrawSpec
from cctranslate.recipes.spec import derive
from cctranslate.recipes.teacher import TEACHER
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.networks import face_recognizer
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.pairs import filter, store
from cctranslate.training.pairs.draw import Networks, PairMaker
from cctranslate.training.pairs.store import Draws
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
    faces = Faces(
        images=np.stack([pictures.draw_face(i % 7, i) for i in range(COUNT)]),
        labels=np.arange(COUNT, dtype=np.uint8) % 7,
        rows=np.arange(COUNT),
    )
    torch.manual_seed(0)
    networks = Networks(
        teacher=Denoiser(derive(TEACHER, widths=(8, 16, 16), embedding=32)),
        guides=(Guide(),),  # type: ignore[arg-type]
        recognizer=face_recognizer.load(),
        generator=build_generator(FLOW.generator),
    )
    points = np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1))

    def maker(folder: str = "run", seed: int = 0, found: bool = True, **changes: Any) -> PairMaker:
        (tmp_path / folder).mkdir(exist_ok=True)
        embeddings = np.zeros((COUNT, 128), np.float32)
        return PairMaker(
            derive(RECIPE, **changes),
            tmp_path / folder,
            faces,
            None,
            Landmarks(points=points, found=np.full(COUNT, found)),
            embeddings,
            networks,
            torch.device("cpu"),
            seed,
        )

    return maker


def test_a_step_draws_every_other_expression_in_every_way(make: Maker) -> None:
    maker = make()
    terms = maker.step(0)
    draws = store.read(store.path_of(maker.folder, 0))
    assert len(draws) == 4 * 6 * 4
    assert np.bincount(draws.ways).tolist() == [24, 24, 48]
    for source in np.unique(draws.sources):
        targets = draws.targets[draws.sources == source]
        assert sorted(set(targets.tolist())) == [k for k in range(7) if k != source % 7]
    # The guide reads surprise alone, which one target in six or none asks for.
    assert float(terms["passing"]) == pytest.approx((draws.targets == 5).mean())
    assert ((draws.chances > 0.9) == (draws.targets == 5)).all()


def test_another_draw_of_the_same_way_differs(make: Maker) -> None:
    maker = make()
    maker.step(0)
    draws = store.read(store.path_of(maker.folder, 0))
    first, second = np.split(draws.images[draws.ways == 2], 2)
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


def test_the_cost_is_reckoned_before(make: Maker) -> None:
    """14 faces in 4 steps of 4, six targets, draws of 1 + 2 evaluations, two each for guidance."""
    maker = make()
    assert maker.steps == 4
    assert maker.evaluations == 16 * 6 * 2 * 3
    assert make("half", epochs=0.5).steps == 2


def test_hard_faces_get_weaker_results_alone_down_to_themselves(make: Maker) -> None:
    maker = make(
        found=False,
        draws=(
            DrawSpec(kind="result", strength=0.9),
            DrawSpec(kind="repair", begin=0.8, steps=1),
        ),
    )
    maker.strengths[maker.order[:2]] = 0.5
    maker.step(0)
    drawn = store.read(store.path_of(maker.folder, 0))
    assert set(drawn.ways.tolist()) == {0}
    sources = maker.faces.images[drawn.sources]
    changed = np.abs(drawn.images.astype(int) - sources).max((1, 2))
    halves = np.isin(drawn.sources, maker.order[:2])
    assert (changed[~halves] == 0).all()  # without landmarks nothing is changed
    assert (changed[halves] > 0).all()
    # And no guide has to read the target of a face that is left alone.
    passing = maker.passing(drawn)
    assert passing[~halves].all()
    assert (passing[halves] == (drawn.targets[halves] == 5)).all()


def test_what_is_kept_passed_and_is_reported_by_source_and_target(make: Maker) -> None:
    maker = make()
    for step in range(maker.steps):
        maker.step(step)
    figures = filter.select(maker)
    with np.load(maker.folder / store.KEPT) as arrays:
        realness, kept = arrays["realness"], {name: arrays[name] for name in vars(empty())}
    draws = Draws(**kept)
    assert figures["draws"] == 16 * 6 * 4
    assert figures["passing"] >= figures["kept"] == len(draws) > 0
    assert set(draws.targets.tolist()) == {5}
    assert (draws.chances > 0.5).all()
    table = figures["covered_by_source_and_target"]
    assert all(table[k][k] is None for k in range(7))
    assert all(table[k][0] == 0 for k in range(1, 7))
    assert sum(table[k][5] for k in range(7) if k != 5) > 0
    first = filter.best(draws)
    assert len(first) == len({(s, t) for s, t in zip(draws.sources, draws.targets, strict=True)})
    for i in first:
        same = (draws.sources == draws.sources[i]) & (draws.targets == draws.targets[i])
        assert realness[i] == realness[same].max()


def test_draws_that_none_lets_through_are_an_error_that_says_what_to_do(make: Maker) -> None:
    maker = make("none", target_chance=1.0, epochs=0.25)
    for step in range(maker.steps):
        maker.step(step)
    with pytest.raises(RunError, match="let 0 of 96 draws through, too few"):
        filter.select(maker)


def empty() -> Draws:
    none = np.zeros(0, np.int64)
    return Draws(
        images=np.zeros((0, 48, 48), np.uint8),
        sources=none,
        targets=none,
        ways=none,
        chances=np.zeros(0, np.float32),
        cosines=np.zeros(0, np.float32),
    )
