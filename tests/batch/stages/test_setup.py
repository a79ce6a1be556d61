"""When worker processes have models of their own."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cctranslate.batch.call.options import Options
from cctranslate.batch.stages import bounds, setup
from cctranslate.batch.stages.setup import MODELS_MEMORY, model_workers
from cctranslate.inference.sessions import CPU, CUDA


@pytest.mark.parametrize(
    ("given", "provider", "fitting", "expected"),
    [
        ({}, CPU, 100, 8),
        ({}, "OpenVINO", 100, 0),
        ({}, CUDA, 100, 0),
        ({}, CPU, 5, 5),
        ({}, CPU, 1, 0),
        ({"workers": 3}, CPU, 100, 3),
        ({"workers": 3}, CPU, 2, 0),
        ({"workers": 1}, CPU, 100, 0),
        ({"processes": False}, CPU, 100, 0),
        ({"per_class": 10}, CPU, 100, 0),
    ],
)
def test_workers_have_models_where_that_helps(
    given: dict[str, Any],
    provider: str,
    fitting: int,
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup, "cores", lambda: 8)
    monkeypatch.setattr(bounds, "budget", lambda: fitting * MODELS_MEMORY)
    fields = {"workers": None, "processes": None, "per_class": None} | given
    assert model_workers(cast(Options, SimpleNamespace(**fields)), provider) == expected
