"""What G and D are trained on in which step."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from cctranslate.emotions import EMOTIONS
from cctranslate.recipes.components import derive
from cctranslate.training.data.batches import Batch, Batches
from cctranslate.training.fit import TrainingRun, fit
from cctranslate.training.loop import Limits
from cctranslate.training.losses import teachers
from cctranslate.training.networks.classifiers import Classifier
from tests.support.training import MakeRun, log, small, start


def test_g_follows_its_guides_before_d_comes_in_and_costly_terms_alternate(
    make_run: MakeRun,
) -> None:
    flow = start(8)
    recipe = derive(flow, procedure={"warm_up": 0.5, "lazy": 2})
    run = make_run(recipe)
    fit(TrainingRun(**{**vars(run), "limits": Limits(tick_steps=1, tick_seconds=0)}))
    lines = log(run.folder)
    assert len(lines) == 8
    late = {"d_adversarial", "adversarial", "cycle", "identity"}
    assert all(late.isdisjoint(line) and "guide" in line for line in lines[:4])
    assert all({"d_adversarial", "adversarial", "guide"} <= line.keys() for line in lines[4:])
    assert [late & line.keys() & {"cycle", "identity"} for line in lines[4:]] == 2 * [
        {"cycle"},
        {"identity"},
    ]


@pytest.mark.parametrize("shift", [0, 1])
def test_self_translations_get_no_guide_loss(
    shift: int, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Batches.draw

    def draw_shifted(batches: Batches, step: int) -> Batch:
        batch = draw(batches, step)
        return replace(batch, targets=(batch.classes + shift) % 7)

    monkeypatch.setattr(Batches, "draw", draw_shifted)
    flow = start(2)
    run = make_run(derive(flow, procedure={"warm_up": 1.0}))
    fit(run)
    line = log(run.folder)[-1]
    assert (line["guide"] > 0, line["self_translation"] > 0) == (shift > 0, shift == 0)


def test_a_paired_d_compares_each_result_with_its_source(make_run: MakeRun) -> None:
    flow = start(1)
    run = make_run(flow)

    def drawn(paired: bool) -> Batch:
        procedure = derive(flow, procedure={"paired": paired}).procedure
        faces = run.splits["Training"]
        batches = Batches(procedure, faces, run.votes, torch.device("cpu"), seed=0)
        torch.manual_seed(0)
        return batches.draw(0)

    beside, other = drawn(True), drawn(False)
    torch.testing.assert_close(beside.real, beside.x)
    torch.testing.assert_close(beside.real_classes, beside.classes)
    assert not torch.equal(other.real, other.x)
    torch.testing.assert_close(other.real_classes, other.targets)


def test_guides_of_upper_face_targets_see_nothing_below_the_nose(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    call = Classifier.forward

    def watched(guide: Classifier, x: torch.Tensor) -> torch.Tensor:
        if not guide.training and x.grad_fn is not None:  # what G made
            seen.append(x.detach())
        return call(guide, x)

    monkeypatch.setattr(teachers, "HIDDEN", 1.0)
    monkeypatch.setattr(Classifier, "forward", watched)
    flow = start(1)
    for upper_face_targets in (EMOTIONS, ()):
        seen.clear()
        recipe = derive(flow, procedure={"warm_up": 1.0, "upper_face_targets": upper_face_targets})
        fit(make_run(recipe, folder=f"read-by-{len(upper_face_targets)}"))
        assert seen
        hidden = [not x[:, :, 30:].any() and bool(x[:, :, :20].any()) for x in seen]
        assert all(hidden) if upper_face_targets else not any(hidden)


def test_a_sheet_shows_each_face_in_every_expression(make_run: MakeRun) -> None:
    run = make_run(small("t26", 2))
    fit(run)
    with Image.open(run.folder / "samples" / "0000002.png") as picture:
        assert picture.size == (8 * 48 * 2, 14 * 48 * 2)
