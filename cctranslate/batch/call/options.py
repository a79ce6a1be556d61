"""The options of a call of `batch`, and values that follow from them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from cctranslate.batch.inputs.decoding import FaceMode
from cctranslate.batch.inputs.exclusions import OutputPaths
from cctranslate.batch.inputs.job_array import Shard
from cctranslate.batch.outputs.encoding import SUFFIXES, Encoding
from cctranslate.batch.outputs.folder import path_from
from cctranslate.batch.outputs.layout import Layout, LayoutName
from cctranslate.batch.report.row import Disposition
from cctranslate.faces.crops import FaceChoice
from cctranslate.files.paths import real_path
from cctranslate.files.remote import open_path
from cctranslate.inference.engines import Engine
from cctranslate.inference.openvino_graphs import Precision
from cctranslate.inference.variants import Plan

ResultKind = Literal["picture", "face"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options by their names on the command line; `targets` are those of `--to`."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    out: Path
    """The output folder on a disk. If results go to a store, a temporary folder for the report and
    the run's other files."""
    store: Path | None
    """The output folder in a store, if results go there."""
    layout: LayoutName
    faces: FaceMode
    which: FaceChoice
    result: ResultKind
    metadata: Literal["keep", "drop"]
    files_from: str | None
    null: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    strength: tuple[float, ...]
    samples: int
    seed: int
    best_of: int
    min_confidence: float | None
    confirmed_only: bool
    unconfirmed_to: Path | None
    per_class: int | None
    balance: bool
    soft_labels: bool
    min_confirmed: float | None
    max_failures: str | None
    format: str
    quality: int | None
    report: str | None
    html: bool
    sheet: Path | None
    no_sheet: bool
    device: str
    engine: Engine
    precision: Precision
    runner: Literal["local", "ray"]
    batch_size: int | None
    workers: int | None
    processes: bool | None
    overwrite: bool
    retry_failed: bool
    weights: Path | None
    shard: Shard | None
    limit: int | None
    dry_run: bool
    no_mark: bool
    no_progress: bool
    quiet: bool
    verbose: bool
    stream: bool
    """Whether results go to stdout or `out_file`; `out` is then a temporary folder for the run's
    other files."""
    out_file: Path | None
    """The file for the only result of one picture."""

    @cached_property
    def plan(self) -> Plan:
        """The results to make of each face."""
        return Plan(
            targets=self.targets,
            strengths=tuple(sorted({abs(s) for s in self.strength})),  # -0 is 0
            samples=self.samples,
            best_of=self.best_of,
            seed=self.seed,
            min_confidence=self.min_confidence,
        )

    @property
    def encoding(self) -> Encoding:
        """How result pictures are encoded."""
        return Encoding(format=self.format, mark=not self.no_mark, quality=self.quality)

    @cached_property
    def result_layout(self) -> Layout:
        """The names and paths of results in OUT."""
        folder = ""
        if self.unconfirmed_folder:
            folder = path_from(self.out, self.unconfirmed_folder)
        return Layout(
            kind=self.layout,
            suffix=SUFFIXES.get(self.format),
            names_strength=self.plan.strengths != (1,),
            names_sample=self.samples > 1,
            separate_faces=self.result == "face",
            unconfirmed_folder=folder,
        )

    @cached_property
    def unconfirmed_folder(self) -> Path | None:
        """The folder of unconfirmed results, if they have one."""
        return real_path(self.unconfirmed_to) if self.unconfirmed_to else None

    @property
    def unconfirmed_disposition(self) -> Disposition:
        """The disposition of results that are not confirmed."""
        if self.unconfirmed_to:
            return Disposition.SET_ASIDE
        return Disposition.DROPPED if self.confirmed_only else Disposition.WRITTEN

    @property
    def destination(self) -> Path:
        """The output folder, in a store or on a disk."""
        return self.store or self.out

    @property
    def report_copy(self) -> Path | None:
        """The file of `--report`, unless that is stdout."""
        return open_path(self.report) if self.report and self.report != "-" else None

    @cached_property
    def sheet_path(self) -> Path:
        """The file of the contact sheet."""
        out = self.store or real_path(self.out)
        return self.sheet or out.parent / f"{out.name}-sheet.png"  # a root has no name

    @cached_property
    def output_paths(self) -> OutputPaths:
        """All paths that the run writes, which are never inputs."""
        paths = (self.destination, self.sheet_path, self.unconfirmed_folder, self.report_copy)
        return OutputPaths(path for path in paths if path)
