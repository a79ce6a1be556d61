"""One call of `batch`: what was asked for, going on from what is there, and closing the books."""

import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

from cctranslate import __version__, bundle
from cctranslate.batch import pipeline, report, sheet, source
from cctranslate.batch.folder import REPORT, OptionError, claim, write_run
from cctranslate.batch.pipeline import Plan
from cctranslate.batch.report import Counts, Journal, Row
from cctranslate.batch.sessions import Models, cores
from cctranslate.batch.writer import OutputError, Writer
from cctranslate.bundle import Bundle


@dataclass(kw_only=True)
class Job:
    """A run of `batch`, with its options by the command's names for them."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    out: Path
    files_from: str | None
    null: bool
    min_confidence: float | None
    format: str
    report: str | None
    sheet: Path | None
    device: str
    batch_size: int | None
    workers: int | None
    overwrite: bool
    weights: Path | None
    limit: int | None
    dry_run: bool
    no_mark: bool
    no_progress: bool
    quiet: bool
    verbose: bool
    echo: Callable[[str], None]
    _stop: int = field(default=0, init=False)
    _finished: bool = field(default=False, init=False)

    def describe(self) -> int:
        """Say what `run` would do: inputs to stdout, the rest to stderr. Returns the exit code.

        Raises:
            BundleError: the bundle cannot be used.
            InputError: an input is not there.
            OptionError: options that cannot go together.
        """
        self._check()
        self._bundle()
        count = 0
        for item in self._items():
            sys.stdout.buffer.write(os.fsencode(item.path) + b"\n")
            count += 1
        self.echo(f"{count} inputs to {', '.join(self.targets)} in {self.out}: nothing was written")
        return 0 if count else 3

    def run(self, on_input: Callable[[], object]) -> int:
        """Do it all and return the exit code.

        Raises:
            BundleError, DeviceError: the bundle or the device cannot be used.
            InputError: an input is not there.
            OptionError: OUT holds a run with other options, or files of somebody else's.
            OutputError: results cannot be written; rows so far stay.
        """
        self._check()
        found = self._bundle()
        models = Models(found, self.device, self.batch_size)
        self.echo(f"running on {models.provider.removesuffix('ExecutionProvider')}")
        claim(self.out, self._identity(found), self.overwrite)
        journal = Journal(self.out / REPORT, len(self.targets))
        started = time.monotonic()
        try:
            self._emit_known()
            with self._stoppable(), warnings.catch_warnings():
                # On faulty metadata, which does not concern the pixels.
                warnings.filterwarnings("ignore", module=r"PIL\.")
                self._translate(models, journal, on_input)
            self._finished = not self._stop
        except BaseException:
            # What stopped the run is told, not what it keeps from being written besides.
            with suppress(OutputError):
                self._close(found, models, journal, started)
            raise
        self._close(found, models, journal, started)
        return 130 if self._stop else journal.counts.exit_code

    def _translate(self, models: Models, journal: Journal, on_input: Callable[[], object]) -> None:
        pipeline.run(
            self._items(),
            plan=Plan(targets=self.targets, min_confidence=self.min_confidence),
            models=models,
            writer=Writer(out=self.out, format=self.format, mark=not self.no_mark),
            journal=journal,
            workers=self.workers or cores(),
            on_rows=lambda rows: self._note(rows, on_input),
        )

    def _bundle(self) -> Bundle:
        return bundle.load(self.weights or bundle.shipped())

    @property
    def _sheet(self) -> Path:
        out = self.out.resolve()
        return self.sheet or out.with_name(f"{out.name}-sheet.png")

    def _items(self) -> Iterator[source.Item]:
        items: Iterable[source.Item] = (
            source.from_list(self.files_from, self.null)
            if self.files_from
            else source.from_inputs(self.inputs, leave_out=(self.out, self._sheet))
        )
        for item in islice(items, self.limit):
            if self._stop:
                return
            yield item

    def _check(self) -> None:
        """What can be known to be wrong is told before anything is written."""
        out = self.out.resolve()
        for word in self.inputs:
            source.check(word)
            if out in (Path(word).resolve(), *Path(word).resolve().parents):
                raise OptionError(f"{word} lies in --out {self.out}: results must not be inputs")
        if self.sheet and out in self.sheet.resolve().parents:
            raise OptionError(f"--sheet {self.sheet}: {self.out} holds no picture but results")
        copy = Path(self.report) if self.report and self.report != "-" else None
        for option, path in (("--report", copy), ("--sheet", self.sheet)):
            if path and not path.parent.is_dir() and path.parent.resolve() != out:
                raise OptionError(f"{option} {path}: there is no folder {path.parent}: make it")

    def _identity(self, found: Bundle) -> dict[str, Any]:
        """What two calls must share to be one run: not how it is computed, but what is made."""
        return {
            "INPUT": list(self.inputs),
            "--files-from": self.files_from,
            "--to": list(self.targets),
            "--min-confidence": self.min_confidence,
            "--format": self.format,
            "--no-mark": self.no_mark,
            "bundle (--weights)": found.digests,
        }

    def _emit_known(self) -> None:
        if self.report == "-":
            for row in report.read(self.out / REPORT):
                _emit(row)

    def _note(self, rows: list[Row], on_input: Callable[[], object]) -> None:
        on_input()
        if self.verbose and rows[0].status == "failed":
            self.echo(f"{rows[0].source}: {rows[0].reason}")
        if self.report == "-":
            for row in rows:
                _emit(row.cells())

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """The first SIGINT or SIGTERM lets what is in flight finish; a second one does not."""

        def stop(signum: int, frame: FrameType | None) -> None:
            self._stop += 1
            if self._stop > 1:
                raise KeyboardInterrupt
            self.echo("stopping: finishing what is in flight")

        kept = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def _close(self, found: Bundle, models: Models, journal: Journal, started: float) -> None:
        """Write run.json, the sheet and the other report, and say how it went."""
        journal.close()
        counts, seconds = journal.counts, time.monotonic() - started
        options = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in vars(self).items()
            if name != "echo" and not name.startswith("_")
        }
        told = {
            "asked": self._identity(found),
            "options": options,
            "cctranslate": __version__,
            "provider": models.provider,
            "bundle": found.digests,
            "finished": self._finished,
            "found": counts.found,
            **{status: counts.inputs[status] for status in ("done", "skipped", "failed")},
            "confirmed_share": counts.shares(),
            "seconds": round(seconds, 2),
            "inputs_per_second": round((counts.found - journal.resumed) / max(seconds, 1e-9), 1),
        }
        write_run(self.out, told)
        self._draw()
        if self.report and self.report != "-":
            report.copy(self.out / REPORT, Path(self.report))
        self._summarise(counts)

    def _draw(self) -> None:
        picture = sheet.draw(self.out / REPORT, self.out, self.targets)
        if picture is None:
            return
        try:
            picture.save(self._sheet, "png")
        except OSError as error:
            raise OutputError(f"{self._sheet}: cannot be written: {error.strerror}") from None

    def _summarise(self, counts: Counts) -> None:
        inputs = counts.inputs
        self.echo(
            f"{counts.found} inputs: {inputs['done']} done, {inputs['skipped']} skipped, "
            f"{inputs['failed']} failed; report in {self.out / REPORT}"
        )
        for emotion, share in counts.shares().items():
            self.echo(f"  {emotion:9}{share:7.1%} of {counts.results[emotion]} confirmed")
        if self._stop:
            self.echo("interrupted: the same command goes on from here")


def _emit(row: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(report.typed(row)) + "\n")
    sys.stdout.flush()
