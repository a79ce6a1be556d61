"""The selection of pairs, with small networks and a guide that gives one fixed answer."""

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from cctranslate.errors import RunError
from cctranslate.process import signals
from cctranslate.training.pairs import selection, store
from cctranslate.training.run_folder import MEASURED, write_json
from cctranslate.training.trainers.pair_maker import PairMaker
from tests.training.pairs.makers import Maker, maker_in


def never() -> bool:
    """Return that the time is not over."""
    return False


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return maker_in(tmp_path)


def with_all_draws(maker: PairMaker) -> PairMaker:
    """Return the maker after all of its steps."""
    for step in range(maker.steps):
        maker.step(step)
    return maker


def test_selected_draws_passed_and_are_counted_by_source_and_target(make: Maker) -> None:
    maker = with_all_draws(make())
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


def test_pairs_are_selected_once_unless_they_are_gone(make: Maker) -> None:
    maker = with_all_draws(make())
    figures = maker.conclude({}, None, never)
    assert figures is not None
    write_json(maker.folder / MEASURED, figures)
    assert make().conclude({}, None, never) is None
    (maker.folder / store.KEPT).unlink()
    assert make().conclude({}, None, never) == figures
    assert (maker.folder / store.KEPT).exists()
    again = make()
    again.step(3)  # the checkpoint was an earlier one
    assert again.conclude({}, None, never) == figures


def test_a_selection_that_ran_out_of_time_goes_on(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = with_all_draws(make())
    with pytest.raises(selection.OutOfTimeError):
        maker.conclude({}, None, lambda: True)  # the draws took all of the time
    assert not (maker.folder / selection.CRITICS).exists()
    scores = len(maker.recipe.critics) * selection.FOLDS
    for count in range(1, scores + 1):  # each call trains one critic
        with pytest.raises(selection.OutOfTimeError):
            make().conclude({}, None, lambda: True)
        assert len(list((maker.folder / selection.CRITICS).iterdir())) == count
    assert not (maker.folder / store.KEPT).exists()
    monkeypatch.setattr(selection, "train_critic", None)  # there is none left to train
    figures = make().conclude({}, None, lambda: True)
    monkeypatch.undo()
    shutil.rmtree(maker.folder / selection.CRITICS)
    assert selection.select(maker.drawn_pairs()) == figures


def test_a_selection_that_a_signal_ended_goes_on(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = with_all_draws(make())
    with pytest.raises(selection.OutOfTimeError):
        make().conclude({}, None, lambda: True)  # one critic
    pairs = maker.drawn_pairs()
    monkeypatch.setattr(signals, "received", [signal.SIGINT])
    with pytest.raises(KeyboardInterrupt):
        selection.select(pairs)
    with pytest.raises(KeyboardInterrupt):
        maker.drawn_pairs()
    monkeypatch.undo()
    assert len(list((maker.folder / selection.CRITICS).iterdir())) == 1
    figures = make().conclude({}, None, never)
    shutil.rmtree(maker.folder / selection.CRITICS)
    assert selection.select(pairs) == figures


def test_an_error_says_what_to_do_if_no_draw_passes(make: Maker) -> None:
    maker = with_all_draws(make("none", target_chance=1.0, epochs=0.25))
    with pytest.raises(RunError, match="let 0 of 96 draws through, too few"):
        selection.select(maker.drawn_pairs())
