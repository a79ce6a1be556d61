"""One call of `batch`: what was asked for, going on from what is there, and closing the books."""

import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

from cctranslate import __version__, bundle
from cctranslate.batch import pipeline, sheet, source
from cctranslate.batch.pipeline import Plan
from cctranslate.batch.report import Counts, Journal, Row, read, typed
from cctranslate.batch.sessions import Models, cores
from cctranslate.batch.writer import OutputError, Writer
from cctranslate.bundle import Bundle
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import UserError

REPORT, RUN = "report.csv", "run.json"


class OptionError(UserError):
    """Options that cannot go together, or not with the run that is in OUT."""


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

    def describe(self) -> int:
        """Say what `run` would do: inputs to stdout, the rest to stderr. Returns the exit code."""
        self._bundle()
        count = 0
        for item in self._items():
            sys.stdout.write(f"{item.path}\n")
            count += 1
        self.echo(f"{count} inputs to {', '.join(self.targets)} in {self.out}: nothing was written")
        return 0 if count else 3

    def run(self, on_input: Callable[[], object]) -> int:
        """Do it all and return the exit code.

        Raises:
            BundleError, DeviceError: the bundle or the device cannot be used.
            OptionError: OUT holds a run with other options, or files of somebody else's.
            OutputError: results cannot be written; rows so far stay.
            UserError: an input is not there.
        """
        found = self._bundle()
        models = Models(found, self.device, self.batch_size)
        self.echo(f"running on {models.provider.removesuffix('ExecutionProvider')}")
        self._check_inputs()
        self._claim(found)
        started = time.monotonic()
        journal = Journal(self.out / REPORT, len(self.targets))
        before = journal.counts.found
        try:
            self._emit_known()
            with self._stoppable():
                pipeline.run(
                    self._items(),
                    plan=Plan(targets=self.targets, min_confidence=self.min_confidence),
                    models=models,
                    writer=Writer(out=self.out, format=self.format, mark=not self.no_mark),
                    journal=journal,
                    workers=self.workers or cores(),
                    on_rows=lambda rows: self._note(rows, on_input),
                )
        finally:
            journal.close()
            seconds = time.monotonic() - started
            self._close(found, models, journal.counts, journal.counts.found - before, seconds)
        return 130 if self._stop else journal.counts.exit_code

    def _bundle(self) -> Bundle:
        return bundle.load(self.weights or bundle.shipped())

    @property
    def _sheet(self) -> Path:
        return self.sheet or self.out.parent / f"{self.out.resolve().name}-sheet.png"

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

    def _check_inputs(self) -> None:
        """A misspelt input is told before anything is written."""
        for word in self.inputs:
            source.check(word)

    def _claim(self, found: Bundle) -> None:
        """Make OUT ours, or make sure that the run in it is this one."""
        asked = self._identity(found)
        there = self.out / RUN
        if there.exists() and not self.overwrite:
            known = json.loads(there.read_text(encoding="utf-8"))["asked"]
            for name, value in asked.items():
                if known.get(name) != value:
                    raise OptionError(
                        f"{self.out} holds a run with another {name}: name another --out, or "
                        "start anew with --overwrite"
                    )
            return
        strangers = [e for e in EMOTIONS if (self.out / e).exists()]
        if strangers and not there.exists() and not (self.out / REPORT).exists():
            raise OptionError(
                f"{self.out / strangers[0]} is there already and is not from a run of batch: "
                "name another --out"
            )
        try:
            self._clear()
            self.out.mkdir(parents=True, exist_ok=True)
            _write_json(there, {"asked": asked})
        except OSError as error:
            raise OutputError(f"{self.out}: cannot be written: {error.strerror}") from None

    def _clear(self) -> None:
        for emotion in EMOTIONS:
            if (self.out / emotion).exists():
                shutil.rmtree(self.out / emotion)
        for name in (REPORT, RUN):
            (self.out / name).unlink(missing_ok=True)

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
            for row in read(self.out / REPORT):
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

    def _close(
        self, found: Bundle, models: Models, counts: Counts, done: int, seconds: float
    ) -> None:
        """Write run.json, the sheet and the other report, and say how it went."""
        options = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in vars(self).items()
            if name not in ("echo", "_stop")
        }
        told = {
            "asked": self._identity(found),
            "options": options,
            "cctranslate": __version__,
            "provider": models.provider,
            "bundle": found.digests,
            "finished": not self._stop,
            "found": counts.found,
            **{status: counts.inputs[status] for status in ("done", "skipped", "failed")},
            "confirmed_share": counts.shares(),
            "seconds": round(seconds, 2),
            "inputs_per_second": round(done / seconds, 1) if seconds else 0.0,
        }
        try:
            _write_json(self.out / RUN, told)
            picture = sheet.draw(self.out / REPORT, self.out, self.targets)
            if picture is not None:
                picture.save(self._sheet)
            if self.report and self.report != "-":
                _copy_report(self.out / REPORT, Path(self.report))
        except OSError as error:
            place = error.filename or self._sheet
            raise OutputError(f"{place}: cannot be written: {error.strerror}") from None
        self._summarise(counts)

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
    sys.stdout.write(json.dumps(typed(row)) + "\n")
    sys.stdout.flush()


def _copy_report(journal: Path, place: Path) -> None:
    if place.suffix == ".csv":
        if place.resolve() != journal.resolve():
            shutil.copyfile(journal, place)
        return
    with place.open("w", encoding="utf-8") as file:
        for row in read(journal):
            file.write(json.dumps(typed(row)) + "\n")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
