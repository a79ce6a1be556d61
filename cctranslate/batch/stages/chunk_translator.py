"""A chunk of inputs taken all the way to results by one worker, which has models of its own."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cctranslate.batch.inputs.decoding import count_pixels
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.outputs.layout import Names
from cctranslate.batch.report.row import Disposition
from cctranslate.batch.stages import bounds
from cctranslate.batch.stages.chunks import FinishedChunk, ItemChunk
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.batch.stages.translate import selected, translate
from cctranslate.batch.stages.worker_tasks import WorkerTasks
from cctranslate.bundle import Bundle

if TYPE_CHECKING:
    from cctranslate.inference.models import TranslationModels


SMALL = 16 << 10
"""Bytes of a file up to which it holds no picture whose results take much memory."""


class ChunkTranslator:
    """What a worker does that shares a CPU with others like it.

    Threads use the models that it was made with; a copy in another process opens them anew, on
    one processor. Pictures never cross between processes, and no core waits for another stage.
    """

    def __init__(
        self,
        work: WorkerTasks,
        unconfirmed_disposition: Disposition,
        loaded: Bundle,
        models: TranslationModels,
        batch_size: int | None,
    ) -> None:
        """Take what is done before and after the models, and the models.

        Args:
            work: Decodes inputs and makes their results.
            unconfirmed_disposition: What becomes of a result that is not confirmed.
            loaded: The models' bundle.
            models: The models, open in this process.
            batch_size: Faces a run of theirs, if the user has named a number.
        """
        self.work = replace(work, pickled=False)
        self._unconfirmed_disposition = unconfirmed_disposition
        self._bundle, self._batch_size = loaded, batch_size
        self._models: TranslationModels | None = models
        self._engine, self._precision = models.engine, models.precision

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the models, which no process can send to another."""
        return self.__dict__ | {"_models": None}

    def weigh(self, item: Item) -> int:
        """Return roughly the bytes of memory that an item takes until its rows are written."""
        size, drawn = bounds.size(item), 0
        if self.work.renderer.in_pictures and size > SMALL:
            drawn = self.work.renderer.weigh_pixels(count_pixels(item))
        return bounds.EXPANSION * size + drawn

    def translate(self, chunk: ItemChunk) -> FinishedChunk:
        """Take inputs to results and to the lines that report them.

        Raises:
            OutputError: Results cannot be written at all.
            DeviceError: Memory is short.
            BundleError: The bundle is not what it was.
        """
        started = time.perf_counter()
        names, given = Names(), list[str]()
        for name in chunk.reserved:
            names.add(name)

        def claim(base: str) -> str:
            given.append(names.claim(base))
            return given[-1]

        plan = self.work.renderer.plan
        decoded = self.work.decode(chunk)
        translated = translate([decoded], plan, self._opened(), claim)
        selector = ResultSelector(plan, self._unconfirmed_disposition, None, {})
        finished = [self.work.finish(part) for part in selected(translated, selector) if part]
        return replace(finished[0], names=tuple(given), seconds=time.perf_counter() - started)

    def _opened(self) -> TranslationModels:
        if self._models is None:
            from cctranslate.inference.models import TranslationModels

            self._models = TranslationModels(
                self._bundle,
                "cpu",
                self._batch_size,
                self._engine,
                self._precision,
                threads=1,
            )
        return self._models
