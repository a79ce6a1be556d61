"""The runner that translates on this machine, in this process and its workers."""

from contextlib import closing
from typing import Any

from cctranslate.batch import pipeline
from cctranslate.batch.call.open_writer import open_writer
from cctranslate.batch.call.options import Options
from cctranslate.batch.pipeline import Sinks
from cctranslate.batch.report.row import Row
from cctranslate.batch.runners.blocks.work_folder import WorkFolder, refuse_unfinished
from cctranslate.batch.runners.runner import Call
from cctranslate.batch.stages.chunk_translator import ChunkTranslator
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.batch.stages.setup import (
    FIRST_TASKS,
    make_worker_tasks,
    model_workers,
    open_models,
)
from cctranslate.batch.workers.ordered_map import OrderedPool
from cctranslate.bundle import Bundle
from cctranslate.inference.sessions import cores


class LocalRunner:
    """Translates on this machine."""

    def __init__(self, options: Options, loaded: Bundle) -> None:
        """Open the models.

        Raises:
            DeviceError: The device cannot be used.
            BundleError: A graph that cannot be loaded.
        """
        self._bundle = loaded
        self._models = open_models(options, loaded)
        self.provider, self.engine = self._models.provider, self._models.engine

    def prepare(self, options: Options, requested: dict[str, Any]) -> None:
        """Check that OUT holds no unfinished run in blocks; with `--overwrite` remove it.

        Raises:
            OptionError: It holds one.
            OutputError: It cannot be removed.
        """
        if options.overwrite:
            WorkFolder(options.out).remove()
        refuse_unfinished(options.out)

    def translate(self, call: Call) -> bool:
        """Translate every input; return whether none is left.

        Raises:
            OutputError: Results or rows cannot be written any more; inputs with a row are done.
            WorkersError: A worker was killed; inputs with a row are done.
        """
        options, journal = call.options, call.journal
        selector = ResultSelector(
            options.plan, options.unconfirmed_disposition, options.per_class, journal.counts.written
        )

        def on_rows(rows: list[Row]) -> None:
            call.on_done(1)
            call.on_rows(rows)

        with closing(open_writer(options, journal.resume.last_outputs)) as writer:
            sinks = Sinks(writer=writer, rows=journal, on_rows=on_rows, on_done=call.on_done)
            if workers := model_workers(options, self.provider):
                self._run_in_workers(call, sinks, workers)
            else:
                self._run(call, sinks, selector)
        if selector.full:
            call.echo(f"ended: each expression has its --per-class {options.per_class} results")
        return not (call.interrupt.requested or call.limit.is_passed())

    def _run(self, call: Call, sinks: Sinks, selector: ResultSelector) -> None:
        """Translate with the models in this process."""
        options = call.options
        work = make_worker_tasks(options, call.detector, sinks.writer, self.provider)
        count = options.workers or cores()
        with OrderedPool(work, count, work.pickled, threads_first=FIRST_TASKS) as pool:
            pipeline.run(
                pipeline.remaining(call.items(), call.journal.resume),
                models=self._models,
                selector=selector,
                pool=pool,
                sinks=sinks,
                names=call.names,
                limit=call.limit,
            )

    def _run_in_workers(self, call: Call, sinks: Sinks, count: int) -> None:
        """Translate with models in each of `count` worker processes."""
        options = call.options
        translator = ChunkTranslator(
            make_worker_tasks(options, call.detector, sinks.writer, self.provider),
            options.unconfirmed_disposition,
            self._bundle,
            self._models,
            options.batch_size,
        )
        first = count if options.processes else FIRST_TASKS
        with OrderedPool(translator, count, True, threads_first=first) as pool:
            pipeline.run_in_workers(
                pipeline.remaining(call.items(), call.journal.resume),
                pool=pool,
                sinks=sinks,
                names=call.names,
                limit=call.limit,
            )
