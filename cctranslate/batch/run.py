"""One call of `batch`: going on from what is there, and closing the books."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cctranslate import bundle
from cctranslate.batch import pipeline, summary
from cctranslate.batch.finish import finish
from cctranslate.batch.inputs.decoding import Look
from cctranslate.batch.inputs.exclusions import InputFilter
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.inputs.iter_items import iter_items
from cctranslate.batch.inputs.sources import read_pipes
from cctranslate.batch.interrupt import InterruptHandler
from cctranslate.batch.library_warnings import library_warnings
from cctranslate.batch.manifest import identity
from cctranslate.batch.options import Options
from cctranslate.batch.outputs.folder import (
    FOLDER,
    REPORT,
    claim,
    read_run,
    refuse_strangers,
)
from cctranslate.batch.outputs.layout import Names
from cctranslate.batch.outputs.lock import hold
from cctranslate.batch.outputs.open_writer import open_writer
from cctranslate.batch.outputs.writers import Files
from cctranslate.batch.report import formats
from cctranslate.batch.report.counts import Counts, too_few_confirmed, too_many_failed
from cctranslate.batch.report.journal import Journal
from cctranslate.batch.report.schema import Row
from cctranslate.batch.stages.chunks import Work
from cctranslate.batch.stages.ordered_map import OrderedPool
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.batch.summary import Reasons
from cctranslate.batch.validation import check
from cctranslate.bundle import Bundle
from cctranslate.errors import OutputError
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.sessions import CUDA, cores

FEW_CORES, FEW_TASKS = 4, 16
"""Cores up to which threads do what worker processes do elsewhere, and tasks that are done before
the first of these has started."""


class Progress(Protocol):
    """Whoever wants to know how far a run has come."""

    def start(self, done: int) -> None:
        """Begin with the inputs that earlier calls ended."""

    def step(self, count: int = 1) -> object:
        """Count so many inputs more."""


@dataclass(kw_only=True)
class BatchRun:
    """A run of `batch`; `echo` prints a line for whoever started it."""

    options: Options
    echo: Callable[[str], None]
    progress: Progress
    _stop: InterruptHandler = field(init=False)
    _finished: bool = field(default=False, init=False)
    _finder: FaceDetector = field(default_factory=FaceDetector, init=False)
    _names: Names = field(default_factory=Names, init=False)
    _reasons: Reasons = field(default_factory=Reasons, init=False)
    _filter: InputFilter = field(init=False)
    _altered: int = field(default=0, init=False)
    """Results that somebody changed since they were written."""

    def __post_init__(self) -> None:
        self._stop = InterruptHandler(echo=self.echo)
        self._filter = InputFilter(self.options.include, self.options.exclude)

    def run(self) -> int:
        """Do it all and return the exit code.

        Raises:
            BundleError, DeviceError: the bundle or the device cannot be used.
            InputError: an input is not there.
            BusyError: another run is at work in OUT.
            OptionError: OUT holds a run with other options, or files of somebody else's.
            OutputError: results cannot be written; rows so far stay.
        """
        check(self.options)
        found = self._bundle()
        models = TranslationModels(found, self.options.device, self.options.batch_size)
        out = self.options.out
        refuse_strangers(out)
        with hold(out):
            if self.options.shard:
                number, count = self.options.shard
                self.echo(f"share {number} of {count} of the inputs")
            self.echo(f"running on {models.provider.removesuffix('ExecutionProvider')}")
            claim(out, self.options.aside, self._identity(found), self.options.overwrite)
            if self.options.retry_failed:
                formats.drop_failed(out / REPORT)
            journal = self._journal()
            self.progress.start(journal.resumed)
            with self._stop.listening():
                counts = self._go_on(found, models, journal)
        if self._stop.asked:
            return 130
        return 5 if self._missed(counts) else counts.exit_code

    def _journal(self) -> Journal:
        asked, layout = self.options, self.options.result_layout
        return Journal(
            asked.out / REPORT,
            asked.targets,
            base=Path(read_run(asked.out).get(FOLDER, Path.cwd())),
            on_earlier=self._take_up,
            is_there=self._is_there,
            position=layout.position,
            rewritable=layout.is_rewritable,
        )

    def _is_there(self, row: Row) -> bool:
        """Return whether a row's result is still there; one that was altered is left as it is."""
        if (
            row.output is None
            or self.options.stream
            or not self.options.result_layout.is_rewritable
        ):
            return True
        try:
            size = (self.options.out / row.output).stat().st_size
        except OSError:
            return False
        self._altered += size != row.output_size
        return True

    def _missed(self, counts: Counts) -> bool:
        """Whether the run missed a bar that was asked for; says which."""
        asked = self.options
        if too_many_failed(counts, asked.max_failures, ended=True):
            self.echo(
                f"{counts.inputs['failed']} failed, --max-failures {asked.max_failures}: see "
                "their reasons in the report; --retry-failed does them again"
            )
            return True
        low = too_few_confirmed(counts, asked.min_confirmed)
        for target, share in low.items():
            self.echo(f"{target}: {share:.1%} confirmed, --min-confirmed {asked.min_confirmed}")
        return bool(low)

    def _go_on(
        self,
        found: Bundle,
        models: TranslationModels,
        journal: Journal,
    ) -> Counts:
        """Make what the journal has no row of, and close the books whatever happens."""
        started = time.monotonic()
        try:
            with library_warnings(self.echo):
                self._translate(models, journal)
        except BaseException:
            # What stopped the run is told, not what it keeps from being written besides.
            with suppress(OutputError):
                self._close(found, models, journal, started)
            raise
        with library_warnings(self.echo):
            return self._close(found, models, journal, started)

    def _translate(self, models: TranslationModels, journal: Journal) -> None:
        asked, written = self.options, journal.counts.written
        in_pictures = asked.result == "picture"
        selector = ResultSelector(asked.plan, asked.denied, asked.per_class, written)
        with closing(open_writer(asked, journal.last_outputs)) as writer:
            # On few cores the models are the limit, on many or beside a GPU one process's Python.
            many = models.provider == CUDA or cores() > FEW_CORES
            processes = many if asked.processes is None else asked.processes
            work = Work(
                look=Look(
                    where=asked.faces, finder=self._finder, again=in_pictures, which=asked.which
                ),
                renderer=ResultRenderer(
                    plan=asked.plan,
                    layout=asked.result_layout,
                    packer=writer.packer,
                    in_pictures=in_pictures,
                    metadata=asked.metadata == "keep",
                ),
                pickled=processes,
                all_rows=asked.report == "-" or not isinstance(writer, Files),
            )
            count = asked.workers or cores()
            with OrderedPool(work, count, processes, threads_first=FEW_TASKS) as pool:
                pipeline.run(
                    self._items(journal),
                    models=models,
                    selector=selector,
                    pool=pool,
                    writer=writer,
                    journal=journal,
                    names=self._names,
                    on_rows=self._note,
                    on_done=self.progress.step,
                )
        self._finished = not (self._stop.asked or self._enough(journal))
        if selector.full:
            self.echo(f"each expression has its --per-class {asked.per_class}: that was all")

    def _enough(self, journal: Journal) -> bool:
        return too_many_failed(journal.counts, self.options.max_failures, ended=False)

    def _bundle(self) -> Bundle:
        return bundle.load(self.options.weights or bundle.shipped())

    def _identity(self, found: Bundle) -> dict[str, Any]:
        return identity(self.options, found.digests, self._finder.digest)

    def _items(self, journal: Journal) -> Iterator[Item]:
        for item in self._stop.until(read_pipes(iter_items(self.options, self._filter))):
            if self._enough(journal):
                return
            yield item

    def _take_up(self, rows: Sequence[Row]) -> None:
        """Go on from the rows of an input that an earlier call ended."""
        if rows[0].result_name:
            self._names.claim(rows[0].result_name)
        self._reasons.add(rows)
        self._emit(rows)

    def _emit(self, rows: Sequence[Row]) -> None:
        if self.options.report == "-":
            sys.stdout.writelines(map(formats.json_line, rows))
            sys.stdout.flush()

    def _note(self, rows: list[Row]) -> None:
        self.progress.step()
        self._reasons.add(rows)
        aloud = self.options.verbose or self.options.stream  # which keeps no report
        if aloud and rows[0].status != "done":
            self.echo(f"{rows[0].source}: {rows[0].reason}")
        self._emit(rows)

    def _close(
        self, found: Bundle, models: TranslationModels, journal: Journal, started: float
    ) -> Counts:
        counts = finish(
            self.options,
            journal,
            bundle=found.digests,
            detector=self._finder.digest,
            provider=models.provider,
            finished=self._finished,
            seconds=time.monotonic() - started,
        )
        self._summarise(counts, journal)
        return counts

    def _summarise(self, counts: Counts, journal: Journal) -> None:
        for line in summary.lines(
            self.options,
            counts,
            self._reasons,
            resumed=journal.resumed,
            altered=self._altered,
            outdated=journal.outdated,
        ):
            self.echo(line)
        self._filter.tell(self.echo)
        if self._stop.asked:
            from_here = "begins anew" if self.options.stream else "goes on from here"
            self.echo(f"interrupted: the same command {from_here}")
