"""Trainings of a few steps on drawn faces, and whether those of ResNet50 can be tested."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cctranslate.errors import BackboneError
from cctranslate.recipes.components import derive
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.registry import find, override
from cctranslate.training.fit import TrainingRun
from cctranslate.training.loop import Limits
from cctranslate.training.networks.pretrained.resnet50 import Backbone

MakeRun = Callable[..., TrainingRun]
AT_ONCE = Limits(tick_steps=2, tick_seconds=0, max_minutes=1e-6)
BACKED = ("t6-code", "t7", "t9", "c2")
"""Recipes of ResNet50."""


def _is_backbone_usable() -> bool:
    """Return whether there is a torchvision that fits this torch: not all builds fit."""
    try:
        Backbone()
    except BackboneError:
        return False
    return True


IS_BACKBONE_USABLE = _is_backbone_usable()
needs_backbone = pytest.mark.skipif(
    not IS_BACKBONE_USABLE, reason="needs a torchvision built for this torch"
)


def small(name: str, steps: int) -> AnyRecipe:
    """A recipe cut to `steps` steps of 8 faces on the drawn data: 7 steps an epoch, 2 of t4."""
    backbone = "random" if name in BACKED else None
    epochs = steps / (2 if name == "t4" else 7)
    return override(find(name), epochs=epochs, batch_size=8, backbone=backbone)


def start(steps: int) -> GanRecipe:
    """Flow's first stage as a recipe without stages, cut to `steps` steps."""
    flow = small("flow-start", steps)
    assert isinstance(flow, GanRecipe)
    return derive(flow.final_recipe, name="flow-start")


def log(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
