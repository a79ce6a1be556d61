"""The lines that a call prints at its end: counts, reasons, and what to do next."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cctranslate.batch.call.options import Options
from cctranslate.batch.outputs.folder import PAGE, REPORT
from cctranslate.batch.report.cell_types import readable
from cctranslate.batch.report.counts import Counts, too_few_confirmed, too_many_failed
from cctranslate.batch.report.row import STATUSES, Row
from cctranslate.files.paths import real_path

_MOST = 8
"""Most reasons that are listed; the report has all."""


@dataclass
class Reasons:
    """Failures and skips, grouped by reason, with an example of each."""

    groups: dict[tuple[str, str], tuple[int, str, str]] = field(default_factory=dict)
    """By status and by the reason without its figures: a count, the reason, an input's name."""

    def add(self, rows: Sequence[Row]) -> None:
        """Note the rows that a call made of an input."""
        row = rows[0]
        if row.status == "done" or row.reason is None:
            return
        key = row.status, re.sub(r"\d+", "", row.reason)
        count, reason, example = self.groups.get(key, (0, row.reason, row.source))
        self.groups[key] = count + 1, reason, example

    def clear(self) -> None:
        """Remove all groups."""
        self.groups.clear()

    def lines(self) -> Iterator[str]:
        """Return a line for each group, the largest first."""
        ordered = sorted(self.groups.items(), key=lambda group: -group[1][0])
        for (status, _), (count, reason, example) in ordered[:_MOST]:
            named = f" {example}: " in f" {reason}"
            name = "" if named else f", for example {readable(example)}"
            yield f"  {status:9}{count:6} x {readable(reason)}{name}"
        if len(ordered) > _MOST:
            yield f"  and {plural(len(ordered) - _MOST, 'more reason')}: see the report"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 input`, `2 inputs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def counted_inputs(counts: Counts) -> str:
    """Return the number of inputs, in all and by status."""
    by_status = ", ".join(f"{counts.inputs[status]:,} {status}" for status in STATUSES)
    return f"{plural(counts.found, 'input')}: {by_status}"


def confirmed_fractions(counts: Counts) -> Iterator[str]:
    """Yield a line for each target with the confirmed fraction of its results."""
    for emotion, fraction in counts.confirmed_fractions().items():
        yield f"  {emotion:9}{fraction:7.1%} of {counts.results[emotion]:,} confirmed"


def lines(
    options: Options,
    counts: Counts,
    reasons: Reasons,
    *,
    resumed: bool,
    inputs: int,
    results: int,
    altered: int,
) -> Iterator[str]:
    """Yield the lines to print at the end of a call.

    Args:
        options: The call's options.
        counts: Counts of the whole report.
        reasons: Failures and skips of the whole report.
        resumed: Whether earlier calls ended inputs.
        inputs: Inputs that this call ended.
        results: Results that this call made.
        altered: Results that the user changed since they were written.
    """
    earlier = ""
    if resumed:
        new_results = plural(results, "new result")
        earlier = (
            f" ({inputs:,} in this call, {counts.found - inputs:,} from before; {new_results})"
        )
    yield counted_inputs(counts) + earlier
    yield from reasons.lines()
    yield from confirmed_fractions(counts)
    yield from _not_written(options, counts)
    if altered:
        was = "was" if altered == 1 else "were"
        yield (
            f"{plural(altered, 'result')} {was} altered since, and left: remove a file to have it "
            "made again"
        )
    if options.out_file and counts.written.total():
        yield f"result in {options.out_file}"
    if options.stream:
        return
    out = options.destination
    others = f", those not confirmed in {options.unconfirmed_to}" if options.unconfirmed_to else ""
    page = f", page in {out / PAGE}" if options.html else ""
    yield f"results in {out}{others}, report in {out / REPORT}{page}{_sheet(options)}"
    if counts.inputs["failed"]:
        yield "the same command with --retry-failed does the failed ones again"


def _sheet(options: Options) -> str:
    path = options.sheet_path
    if options.no_sheet or not path.is_file():  # as none is drawn of no result
        return ""
    as_named = options.destination.parent / path.name
    return f", contact sheet in {as_named if real_path(as_named) == path else path}"


def missing_results(
    missing: Mapping[str, int], short: Mapping[str, int], left_out: int
) -> Iterator[str]:
    """Yield the lines that say what `--balance` makes, and how many inputs it leaves out.

    Args:
        missing: The results that it makes, by target.
        short: The results that lack a face to make them of, by target.
        left_out: Inputs for validation or tests.
    """
    if left_out:
        yield f"{plural(left_out, 'input')} for validation or tests left out"
    results = _by_target(missing)
    yield f"results to make, up to the size of the largest class: {results or 'none'}"
    if short:
        yield (
            "no faces are left to make these of, as inputs failed or were skipped: "
            f"{_by_target(short)}"
        )


def _by_target(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {target}" for target, count in counts.items())


def missed(options: Options, counts: Counts) -> list[str]:
    """Return a line for each threshold that a run missed."""
    if too_many_failed(counts, options.max_failures, ended=True):
        line = f"{counts.inputs['failed']:,} failed, --max-failures {options.max_failures}"
        if not options.stream:  # which keeps no report
            line += ": see their reasons in the report; --retry-failed does them again"
        return [line]
    low = too_few_confirmed(counts, options.min_confirmed)
    return [
        f"{target}: {fraction:.1%} confirmed, --min-confirmed {options.min_confirmed}"
        for target, fraction in low.items()
    ]


def _not_written(options: Options, counts: Counts) -> Iterator[str]:
    """Yield a line with the number of results that were not written, and why, if there are any."""
    count = counts.results.total() - counts.written.total()
    if not count or options.unconfirmed_to:  # where the others may lie
        return
    reasons = ["not confirmed"] * options.confirmed_only
    if options.per_class:
        reasons.append(f"beyond --per-class {options.per_class}")
    verb = "was" if count == 1 else "were"
    yield f"{plural(count, 'result')} {verb} not written: {' or '.join(reasons)}"
