"""Tell people at the end of a call what came of it, why, and what to do next."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cctranslate.batch.options import Options
from cctranslate.batch.outputs.folder import PAGE, REPORT
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.row import Row
from cctranslate.batch.report.schema import readable

_MOST = 8
"""Reasons that are listed; the report has all."""


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

    def lines(self) -> Iterator[str]:
        """Return a line for each group, the largest first."""
        ordered = sorted(self.groups.items(), key=lambda group: -group[1][0])
        for (status, _), (count, reason, example) in ordered[:_MOST]:
            name = "" if example in reason else f", for example {readable(example)}"
            yield f"  {status:9}{count:6} x {readable(reason)}{name}"
        if len(ordered) > _MOST:
            yield f"  and {len(ordered) - _MOST} more reasons: see the report"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 input`, `2 inputs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def lines(
    options: Options, counts: Counts, reasons: Reasons, *, resumed: int, results: int, altered: int
) -> Iterator[str]:
    """Return what to tell at the end of a call, a line each.

    Args:
        options: The call's options.
        counts: Counts of the whole report.
        reasons: Failures and skips of the whole report.
        resumed: Inputs that earlier calls ended.
        results: Results that this call made.
        altered: Results that somebody changed since they were written.
    """
    inputs = counts.inputs
    ends = ", ".join(f"{inputs[status]:,} {status}" for status in ("done", "skipped", "failed"))
    before = ""
    if resumed:
        made = plural(results, "new result")
        before = f" ({counts.found - resumed:,} new, {resumed:,} from before; {made})"
    yield f"{plural(counts.found, 'input')}: {ends}{before}"
    yield from reasons.lines()
    for emotion, fraction in counts.confirmed_fractions().items():
        yield f"  {emotion:9}{fraction:7.1%} of {counts.results[emotion]:,} confirmed"
    if altered:
        was = "was" if altered == 1 else "were"
        yield (
            f"{plural(altered, 'result')} {was} altered since, and left: remove a file to have it "
            "made again"
        )
    if options.out_file and inputs["done"]:
        yield f"result in {options.out_file}"
    if options.stream:
        return
    out = options.destination
    page = f", page in {out / PAGE}" if options.html else ""
    yield f"results in {out}, report in {out / REPORT}{page}"
    if inputs["failed"]:
        yield "the same command with --retry-failed does the failed ones again"
