"""Translate a block in a worker: write its results, then its rows.

A block may be started several times, after a kill or by two workers at once: its results have
fixed names and content, and its rows are a single file.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from cctranslate import bundle
from cctranslate.batch import pipeline
from cctranslate.batch.call.options import Options
from cctranslate.batch.items import Item
from cctranslate.batch.outputs.fer_csv import CsvPacker
from cctranslate.batch.outputs.file_writer import FileWriter
from cctranslate.batch.outputs.layout import Names
from cctranslate.batch.outputs.webdataset import BlockTarWriter
from cctranslate.batch.outputs.writers import Writer
from cctranslate.batch.pipeline import Sinks
from cctranslate.batch.report.counts import Counts, FailureLimit
from cctranslate.batch.report.row import Row
from cctranslate.batch.runners.blocks.plan_files import read_block
from cctranslate.batch.runners.blocks.row_files import BlockRows, read_counts
from cctranslate.batch.runners.blocks.work_folder import WorkFolder
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.batch.stages.setup import make_worker_tasks
from cctranslate.batch.workers.ordered_map import OrderedPool
from cctranslate.errors import OutputError, WorkersError
from cctranslate.faces.detector import FaceDetector
from cctranslate.files.paths import make_folder
from cctranslate.files.writing import unwritable
from cctranslate.inference.engines import Engine
from cctranslate.inference.models import TranslationModels

REQUESTS = 32
"""Results that are written to a store at once."""
MOST_ATTEMPTS = 10
"""Most starts of a block: a picture that kills its worker must not do so forever."""


@dataclass(frozen=True, kw_only=True)
class WorkerSetup:
    """What every worker of a run needs."""

    options: Options
    folder: Path
    """The working directory of the call, from which relative paths start."""
    device: str
    engine: Engine
    threads: int
    """Processors for a worker."""
    first_tar: int
    """The number of the first block's tar."""


@dataclass(kw_only=True)
class _RowContentWriter:
    """Stores packed results with the rows, from which the command joins them to one file."""

    rows: BlockRows
    packer: CsvPacker

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Hand an input's results to `BlockRows`, which gets its rows next."""
        self.rows.content = content
        return rows

    def close(self) -> None:
        """Do nothing: no file is open."""


class BlockTranslator:
    """Translates blocks, with the models loaded once."""

    def __init__(self, setup: WorkerSetup, models: TranslationModels | None = None) -> None:
        """Load the models, unless they are passed.

        Raises:
            BundleError, DeviceError: They cannot be used on this node.
            OutputError: This node cannot see the call's folders.
        """
        self._setup, self._options = setup, setup.options
        _enter(setup)
        self._out = setup.options.destination
        self._folder = WorkFolder(self._out)
        if self._folder.read() is None:
            raise OutputError(
                f"{self._out}: a node of the cluster does not see what is there: use a "
                "folder that all nodes share"
            )
        options = setup.options
        self._detector = FaceDetector()
        self._models = models or TranslationModels(
            bundle.load(options.weights or bundle.shipped()),
            setup.device,
            options.batch_size,
            setup.engine,
            options.precision,
            setup.threads,
        )

    def translate(self, number: int) -> tuple[int, Counts]:
        """Translate a block; return the number of its inputs, and the counts of their rows.

        Raises:
            OutputError: Results cannot be written.
            DeviceError: Memory is short, or the device failed.
            WorkersError: The block was started too often.
        """
        path = self._folder.rows(number)
        try:
            if path.exists():
                return read_counts(path)
            self._note_attempt(number)
            items, reserved = read_block(self._folder.block(number))
        except OSError as error:
            raise unwritable(self._folder.path, error) from None
        rows = BlockRows(
            numbers=[number for number, _ in items],
            have_earlier_rows=[item.has_earlier_rows for _, item in items],
        )
        names = Names()
        for name in reserved:
            names.add(name)
        self._translate(number, [item for _, item in items], rows, names)
        try:
            rows.write(path)
        except OSError as error:
            raise unwritable(path, error) from None
        return len(items), rows.counts

    def _translate(self, number: int, items: list[Item], rows: BlockRows, names: Names) -> None:
        """Write the results of a block's items, and add their rows to `rows`."""
        writer = self._writer(number, rows)
        work = make_worker_tasks(self._options, self._detector, writer, self._models.provider)
        work = replace(work, pickled=False, all_rows=True)
        count = max(self._setup.threads, REQUESTS) if self._options.store else self._setup.threads
        with OrderedPool(work, count, processes=False) as pool:
            pipeline.run(
                items,
                models=self._models,
                selector=ResultSelector(
                    self._options.plan, self._options.unconfirmed_disposition, None, {}
                ),
                pool=pool,
                sinks=Sinks(writer=writer, rows=rows, on_rows=_ignore, on_done=_ignore),
                names=names,
                limit=FailureLimit(rows.counts, None),
            )
        writer.close()  # not after an error: a partial tar must keep its hidden name

    def _writer(self, number: int, rows: BlockRows) -> Writer:
        options = self._options
        match options.layout:
            case "webdataset":
                return BlockTarWriter(self._out, options.encoding, self._setup.first_tar + number)
            case "fer-csv":
                packer = CsvPacker(soft_labels=options.soft_labels)
                return _RowContentWriter(rows=rows, packer=packer)
            case "imagefolder" | "tree":
                return FileWriter(out=self._out, encoding=options.encoding)
            case layout:
                assert_never(layout)

    def _note_attempt(self, number: int) -> None:
        """Count the starts of a block.

        Raises:
            WorkersError: Too often.
        """
        attempts = self._folder.attempts(number)
        make_folder(attempts)
        count = sum(1 for _ in attempts.iterdir()) if attempts.is_dir() else 0
        if count >= MOST_ATTEMPTS:
            raise WorkersError(
                f"{self._folder.block(number)}: its workers were killed {count} times, as the "
                "system does when memory is short: the same command goes on; give it fewer "
                "--workers, or nodes with more memory"
            )
        (attempts / str(count)).write_bytes(b"begun")


def _enter(setup: WorkerSetup) -> None:
    """Change to the working directory of the call.

    Raises:
        OutputError: This node cannot see that folder.
    """
    try:
        os.chdir(setup.folder)
    except OSError as error:
        if setup.options.store is None:  # else all paths may be URLs
            raise OutputError(
                f"{setup.folder}: a node of the cluster cannot see it: {error.strerror}: use a "
                "folder that all nodes share"
            ) from None


def _ignore(value: object) -> None:
    """Do nothing: rows go to the block's file."""
