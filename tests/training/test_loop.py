"""A run's ticks, limits and exact resume."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cctranslate.errors import CheckpointError, DivergedError
from cctranslate.process import signals
from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.registry import override
from cctranslate.training import checkpoint, loop
from cctranslate.training.fit import TrainingRun, fit
from cctranslate.training.loop import Limits
from cctranslate.training.trainers.classifier import ClassifierTrainer
from tests.support import pictures
from tests.support.cli import wait_until
from tests.support.training import AT_ONCE, MakeRun, log, small


def test_a_tick_averages_each_term_over_the_steps_that_had_it(make_run: MakeRun) -> None:
    """t26's G steps once in five: its terms must not be divided by all steps."""
    fit(make_run(small("t26", 1), "one"))
    run = make_run(small("t26", 4), "four")
    fit(TrainingRun(**{**vars(run), "limits": Limits(tick_steps=4, tick_seconds=0)}))
    (one,), (four,) = log(run.folder.parent / "one"), log(run.folder)
    assert four["reconstruction"] == pytest.approx(one["reconstruction"], abs=1e-5)


def test_a_tick_waits_for_its_steps_and_its_seconds(make_run: MakeRun) -> None:
    recipe = small("guide-plain", 6)
    cases = {
        "by steps": (Limits(tick_steps=4, tick_seconds=0), [4, 6]),
        "by seconds": (Limits(tick_steps=1, tick_seconds=3600), [6]),
        "no later": (Limits(tick_steps=100, tick_seconds=3600, most_seconds=0), [*range(1, 7)]),
    }
    for folder, (limits, steps) in cases.items():
        run = make_run(recipe, folder)
        fit(TrainingRun(**{**vars(run), "limits": limits}))
        assert [line["step"] for line in log(run.folder)] == steps


def test_the_same_seed_gives_the_same_losses_and_another_does_not(make_run: MakeRun) -> None:
    recipe = small("guide-plain", 4)
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        fit(make_run(recipe, folder, seed=seed))
    a, b, c = (log(make_run(recipe, folder).folder) for folder in "abc")
    assert a == b
    assert a != c


def test_a_signal_whose_interrupt_a_callback_lost_ends_the_run(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "received", [signal.SIGINT])
    run = make_run(small("guide-plain", 4), "run")
    with pytest.raises(KeyboardInterrupt):
        fit(run)
    assert not (run.folder / loop.LOG).exists()


CHILD = """
import sys
from pathlib import Path
from cctranslate.recipes.registry import find, override
from cctranslate.training.data import fer2013
from cctranslate.training.device import choose
from cctranslate.training.fit import TrainingRun, fit
from cctranslate.training.loop import Limits
recipe = override(find(sys.argv[3]), epochs=6 / 15, batch_size=4)
fit(TrainingRun(recipe=recipe, folder=Path(sys.argv[2]), splits=fer2013.load(Path(sys.argv[1])),
        votes=None, device=choose("cpu"), limits=Limits(tick_steps=2, tick_seconds=0), resume=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["t26", "judge"])
def test_killed_mid_epoch_and_resumed_equals_never_stopped(name: str, tmp_path: Path) -> None:
    data = pictures.write_csv(tmp_path / "fer2013.csv")

    def start(folder: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, str(data), str(tmp_path / folder), name]
        return subprocess.Popen(command)

    assert start("whole").wait() == 0
    killed = start("killed")
    steps = tmp_path / "killed" / "log.jsonl"
    wait_until(killed, lambda: steps.exists() and b"\n" in steps.read_bytes())
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert start("killed").wait() == 0
    assert log(tmp_path / "killed") == log(tmp_path / "whole")
    whole, again = (
        torch.load(tmp_path / f / "checkpoint.pt", weights_only=True)["trainer"]["average"]
        for f in ("whole", "killed")
    )
    assert all(torch.equal(whole[key], again[key]) for key in whole)


def test_a_time_limit_ends_with_a_checkpoint(make_run: MakeRun) -> None:
    recipe = small("judge", 50)
    cut = make_run(recipe)
    limited = TrainingRun(**{**vars(cut), "limits": AT_ONCE})
    result = fit(limited)
    assert (result.step, result.finished) == (1, False)
    assert torch.load(cut.folder / "checkpoint.pt", weights_only=True)["step"] == 1


@pytest.mark.parametrize("lost", ["checkpoint", "half a line"])
def test_a_log_that_a_kill_left_ahead_is_cut_on_resume(lost: str, make_run: MakeRun) -> None:
    """The log is written before the checkpoint, and a kill may come within a line of it."""
    recipe = small("guide-plain", 4)
    whole = make_run(recipe, "whole")
    fit(whole)
    cut = make_run(recipe, "cut")
    fit(cut)
    if lost == "checkpoint":
        (cut.folder / checkpoint.FILE).unlink()
    with (cut.folder / "log.jsonl").open("a") as file:
        file.write('{"step": 6, "epo')
    fit(make_run(recipe, "cut", resume=True))
    assert log(cut.folder) == log(whole.folder)


def test_a_loss_that_is_not_finite_ends_the_run_and_is_not_saved(make_run: MakeRun) -> None:
    run = make_run(override(small("guide-plain", 20), lr=1e30))
    with pytest.raises(DivergedError, match=r"run: the loss loss is no longer finite by step"):
        fit(run)
    assert [path.name for path in run.folder.iterdir()] == ["recipe.json"]


def test_weights_that_are_not_finite_are_not_saved(make_run: MakeRun) -> None:
    """A step's losses are computed before it changes the weights: they may still be finite."""
    run = make_run(small("guide-plain", 2))
    run.folder.mkdir()
    assert isinstance(run.recipe, ClassifierRecipe)
    faces = run.splits["Training"]
    trainer = ClassifierTrainer(run.recipe, faces=faces, votes=None, device=run.device, seed=0)

    def lose(*_: object) -> None:
        next(trainer.average.module.parameters()).data[0] = torch.nan

    with pytest.raises(DivergedError, match=r"run: a weight is no longer finite by step 2"):
        loop.run(
            trainer,
            run.folder,
            seed=0,
            limits=Limits(),
            on_start=lose,
            on_tick=lambda line: None,
        )
    assert not (run.folder / checkpoint.FILE).exists()


def test_logits_that_are_not_finite_calibrate_nothing(make_run: MakeRun) -> None:
    with pytest.raises(DivergedError, match=r"logits are not finite: train it anew"):
        fit(make_run(override(small("guide-plain", 1), lr=1e38)))


def test_a_sheet_that_cannot_be_written_is_one_line(make_run: MakeRun) -> None:
    run = make_run(small("t26", 2))

    def put_in_the_way(*_: object) -> None:
        (run.folder / "samples").write_text("mine")

    with pytest.raises(CheckpointError, match=r"cannot be written .*exists.*--resume") as failed:
        fit(TrainingRun(**{**vars(run), "on_start": put_in_the_way}))
    assert str(failed.value).startswith(str(run.folder))
    (run.folder / "samples").unlink()
    assert fit(TrainingRun(**{**vars(run), "resume": True})).finished
