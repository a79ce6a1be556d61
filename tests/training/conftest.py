"""Fixtures of trainings on drawn faces."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import derive
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.registry import RECIPES
from cctranslate.recipes.student import StudentRecipe
from cctranslate.recipes.teacher import TeacherRecipe
from cctranslate.training.data import fer2013
from cctranslate.training.data.ferplus import load_votes
from cctranslate.training.device import choose
from cctranslate.training.fit import TrainingRun
from cctranslate.training.loop import Limits
from tests.support import pictures
from tests.support.training import MakeRun


@pytest.fixture
def quick_prerequisites(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train what a recipe builds on for two steps of small networks: in earnest it takes hours."""
    for name, known in RECIPES.items():
        if isinstance(known, GanRecipe) and known.stages:
            short = {"batch_size": 8, "epochs": 0.3}
            stages = (replace(s, procedure={**s.procedure, **short}) for s in known.stages)
            quick: AnyRecipe = derive(known, stages=tuple(stages))
        elif isinstance(known, TeacherRecipe):
            small = {"widths": (8, 16, 16), "embedding": 32}
            quick = derive(known, batch_size=8, epochs=0.3, **small)
        elif isinstance(known, PairsRecipe):
            ways = {way.kind: replace(way, steps=min(1, way.steps), count=1) for way in known.draws}
            quick = derive(
                known,
                translator="flow-start",
                draws=tuple(ways.values()),
                epochs=0.3,
                target_chance=0,
                cosine=-1,
                critic_epochs=0.5,
            )
        elif isinstance(known, StudentRecipe):
            before = known.translator.replace("flow", "flow-start")
            quick = derive(
                known, translator=before, d_widths=(8, 8, 8, 8), batch_size=8, epochs=0.1
            )
        elif isinstance(known, ClassifierRecipe) and name.startswith(("guide", "encoder")):
            quick = derive(known, batch_size=8, epochs=0.3, widths=(8, 8, 8))
        else:
            continue
        monkeypatch.setitem(RECIPES, name, quick)


@pytest.fixture
def make_run(tmp_path: Path, quick_prerequisites: None) -> MakeRun:
    splits = fer2013.load(pictures.write_csv(tmp_path / "fer2013.csv"))
    votes = load_votes(pictures.write_votes(tmp_path / "ferplus.csv"))

    def make(recipe: AnyRecipe, folder: str = "run", **changes: Any) -> TrainingRun:
        return TrainingRun(
            recipe=recipe,
            folder=tmp_path / folder,
            splits=splits,
            votes=votes,
            device=choose("cpu"),
            limits=Limits(tick_steps=2, tick_seconds=0),
            **changes,
        )

    return make
