"""Do all stages of a chunk in one worker, which has its own models."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cctranslate.batch.inputs.decoding import count_pixels
from cctranslate.batch.items import Item
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
"""Bytes of a file up to which its results take little memory."""


class ChunkTranslator:
    """Decodes, translates and writes chunks, in a worker that shares a CPU with others.

    Threads share the models that it was made with. A copy in another process opens its own, on one
    processor. So pictures never cross between processes, and no core waits for another stage.
    """

    def __init__(
        self,
        work: WorkerTasks,
        unconfirmed_disposition: Disposition,
        loaded: Bundle,
        models: TranslationModels,
        batch_size: int | None,
    ) -> None:
        """Combine the tasks before and after the models with the models.

        Args:
            work: Decodes inputs and makes their results.
            unconfirmed_disposition: The disposition of a result that is not confirmed.
            loaded: The models' bundle.
            models: The models, open in this process.
            batch_size: Faces in one run of the models, if the user has named a number.
        """
        self.work = replace(work, pickled=False)
        self._unconfirmed_disposition = unconfirmed_disposition
        self._bundle, self._batch_size = loaded, batch_size
        self._models: TranslationModels | None = models
        self._engine, self._precision = models.engine, models.precision

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the models, which cannot be pickled."""
        return self.__dict__ | {"_models": None}

    def weigh(self, item: Item) -> int:
        """Return roughly the bytes of memory that an item takes until its rows are written."""
        size, drawn = bounds.size(item), 0
        if self.work.renderer.in_pictures and size > SMALL:
            drawn = self.work.renderer.weigh_pixels(count_pixels(item))
        return bounds.EXPANSION * size + drawn

    def translate(self, chunk: ItemChunk) -> FinishedChunk:
        """Translate the inputs of a chunk, and write their results.

        Raises:
            OutputError: Results cannot be written at all.
            DeviceError: Memory is short.
            BundleError: The bundle has changed since the run began.
        """
        started = time.perf_counter()
        names, claimed = Names(), list[str]()
        for name in chunk.reserved:
            names.add(name)

        def claim(base: str) -> str:
            claimed.append(names.claim(base))
            return claimed[-1]

        plan = self.work.renderer.plan
        decoded = self.work.decode(chunk)
        translated = translate([decoded], plan, self._opened(), claim)
        selector = ResultSelector(plan, self._unconfirmed_disposition, None, {})
        finished = [self.work.finish(part) for part in selected(translated, selector) if part]
        return replace(finished[0], names=tuple(claimed), seconds=time.perf_counter() - started)

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
