"""The runner that translates in blocks: on a cluster, or where OUT is in a store.

In a store files cannot grow. So the rows of a block are a file, and are joined at the end.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

from cctranslate.batch.call.options import Options
from cctranslate.batch.outputs.fer_csv import FerCsvWriter
from cctranslate.batch.outputs.folder import REPORT
from cctranslate.batch.pipeline import remaining
from cctranslate.batch.report.counts import Counts, too_many_failed
from cctranslate.batch.report.row import Row
from cctranslate.batch.runners.blocks import joining
from cctranslate.batch.runners.blocks.blocks import Blocks
from cctranslate.batch.runners.blocks.planning import Planner
from cctranslate.batch.runners.blocks.row_files import read_counts
from cctranslate.batch.runners.blocks.work_folder import BlockPlan, WorkFolder
from cctranslate.batch.runners.runner import Call
from cctranslate.errors import OptionError, OutputError, UserError
from cctranslate.files.remote import is_remote
from cctranslate.files.writing import AppendOnlyFile

_INPUTS = ("inputs", "files_from", "null", "include", "exclude", "limit", "retry_failed")
"""Options that decide which inputs are in a plan."""


class BlockRunner:
    """Translates the inputs of a call in blocks."""

    def __init__(self, blocks: Blocks) -> None:
        """Use an executor of blocks."""
        self._blocks = blocks
        self.provider: str = blocks.provider
        self.engine: str = blocks.engine
        self._plan: BlockPlan | None = None
        self._request: dict[str, Any] = {}

    def prepare(self, options: Options, requested: dict[str, Any]) -> None:
        """Resume the plan in OUT if this call would write the same one; else join its rows.

        Raises:
            OptionError: Another version wrote the plan.
            OutputError: OUT cannot be written.
        """
        folder = WorkFolder(options.destination)
        self._request = _request(options, requested)
        if options.overwrite:
            folder.remove()
            return
        plan = folder.read()
        if plan is None:
            return
        _check_report(options.out / REPORT, plan.base)
        # Rows that an interrupted call joined are dropped, and joined again with all others.
        report = AppendOnlyFile(options.out / REPORT, plan.base)
        if plan.request == self._request:
            report.close()
            self._plan = plan
            return
        with _shared_table(options, plan.last_outputs) as table:
            rows = joining.join(folder, plan, Counts())
            for lines in joining.lines(rows, table, lambda _: None, False):
                report.add(lines)
        report.close()
        folder.remove()

    def translate(self, call: Call) -> bool:
        """Translate every input; return whether none is left.

        An earlier call's plan is finished first, so that its rows follow the order of its inputs.
        Then new inputs are planned and translated.

        Raises:
            OutputError: Results or rows cannot be written any more; inputs with a row are done.
            WorkersError: Ray gave up; inputs with a row are done.
        """
        for line in self._blocks.notes():
            call.echo(line)
        with _shared_table(call.options, call.journal.resume.last_outputs) as table:
            if self._plan and not self._run(call, self._plan, table, earlier=True):
                return False
            plan = self._make_plan(call)
            ended = not (call.interrupt.requested or call.limit.is_passed())
            if plan is None or not ended:
                WorkFolder(call.options.destination).remove()
                return ended
            return self._run(call, plan, table, earlier=False)

    def _make_plan(self, call: Call) -> BlockPlan | None:
        """Write a plan of the inputs that are left; return None if there are none."""
        options, resume = call.options, call.journal.resume
        items = (item for item in remaining(call.items(), resume) if item)
        first = next(items, None)
        if first is None:
            return None
        folder = WorkFolder(options.destination)
        folder.make()
        call.save()  # the report, as the plan refers to its length
        planner = Planner(folder, options.result_layout, call.names)
        planner.write(chain([first], items), len(options.plan.variants), self._blocks.workers)
        tars = map(options.result_layout.position, resume.last_outputs)
        plan = BlockPlan(
            request=self._request,
            blocks=planner.blocks,
            inputs=planner.inputs,
            base=call.journal.end,
            first_tar=1 + max((tar for tar in tars if tar is not None), default=-1),
            last_outputs=tuple(sorted(resume.last_outputs)),
        )
        folder.write(plan)
        return plan

    def _run(
        self, call: Call, plan: BlockPlan, table: FerCsvWriter | None, *, earlier: bool
    ) -> bool:
        """Translate the unfinished blocks of a plan, and join all rows; return whether all are.

        Args:
            call: The call.
            plan: The plan.
            table: Takes the results in a layout where all inputs share a file.
            earlier: Whether an earlier call made the plan.
        """
        folder = WorkFolder(call.options.destination)
        try:
            self._do_blocks(call, folder, plan)
        except UserError:
            # The user needs the first error, not errors in writing that follow from it.
            with suppress(OutputError):
                _join(call, folder, plan, table, earlier)
            raise
        _join(call, folder, plan, table, earlier)
        if len(folder.finished(plan)) < plan.blocks:
            return False
        call.save()
        folder.remove()
        return True

    def _do_blocks(self, call: Call, folder: WorkFolder, plan: BlockPlan) -> None:
        options = call.options
        done = set(folder.finished(plan))
        counts = Counts()
        counts.merge(call.journal.counts)
        for number in done:
            inputs, counted = read_counts(folder.rows(number))
            call.on_done(inputs)
            counts.merge(counted)
        unfinished = [number for number in range(plan.blocks) if number not in done]
        if not unfinished:
            return
        blocks = self._blocks.translate(options, plan.first_tar, unfinished)
        with closing(blocks):
            for inputs, counted in call.interrupt.until(blocks):
                counts.merge(counted)
                call.on_done(inputs)
                if too_many_failed(counts, options.max_failures, ended=False):
                    return


def _request(options: Options, requested: dict[str, Any]) -> dict[str, Any]:
    """Return the options that decide the content of a plan, as JSON data."""
    content: dict[str, Any] = {name: getattr(options, name) for name in _INPUTS}
    if options.files_from and not is_remote(options.files_from):
        with suppress(OSError):  # reading the list reports the error
            status = Path(options.files_from).stat()
            content["list"] = [status.st_size, status.st_mtime_ns]
    plain: dict[str, Any] = json.loads(json.dumps(requested | content | {"cwd": str(Path.cwd())}))
    return plain


def _check_report(path: Path, base: int) -> None:
    """Check that a report holds the rows from before a plan.

    Raises:
        OptionError: It does not.
    """
    if not path.is_file() or path.stat().st_size < base:
        raise OptionError(f"{path}: rows are missing: start anew with --overwrite")


@contextmanager
def _shared_table(options: Options, last: Iterable[str]) -> Iterator[FerCsvWriter | None]:
    """Open the file that all inputs share, in a layout that has one."""
    if options.layout != "fer-csv":
        yield None
        return
    with closing(FerCsvWriter(options.out, frozenset(last), options.soft_labels)) as table:
        yield table


def _join(
    call: Call, folder: WorkFolder, plan: BlockPlan, table: FerCsvWriter | None, earlier: bool
) -> None:
    """Append the rows of finished blocks to the report.

    Raises:
        OutputError: They cannot be appended.
    """
    counts = Counts()
    all_rows = earlier or call.options.report == "-"

    def show(rows: list[Row]) -> None:
        if earlier:  # the next plan must not repeat these inputs
            call.journal.resume.add_rows(rows)
            if rows[0].result_name:
                call.names.add(rows[0].result_name)
        if rows[0].status != "done" or call.options.report == "-":
            call.on_rows(rows)

    joined = joining.join(folder, plan, counts)
    for lines in joining.lines(joined, table, show, all_rows):
        call.journal.add_lines(lines, Counts())
    call.journal.add_lines(b"", counts)
