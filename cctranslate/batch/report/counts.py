"""Count a report's rows, and compare the counts with a run's thresholds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from cctranslate.batch.report.row import Disposition, Row
from cctranslate.emotions import EMOTIONS

LEAST_FOR_PERCENTAGE = 100
"""Inputs that must have ended before a percentage of failures counts."""
Heat = dict[str, dict[str, list[int]]]
"""For a source's expression and a target: the confirmed results, and all of them."""


@dataclass
class Counts:
    """Counts of inputs by status, and of results by target."""

    inputs: Counter[str] = field(default_factory=Counter)
    """Inputs by status."""
    results: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    """Results by target that were written to OUT itself: they count towards `--per-class`."""
    targets: Counter[str] = field(default_factory=Counter)
    """Rows by target, with those of skipped faces."""
    rows: int = 0
    faces: int = 0
    """Number of faces, plus inputs without a face."""
    faces_done: int = 0
    by_label: Heat = field(default_factory=dict)
    """By the expression that the source's folder or dataset names."""
    by_prediction: Heat = field(default_factory=dict)
    """By the expression that the judge reads in the source."""

    def add(self, rows: Sequence[Row], *, has_earlier_rows: bool = False) -> None:
        """Count the rows that a call made of an input.

        `has_earlier_rows` says that an earlier call made others of it.
        """
        if not rows:
            return
        if not has_earlier_rows:
            self.inputs[rows[0].status] += 1
        elif rows[0].status == "failed":  # results of earlier calls stay
            self.inputs["done"] -= 1
            self.inputs["failed"] += 1
        self.rows += len(rows)
        self.faces += len({row.face for row in rows})
        self.faces_done += len({row.face for row in rows if row.status == "done"})
        for row in rows:
            if row.target:
                self.targets[row.target] += 1
                if row.status == "done":
                    self._add_result(row, row.target)

    def merge(self, other: "Counts") -> None:
        """Add the counts of other inputs."""
        for name in ("inputs", "results", "confirmed", "written", "targets"):
            getattr(self, name).update(getattr(other, name))
        self.rows += other.rows
        self.faces += other.faces
        self.faces_done += other.faces_done
        for heat, other_heat in (
            (self.by_label, other.by_label),
            (self.by_prediction, other.by_prediction),
        ):
            for source, targets in other_heat.items():
                for target, (confirmed, results) in targets.items():
                    cell = heat.setdefault(source, {}).setdefault(target, [0, 0])
                    cell[0] += confirmed
                    cell[1] += results

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return counts from their `vars` after a JSON round trip."""
        counts = cls()
        for name, value in record.items():
            is_counter = isinstance(getattr(counts, name), Counter)
            setattr(counts, name, Counter(value) if is_counter else value)
        return counts

    def _add_result(self, row: Row, target: str) -> None:
        confirmed = bool(row.confirmed)
        self.results[target] += 1
        self.confirmed[target] += confirmed
        self.written[target] += row.disposition is Disposition.WRITTEN
        for heat, source in (
            (self.by_label, row.source_label),
            (self.by_prediction, row.source_predicted),
        ):
            cell = heat.setdefault(source or "unknown", {}).setdefault(target, [0, 0])
            cell[0] += confirmed
            cell[1] += 1

    @property
    def found(self) -> int:
        """Number of inputs: each ends as exactly one of done, skipped and failed."""
        return self.inputs.total()

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some failed, 3 no picture found."""
        if self.inputs["failed"]:
            return 1
        return 0 if self.inputs["done"] else 3

    def confirmed_fractions(self) -> dict[str, float]:
        """Return the confirmed fraction of each target's results."""
        return {
            emotion: round(self.confirmed[emotion] / self.results[emotion], 4)
            for emotion in EMOTIONS
            if self.results[emotion]
        }


def count(inputs: Iterable[Sequence[Row]]) -> Counts:
    """Return the counts of the rows of each input."""
    counts, earlier = Counts(), None
    for rows in inputs:
        counts.add(rows, has_earlier_rows=rows[0].source == earlier)
        earlier = rows[0].source
    return counts


def too_many_failed(counts: Counts, limit: str | None, *, ended: bool) -> bool:
    """Return whether more inputs failed than `limit` allows: N, or P% of those that have ended."""
    failed = counts.inputs["failed"]
    if limit is None:
        return False
    if not limit.endswith("%"):
        return failed > int(limit)
    settled = ended or counts.found >= LEAST_FOR_PERCENTAGE
    return settled and failed * 100 > float(limit.removesuffix("%")) * counts.found


@dataclass(frozen=True)
class FailureLimit:
    """How many inputs may fail until a run ends."""

    counts: Counts
    """Of the report so far."""
    limit: str | None
    """`--max-failures`."""

    def is_passed(self) -> bool:
        """Return whether enough inputs failed to end the run."""
        return too_many_failed(self.counts, self.limit, ended=False)

    @property
    def left(self) -> int | None:
        """How many inputs may still fail; None if that depends on how many do not."""
        if self.limit is None or self.limit.endswith("%"):
            return None
        return max(int(self.limit) - self.counts.inputs["failed"], 0)


def too_few_confirmed(counts: Counts, fraction: float | None) -> dict[str, float]:
    """Return the confirmed fraction of each target for which it is below `fraction`."""
    if fraction is None:
        return {}
    return {to: part for to, part in counts.confirmed_fractions().items() if part < fraction}
