"""Finish a call: write the final report, its copy, `run.json`, the page and the contact sheet."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cctranslate.batch.call.open_earlier import open_earlier
from cctranslate.batch.call.options import Options
from cctranslate.batch.call.summary import Reasons
from cctranslate.batch.gallery import contact_sheet, html_page
from cctranslate.batch.manifest import RunFacts, manifest
from cctranslate.batch.outputs.encoding import png_mark
from cctranslate.batch.outputs.folder import PAGE, REPORT, REQUESTED, TO, read_run, write_run
from cctranslate.batch.report import formats
from cctranslate.batch.report.compaction import JoinedReport
from cctranslate.batch.report.counts import Counts, count
from cctranslate.batch.report.journal import Journal
from cctranslate.batch.report.row import Row
from cctranslate.batch.runners.blocks.work_folder import WorkFolder
from cctranslate.files.paths import real_path
from cctranslate.files.writing import FULL, replacing, unwritable


def finish(options: Options, journal: Journal, facts: RunFacts, reasons: Reasons) -> Counts:
    """Write all files beside the results, and return the counts of the whole report.

    Args:
        options: The call's options.
        journal: The report.
        facts: What the call ran with, and how it ended.
        reasons: The reasons of the journal's rows. They are replaced if rows are joined.

    Raises:
        OutputError: Something cannot be written.
    """
    journal.close()
    out, counts = options.out, _join_rows(options, journal, reasons)
    content = manifest(options, facts, counts, read_run(out))
    write_run(out, content)
    if not options.stream:
        if not options.no_sheet:
            _draw_sheet(options, counts, content[REQUESTED][TO])
        if options.html:
            html_page.write(
                out / PAGE, out / REPORT, counts, content, in_store=options.store is not None
            )
        else:
            html_page.remove(out / PAGE)  # a page of an earlier call would be outdated
    if options.report_copy:
        formats.copy(out / REPORT, options.report_copy)
    return counts


def _join_rows(options: Options, journal: Journal, reasons: Reasons) -> Counts:
    """Join the rows that several calls made of an input, and remove superseded results.

    Return the counts of the report that results, whose reasons replace `reasons`.
    """
    # An unfinished block plan refers to byte offsets of the report: do not rewrite it yet.
    if not journal.resume.needs_compaction or WorkFolder(options.destination).read():
        return journal.counts
    earlier = open_earlier(options)
    earlier.remove_superseded(
        JoinedReport(journal.path, journal.resume.earlier_key, earlier.is_there)
    )
    reasons.clear()
    return count(_collecting_reasons(journal.path, reasons))


def _collecting_reasons(report: Path, reasons: Reasons) -> Iterator[list[Row]]:
    """Yield the rows of each input, and add their reasons."""
    for rows, _ in formats.read_inputs(report):
        reasons.add(rows)
        yield rows


def _draw_sheet(options: Options, counts: Counts, targets: Sequence[str]) -> None:
    variants = replace(options.plan, targets=tuple(targets)).variants
    picture = contact_sheet.draw(
        options.out / REPORT, options.destination, variants, counts.faces_done
    )
    if picture is None:
        return
    try:
        with replacing(real_path(options.sheet_path)) as file:
            picture.save(file, "png", pnginfo=png_mark())
    except OSError as error:
        message = unwritable(options.sheet_path, error)
        if options.sheet:
            raise message from None
        # OUT may be mounted into a folder that cannot be written to, as in a container.
        then = "" if error.errno in FULL else ": name a --sheet, or leave it out by --no-sheet"
        warnings.warn(f"{message}{then}", stacklevel=2)
