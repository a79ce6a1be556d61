"""One call of `batch`: resume from earlier results, translate, and write the final report."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from cctranslate import bundle
from cctranslate.batch.call import summary
from cctranslate.batch.call.iter_items import iter_items, read_pipes
from cctranslate.batch.call.open_earlier import open_earlier
from cctranslate.batch.call.options import Options
from cctranslate.batch.call.summary import Reasons
from cctranslate.batch.finish import finish
from cctranslate.batch.inputs.exclusions import InputFilter
from cctranslate.batch.inputs.job_array import AllShards
from cctranslate.batch.interrupt import InterruptHandler
from cctranslate.batch.items import Item
from cctranslate.batch.manifest import RunFacts, identity
from cctranslate.batch.outputs.earlier.claiming import claim
from cctranslate.batch.outputs.earlier.earlier_results import EarlierResults
from cctranslate.batch.outputs.folder import (
    CHECKED,
    FOLDER,
    REPORT,
    read_run,
    refuse_foreign_files,
)
from cctranslate.batch.outputs.layout import Names
from cctranslate.batch.report import formats
from cctranslate.batch.report.counts import Counts, FailureLimit
from cctranslate.batch.report.journal import Journal
from cctranslate.batch.report.resume import ResumeState
from cctranslate.batch.report.row import Row
from cctranslate.batch.runners.open_runner import open_runner
from cctranslate.batch.runners.runner import Call, Runner
from cctranslate.batch.stages.balance import Balance
from cctranslate.batch.stores.run_files import run_files
from cctranslate.batch.validation import check
from cctranslate.batch.workers.library_warnings import library_warnings
from cctranslate.bundle import Bundle
from cctranslate.errors import OutputError
from cctranslate.faces.detector import FaceDetector
from cctranslate.folder_lock import hold


class Progress(Protocol):
    """Shows the progress of a run."""

    def start(self, done: int) -> None:
        """Start with the number of inputs that earlier calls finished."""

    def step(self, count: int = 1) -> object:
        """Add finished inputs."""


@dataclass(kw_only=True)
class BatchRun:
    """A call of `batch`; `echo` prints a line for the user."""

    options: Options
    echo: Callable[[str], None]
    progress: Progress
    _interrupt: InterruptHandler = field(init=False)
    _began_ns: int = field(default_factory=time.time_ns, init=False)
    _finished: bool = field(default=False, init=False)
    _ended: int = field(default=0, init=False)
    """Inputs that this call processed."""
    _detector: FaceDetector = field(default_factory=FaceDetector, init=False)
    _names: Names = field(default_factory=Names, init=False)
    _reasons: Reasons = field(default_factory=Reasons, init=False)
    _filter: InputFilter = field(init=False)
    _all_shards: AllShards = field(default_factory=AllShards, init=False)
    _balance: Balance | None = field(default=None, init=False)
    _earlier: EarlierResults = field(init=False)
    _save: Callable[[], None] = field(init=False)

    def __post_init__(self) -> None:
        self._interrupt = InterruptHandler(echo=self.echo)
        if self.options.runner == "ray" or self.options.store:
            self._interrupt.in_flight = "giving up what is in flight, to be done by the next call"
        self._earlier = open_earlier(self.options)
        self._filter = InputFilter(self.options.include, self.options.exclude)

    def run(self) -> int:
        """Translate all inputs and return the exit code.

        Raises:
            BundleError, DeviceError: The bundle or the device cannot be used.
            InputError: An input is not there.
            BusyError: Another run is writing to OUT.
            OptionError: OUT holds a run with other options, or the user's files.
            OutputError: Results cannot be written; rows so far stay.
        """
        check(self.options)
        options = self.options
        loaded = bundle.load(options.weights or bundle.shipped())
        refuse_foreign_files(options.out, options.unconfirmed_folder, options.overwrite)
        with (
            open_runner(options, loaded) as runner,
            hold(options.out, self.echo),
            run_files(options) as self._save,
        ):
            counts = self._run(loaded, runner)
        if self._interrupt.requested:
            return 130
        missed = summary.missed(self.options, counts)
        for line in missed:
            self.echo(line)
        return 5 if missed else counts.exit_code

    def _run(self, loaded: Bundle, runner: Runner) -> Counts:
        options, out = self.options, self.options.out
        if options.balance:
            self._balance = Balance.of(options)
        if options.shard:
            number, count = options.shard
            self.echo(f"shard {number} of {count} of the inputs")
        self.echo(f"running on {runner.provider.removesuffix('ExecutionProvider')}")
        requested = identity(options, loaded.digests, self._detector.digest, runner.engine)
        runner.prepare(options, requested)
        claim(out, options.unconfirmed_folder, requested, options.overwrite)
        self._earlier.prepare(out / REPORT)
        self._save()
        if options.retry_failed:
            formats.drop_failed(out / REPORT)
        journal = self._journal()
        if self._balance:
            self._balance = replace(self._balance, earlier=journal.resume)
            missing, short = self._balance.missing_results(options.targets)
            for line in summary.missing_results(missing, short, self._balance.left_out):
                self.echo(line)
        self.progress.start(journal.resume.complete)
        with self._interrupt.listening():
            return self._translate_and_finish(loaded, runner, journal)

    def _journal(self) -> Journal:
        options, layout = self.options, self.options.result_layout
        earlier = read_run(options.out)
        checked_ns = earlier.get(CHECKED)
        if checked_ns is not None and checked_ns > self._began_ns:
            checked_ns = 0  # the clock was set back since: any file may have changed
        resume = ResumeState(
            options.targets,
            base=Path(earlier.get(FOLDER, Path.cwd())),
            checked_ns=checked_ns,
            is_there=self._earlier.is_there,
            altered=self._earlier.altered,
            position=layout.position,
        )
        return Journal(options.out / REPORT, resume, self._add_earlier)

    def _translate_and_finish(self, loaded: Bundle, runner: Runner, journal: Journal) -> Counts:
        """Translate inputs without a row; write the final report also after an error."""
        started = time.monotonic()
        with library_warnings(self.echo):
            try:
                self._translate(runner, journal)
            except BaseException:
                # The user needs the first error, not errors in writing that follow from it.
                with suppress(OutputError):
                    self._finish(loaded, runner, journal, started)
                raise
            return self._finish(loaded, runner, journal, started)

    def _translate(self, runner: Runner, journal: Journal) -> None:
        limit = FailureLimit(journal.counts, self.options.max_failures)
        self._finished = runner.translate(
            Call(
                options=self.options,
                detector=self._detector,
                journal=journal,
                names=self._names,
                items=partial(self._items, limit),
                interrupt=self._interrupt,
                limit=limit,
                on_done=self._count,
                on_rows=self._report,
                save=self._save,
                echo=self.echo,
            )
        )

    def _count(self, inputs: int) -> None:
        self._ended += inputs
        self.progress.step(inputs)

    def _items(self, limit: FailureLimit) -> Iterator[Item | None]:
        items = iter_items(self.options, self._filter, self._all_shards)
        if self._balance:
            items = self._balance.choose(items)
        for item in self._interrupt.until(read_pipes(items)):
            if limit.is_passed():
                return
            yield item

    def _add_earlier(self, rows: Sequence[Row]) -> None:
        """Note the rows of an input that an earlier call finished."""
        if rows[0].result_name:
            self._names.add(rows[0].result_name)
        self._reasons.add(rows)
        self._print_rows(rows)

    def _print_rows(self, rows: Sequence[Row]) -> None:
        if self.options.report == "-":
            sys.stdout.writelines(map(formats.json_line, rows))
            sys.stdout.flush()

    def _report(self, rows: Sequence[Row]) -> None:
        self._reasons.add(rows)
        # A run to stdout or to a file keeps no report.
        if (self.options.verbose or self.options.stream) and rows[0].status != "done":
            self.echo(f"{rows[0].source}: {rows[0].reason}")
        self._print_rows(rows)

    def _finish(self, loaded: Bundle, runner: Runner, journal: Journal, started: float) -> Counts:
        facts = RunFacts(
            bundle=loaded.digests,
            detector=self._detector.digest,
            engine=runner.engine,
            provider=runner.provider,
            finished=self._finished,
            inputs=self._ended,
            all_shards=self._all_shards.record(),
            checked_ns=self._began_ns if self._finished and journal.resume.found_all else None,
            seconds=time.monotonic() - started,
        )
        counts = finish(self.options, journal, facts, self._reasons)
        self._summarize(counts, journal)
        return counts

    def _summarize(self, counts: Counts, journal: Journal) -> None:
        for line in summary.lines(
            self.options,
            counts,
            self._reasons,
            resumed=journal.resumed > 0,
            inputs=self._ended,
            results=journal.results,
            altered=len(self._earlier.altered),
        ):
            self.echo(line)
        self._filter.echo_left_out(self.echo)
        if self._interrupt.requested:
            from_here = "begins anew" if self.options.stream else "goes on from here"
            self.echo(f"interrupted: the same command {from_here}")
