"""Chunks of inputs and single pictures, as they travel between the stages.

Handing over one small picture takes as long as decoding it, so pictures travel by the dozen. Where
one process has the models, it gets the faces of a chunk as one array, and everything else as the
worker pickled it. Where workers have models, only inputs and rows cross (`chunk_translator.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.inputs.decoded import Decoded, DecodeResult
from cctranslate.batch.items import Item, Remainder
from cctranslate.batch.outputs.writers import UnplacedResults
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.inference.variants import Plan
from cctranslate.pixels import Floats, Gray


@dataclass(frozen=True, kw_only=True)
class ItemChunk:
    """Fetched inputs for a worker."""

    items: list[Item]
    weight: int = 0
    """Bytes of memory that they take while they are decoded."""
    reserved: tuple[str, ...] = ()
    """Names that other inputs have, among those that their results could get; empty where the
    process with the models names results."""
    failures_left: int | None = None
    """How many inputs may fail: one more ends the run, and so the chunk ends there."""


@dataclass(frozen=True, kw_only=True)
class DecodedChunk:
    """The faces of some inputs."""

    sources: bytes | list[DecodeResult]
    """The decoded inputs, which only workers read; pickled, if workers are processes."""
    faces: Gray
    """The faces to translate [N,48,48]."""
    detected: NDArray[np.bool_]
    """Whether each was found in a picture [N]."""
    scales: Floats
    """Width of each in its picture over 48 [N]."""
    counts: tuple[int, ...]
    """Faces of each input."""
    bases: tuple[str | None, ...]
    """The preferred name of each input's results; None if it needs none."""
    remainders: tuple[Remainder | None, ...]
    """What is left to make of each input; None: everything."""
    is_drawn: bool
    """Whether any input's results are drawn into its picture."""
    weight: int
    """Bytes of memory that the results and their sources will take."""
    seconds: float
    """Seconds that a worker took to decode it."""

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return len(self.counts)


@dataclass(frozen=True, kw_only=True)
class TranslatedChunk:
    """The same inputs with the models' outputs: V results for each of N faces."""

    sources: bytes | list[DecodeResult]
    counts: tuple[int, ...]
    weight: int
    names: tuple[str | None, ...]
    """The name of each input's results."""
    remainders: tuple[Remainder | None, ...]
    translated: Gray
    """[N,V,48,48]."""
    edits: Floats | None
    """[N,V,3,48,48], if results are drawn into pictures."""
    probabilities: Floats
    """The judge's probabilities of the results [N,V,7]."""
    source_probabilities: Floats
    """The judge's probabilities of the faces before the change [N,7]."""
    shows_face: NDArray[np.bool_]
    """Whether there is a face at all [N]."""
    hard: NDArray[np.bool_]
    """Whether each face is hard to change, by the network [N]; False for detected faces."""
    ms: float
    """Milliseconds of inference for each face."""
    dispositions: tuple[tuple[Disposition | None, ...], ...] | None = None
    """The disposition of each result; None: all are written."""


@dataclass(frozen=True, kw_only=True)
class FinishedChunk:
    """The report's lines of some inputs, whose results are made."""

    lines: bytes
    unplaced: list[UnplacedResults]
    """Used instead of `lines` where only the writer knows the outputs."""
    counts: Counts
    inputs: int
    rows: list[list[Row]]
    """The rows of the inputs that the process with the models must see."""
    contents: list[bytes]
    """For each of `rows` the content for the writer's `add`."""
    names: tuple[str, ...] = ()
    """The names that the worker gave to results, if it named them."""
    seconds: float = 0
    """Seconds that the worker took, if it did all stages."""


@dataclass(frozen=True, kw_only=True)
class FaceResults:
    """The V results of a face."""

    translated: Gray
    """[V,48,48]."""
    edits: Floats | None
    """[V,3,48,48], if results are drawn into the picture."""
    probabilities: Floats
    """The judge's probabilities of the results [V,7]."""
    source_probabilities: Floats
    """The judge's probabilities of the face before the change [7]."""
    shows_face: bool
    """Whether there is a face at all; a result of anything else is never confirmed."""
    hard: bool
    """Whether the face is hard to change, by the network; detected faces have landmarks instead."""

    def confirms(self, plan: Plan, k: int) -> bool:
        """Return whether the judge confirms result `k` of the plan."""
        return self.shows_face and plan.confirms(plan.variants[k].target, self.probabilities[k])


@dataclass(frozen=True, kw_only=True)
class TranslatedPicture:
    """A picture with the results of the faces to translate."""

    decoded: Decoded
    faces: tuple[FaceResults, ...]
    ms: float
    """Milliseconds of inference for each face."""
    dispositions: tuple[tuple[Disposition | None, ...], ...]
    """The disposition of each face's results; None where an earlier call made it."""
