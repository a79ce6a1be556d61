"""What a classifier is trained and measured on."""

import json

import numpy as np
import pytest

from cctranslate.errors import (
    DataError,
)
from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.registry import find
from cctranslate.training.fit import TrainingRun, fit
from cctranslate.training.run_folder import (
    load_classifier,
)
from tests.support.training import MakeRun, small


def test_training_never_sees_a_test_row(make_run: MakeRun) -> None:
    from cctranslate.training.trainers.classifier import ClassifierTrainer

    run = make_run(small("judge", 2))
    training = run.splits["Training"]
    judge = find("judge")
    assert isinstance(judge, ClassifierRecipe)
    trainer = ClassifierTrainer(judge, faces=training, votes=None, device=run.device, seed=0)
    assert len(trainer.labels) == len(training)
    test_only = {k: v for k, v in run.splits.items() if k != "Training"}
    with pytest.raises(DataError, match="no Training rows"):
        fit(TrainingRun(**{**vars(run), "splits": test_only}))


def test_the_judge_is_calibrated_on_public_test(make_run: MakeRun) -> None:
    run = make_run(small("judge", 30))
    fit(run)
    judge = load_classifier(run.folder)
    assert judge.temperature.item() != 1.0
    measured = json.loads((run.folder / "measured.json").read_text())["judge"]
    assert measured["fer2013"]["faces"] == 21
    assert np.array(measured["fer2013"]["confusion"]).sum() == 21


def test_public_test_faces_that_all_stand_in_training_calibrate_nothing(make_run: MakeRun) -> None:
    run = make_run(small("judge", 2))
    copies = run.splits["Training"].take(np.arange(10))
    fit(TrainingRun(**{**vars(run), "splits": {**run.splits, "PublicTest": copies}}))
    assert load_classifier(run.folder).temperature.item() == 1
    assert not (run.folder / "measured.json").exists()
