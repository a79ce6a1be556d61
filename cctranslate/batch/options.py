"""What a call of `batch` was asked for: its options, and what follows from them."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from cctranslate.batch.inputs import job_array, sources
from cctranslate.batch.inputs.decoding import Where
from cctranslate.batch.inputs.exclusions import Own
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.outputs.encoding import SUFFIXES, Encoding
from cctranslate.batch.outputs.fer_csv import FerCsv
from cctranslate.batch.outputs.layout import Kind, Layout
from cctranslate.batch.outputs.stdout import Members, Stdout
from cctranslate.batch.outputs.webdataset import Samples, Shards
from cctranslate.batch.outputs.writers import Files, Writer
from cctranslate.batch.report.schema import Disposition
from cctranslate.inference.variants import Plan

Wanted = Literal["picture", "face"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options by the command's names for them, `targets` being those of `--to`."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    out: Path
    layout: Kind
    faces: Where
    result: Wanted
    metadata: Literal["keep", "drop"]
    files_from: str | None
    null: bool
    strength: tuple[float, ...]
    samples: int
    seed: int
    best_of: int
    min_confidence: float | None
    confirmed_only: bool
    unconfirmed_to: Path | None
    per_class: int | None
    min_confirmed: float | None
    max_failures: str | None
    format: str
    report: str | None
    html: bool
    sheet: Path | None
    device: str
    batch_size: int | None
    workers: int | None
    processes: bool | None
    overwrite: bool
    retry_failed: bool
    weights: Path | None
    shard: job_array.Share | None
    limit: int | None
    dry_run: bool
    no_mark: bool
    no_progress: bool
    quiet: bool
    verbose: bool
    stream: bool
    """Results go to standard output; `out` is a folder for the run's own files alone."""

    @property
    def plan(self) -> Plan:
        """What to make of each face."""
        return Plan(
            targets=self.targets,
            strengths=tuple(sorted({abs(s) for s in self.strength})),  # -0 is 0
            samples=self.samples,
            best_of=self.best_of,
            seed=self.seed,
            min_confidence=self.min_confidence,
        )

    @property
    def places(self) -> Layout:
        """Where results lie in OUT."""
        tagged = self.plan.strengths != (1,)
        return Layout(
            kind=self.layout,
            suffix=SUFFIXES[self.format],
            tagged=tagged,
            sampled=self.samples > 1,
            apart=self.result == "face",
            aside=Path(os.path.relpath(self.aside, self.out.resolve())).as_posix()
            if self.aside
            else "",
        )

    @property
    def aside(self) -> Path | None:
        """Where results go that the judge denied, if they go elsewhere."""
        return self.unconfirmed_to.resolve() if self.unconfirmed_to else None

    @property
    def denied(self) -> Disposition:
        """What becomes of results that the judge denies."""
        if self.unconfirmed_to:
            return Disposition.SET_ASIDE
        return Disposition.DROPPED if self.confirmed_only else Disposition.WRITTEN

    def writer(self, last: frozenset[str]) -> Writer:
        """What writes results; `last` are the outputs of the last input that has any.

        Raises:
            OutputError: they are not there, or what comes after them cannot be taken away.
        """
        encoding = Encoding(format=self.format, mark=not self.no_mark)
        if self.stream:
            return self._stdout(encoding)
        if self.layout == "webdataset":
            return Shards(self.out, encoding, last)
        if self.layout == "fer-csv":
            return FerCsv(self.out, last)
        return Files(out=self.out, encoding=encoding)

    def _stdout(self, encoding: Encoding) -> Stdout:
        if self.layout == "webdataset":
            return Stdout(Samples(encoding=encoding), one=False)
        one = len(self.inputs) == len(self.plan.variants) == 1 and sources.is_one(self.inputs[0])
        return Stdout(Members(encoding=encoding, one=one), one)

    @property
    def copy(self) -> Path | None:
        """Where a copy of the report goes, if it is a file."""
        return Path(self.report) if self.report and self.report != "-" else None

    @property
    def sheet_place(self) -> Path:
        """Where the contact sheet goes."""
        out = self.out.resolve()
        return self.sheet or out.with_name(f"{out.name}-sheet.png")

    def items(self) -> Iterator[Item]:
        """The inputs as a stream.

        Raises:
            InputError: a list or folder that cannot be read.
        """
        items: Iterable[Item] = (
            sources.from_list(self.files_from, self.null, self._own)
            if self.files_from
            else sources.from_inputs(self.inputs, self._own)
        )
        if self.shard:
            share = self.shard
            items = (item for item in items if job_array.holds(share, item.source))
        return islice(items, self.limit)

    @property
    def _own(self) -> Own:
        """What is written, and never an input."""
        return Own(filter(None, (self.out, self.sheet_place, self.aside, self.copy)))

    def identity(self, digests: dict[str, str], detector: str) -> dict[str, Any]:
        """What two calls must share to be one run: not how it is computed, but what is made."""
        return {
            # A shell's `*.png` names the sheet of the call before, too.
            "INPUT": [word for word in self.inputs if not self._own.holds(Path(word))],
            "--files-from": self.files_from,
            "--to": list(self.targets),
            "--strength": list(self.plan.strengths),
            "--samples": self.samples,
            "--best-of": self.best_of,
            "--seed": self.seed,
            "--min-confidence": self.min_confidence,
            "--confirmed-only": self.confirmed_only,
            "--unconfirmed-to": str(self.aside) if self.aside else None,
            "--per-class": self.per_class,
            "--layout": self.layout,
            "--faces": self.faces,
            "--result": self.result,
            "--metadata": self.metadata,
            "--format": self.format,
            "--no-mark": self.no_mark,
            "--shard": list(self.shard) if self.shard else None,
            "bundle (--weights)": digests,
            "detector": detector,
        }

    def as_json(self) -> dict[str, Any]:
        """Every option, for `run.json`."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in vars(self).items()
        }
