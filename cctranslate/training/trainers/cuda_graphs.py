"""Record steps on a CUDA device once and replay them (CUDA graphs).

`torch.cuda.make_graphed_callables` wraps one forward and backward pass, while a step here has
several, with optimizers in between. `torch.compile` has no double backward, which the gradient
penalties need.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import fields, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor

from cctranslate.training.data.batches import Batch
from cctranslate.training.losses.terms import Terms

PlanT = TypeVar("PlanT", bound=Hashable)
EAGER = 3
"""How often each kind of step runs before it is recorded, so that everything exists that is created
on first use, such as an optimizer's state."""


class GraphedStep(Generic[PlanT]):
    """A step that a CUDA device records once for each plan and replays.

    Small networks leave a GPU idle while the CPU prepares some two thousand launches a step; a
    recording is a single launch. For all batches of a plan, shapes, branches and Python numbers
    must be the same, as they are recorded, too.
    """

    def __init__(self, work: Callable[[PlanT, Batch], Terms], device: torch.device) -> None:
        self._work = work
        self._stream = _stream(device)
        self._eager_runs: Counter[PlanT] = Counter()
        self._recorded: dict[PlanT, tuple[torch.cuda.CUDAGraph, Batch, Terms]] = {}

    def __call__(self, plan: PlanT, batch: Batch) -> Terms:
        """Run a plan's step on a batch, and return its terms, detached."""
        if self._stream is None:
            return _detached(self._work(plan, batch))
        if plan not in self._recorded:
            self._eager_runs[plan] += 1
            if self._eager_runs[plan] <= EAGER:
                return self._run_on(self._stream, plan, batch)
            self._recorded[plan] = self._record(self._stream, plan, batch)
        graph, static_batch, terms = self._recorded[plan]
        for name, value in _tensors(batch).items():
            getattr(static_batch, name).copy_(value)
        graph.replay()
        return {name: value.clone() for name, value in terms.items()}

    def _run_on(self, stream: torch.cuda.Stream, plan: PlanT, batch: Batch) -> Terms:
        """Run a step on the stream that will record: gradients stay on their first stream."""
        main_stream = torch.cuda.current_stream(stream.device)
        stream.wait_stream(main_stream)
        with torch.cuda.stream(stream):
            terms = _detached(self._work(plan, batch))
        main_stream.wait_stream(stream)
        return terms

    def _record(
        self, stream: torch.cuda.Stream, plan: PlanT, batch: Batch
    ) -> tuple[torch.cuda.CUDAGraph, Batch, Terms]:
        static_batch = replace(
            batch, **{name: value.clone() for name, value in _tensors(batch).items()}
        )
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            terms = _detached(self._work(plan, static_batch))
        return graph, static_batch, terms


def _tensors(batch: Batch) -> dict[str, Tensor]:
    return {field.name: getattr(batch, field.name) for field in fields(batch)}


def _detached(terms: Terms) -> Terms:
    return {name: value.detach() for name, value in terms.items()}


def _stream(device: torch.device) -> torch.cuda.Stream | None:
    if device.type != "cuda":
        return None
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
