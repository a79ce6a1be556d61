"""One call of `batch`: going on from what is there, and closing the books."""

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from cctranslate import bundle
from cctranslate.batch import pipeline
from cctranslate.batch.gallery import contact_sheet, html_page
from cctranslate.batch.inputs.decoding import Look
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.inputs.iter_items import iter_items
from cctranslate.batch.interrupt import InterruptHandler
from cctranslate.batch.manifest import identity, manifest
from cctranslate.batch.options import Options
from cctranslate.batch.outputs.folder import PAGE, REPORT, claim, refuse_strangers, write_run
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
from cctranslate.batch.validation import check
from cctranslate.bundle import Bundle
from cctranslate.errors import OutputError
from cctranslate.faces.detector import FaceDetector
from cctranslate.files import atomic_write
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.sessions import CUDA, cores

FEW_CORES, FEW_TASKS = 4, 16
"""Cores up to which threads do what worker processes do elsewhere, and tasks that are done before
the first of these has started."""


@dataclass(kw_only=True)
class BatchRun:
    """A run of `batch`; `echo` prints a line for whoever started it."""

    options: Options
    echo: Callable[[str], None]
    _stop: InterruptHandler = field(init=False)
    _finished: bool = field(default=False, init=False)
    _finder: FaceDetector = field(default_factory=FaceDetector, init=False)
    _names: Names = field(default_factory=Names, init=False)

    def __post_init__(self) -> None:
        self._stop = InterruptHandler(echo=self.echo)

    def describe(self) -> int:
        """Say what `run` would do: inputs to stdout, the rest to stderr. Returns the exit code.

        Raises:
            BundleError: the bundle cannot be used.
            InputError: an input is not there.
            OptionError: options that cannot go together.
        """
        check(self.options)
        self._bundle()
        count = 0
        for item in iter_items(self.options):
            sys.stdout.buffer.write(os.fsencode(item.source) + b"\n")
            count += 1
        targets, out = ", ".join(self.options.targets), self.options.out
        self.echo(f"{count} inputs to {targets} in {out}: nothing was written")
        return 0 if count else 3

    def run(self, on_input: Callable[[int], object]) -> int:
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
            journal = Journal(out / REPORT, len(self.options.plan.variants), self._take_up)
            with self._stop.listening():
                self._go_on(found, models, journal, on_input)
        if self._stop.asked:
            return 130
        return 5 if self._missed(journal.counts) else journal.counts.exit_code

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
        on_input: Callable[[int], object],
    ) -> None:
        """Do what the journal has no row of, and close the books whatever happens."""
        started = time.monotonic()
        try:
            with warnings.catch_warnings():
                # On faulty metadata, which does not concern the pixels.
                warnings.filterwarnings("ignore", module=r"PIL\.")
                self._translate(models, journal, on_input)
        except BaseException:
            # What stopped the run is told, not what it keeps from being written besides.
            with suppress(OutputError):
                self._close(found, models, journal, started)
            raise
        self._close(found, models, journal, started)

    def _translate(
        self, models: TranslationModels, journal: Journal, on_input: Callable[[int], object]
    ) -> None:
        asked, written = self.options, journal.counts.written
        in_pictures = asked.result == "picture"
        selector = ResultSelector(asked.plan, asked.denied, asked.per_class, written)
        with closing(open_writer(asked, journal.last_outputs)) as writer:
            # On few cores the models are the limit, on many or beside a GPU one process's Python.
            many = models.provider == CUDA or cores() > FEW_CORES
            processes = many if asked.processes is None else asked.processes
            work = Work(
                look=Look(where=asked.faces, finder=self._finder, again=in_pictures),
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
                    on_rows=lambda rows: self._note(rows, on_input),
                    on_done=on_input,
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
        for item in self._stop.until(iter_items(self.options)):
            if self._enough(journal):
                return
            yield item

    def _take_up(self, rows: Sequence[Row]) -> None:
        """Go on from the rows of an input that an earlier call ended."""
        if rows[0].result_name:
            self._names.claim(rows[0].result_name)
        self._emit(rows)

    def _emit(self, rows: Sequence[Row]) -> None:
        if self.options.report == "-":
            sys.stdout.writelines(map(formats.json_line, rows))
            sys.stdout.flush()

    def _note(self, rows: list[Row], on_input: Callable[[int], object]) -> None:
        on_input(1)
        aloud = self.options.verbose or self.options.stream  # which keeps no report
        if aloud and rows[0].status != "done":
            self.echo(f"{rows[0].source}: {rows[0].reason}")
        self._emit(rows)

    def _close(
        self, found: Bundle, models: TranslationModels, journal: Journal, started: float
    ) -> None:
        """Write run.json, the sheet, the other report and the page, and say how it went."""
        journal.close()
        counts, seconds = journal.counts, time.monotonic() - started
        content = manifest(
            self.options,
            bundle=found.digests,
            detector=self._finder.digest,
            provider=models.provider,
            counts=counts,
            resumed=journal.resumed,
            finished=self._finished,
            seconds=seconds,
        )
        write_run(self.options.out, content)
        if not self.options.stream:
            self._draw(counts)
            self._show(content, counts)
        if self.options.report_copy:
            formats.copy(self.options.out / REPORT, self.options.report_copy)
        self._summarise(counts)

    def _show(self, content: dict[str, Any], counts: Counts) -> None:
        place = self.options.out / PAGE
        if self.options.html:
            html_page.write(place, self.options.out / REPORT, counts, content)
        else:
            html_page.remove(place)  # an earlier call's would not be of this report

    def _draw(self, counts: Counts) -> None:
        out, place = self.options.out, self.options.sheet_path
        picture = contact_sheet.draw(
            out / REPORT, out, self.options.plan.variants, counts.faces_done
        )
        if picture is None:
            return
        with atomic_write(place) as file:
            picture.save(file, "png")

    def _summarise(self, counts: Counts) -> None:
        inputs = counts.inputs
        page_too = f", to look through in {PAGE}" * self.options.html
        where = f"; report in {self.options.out / REPORT}{page_too}"
        self.echo(
            f"{counts.found} inputs: {inputs['done']} done, {inputs['skipped']} skipped, "
            f"{inputs['failed']} failed{where * (not self.options.stream)}"
        )
        for emotion, share in counts.confirmed_fractions().items():
            self.echo(f"  {emotion:9}{share:7.1%} of {counts.results[emotion]} confirmed")
        if self._stop.asked:
            from_here = "begins anew" if self.options.stream else "goes on from here"
            self.echo(f"interrupted: the same command {from_here}")
