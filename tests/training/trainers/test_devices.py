"""Steps keep to the trainer's device. It is torch's `meta` here, as few machines have a GPU."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest
import torch

from cctranslate.recipes.registry import find
from cctranslate.training.data.device_cache import DeviceDataset
from tests.bench.speed.training import make

META = torch.device("meta")
STEPS = (1, 2, 3, 4, 8)
"""Each kind of step, but for those of a student that read numbers back to balance its terms."""


@pytest.fixture(autouse=True)
def what_meta_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out autocast on `meta`, and the sheet's faces, which are read back before training."""
    monkeypatch.setattr(DeviceDataset, "levels", lambda _, chosen: np.zeros((len(chosen), 48, 48)))
    autocast = torch.autocast

    def known(kind: str, *words: object, **named: object) -> AbstractContextManager[object]:
        return nullcontext() if kind == META.type else autocast(kind, *words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(torch, "autocast", known)


@pytest.mark.parametrize(
    "name",
    [
        "guide-sharp",
        "encoder",
        "flow-start",
        "flow",
        "teacher",
        "student-start",
        "student",
        "mouth-teacher",
        "mouth-student",
    ],
)
def test_steps_neither_mix_devices_nor_wait_for_one(name: str) -> None:
    """`meta` refuses operands on two devices, and numbers that are read back."""
    trainer = make(find(name), META)
    for step in STEPS:
        assert {value.device for value in trainer.step(step).values()} == {META}
