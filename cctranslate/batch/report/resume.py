"""Resume a run: what earlier calls finished, and what remains to make of each input."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cctranslate.batch.items import STDIN, Item, Remainder
from cctranslate.batch.report.changes import (
    content_digest,
    may_have_changed,
    shortened,
    stamp_digest,
)
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.report.source_keys import source_key
from cctranslate.emotions import EMOTIONS
from cctranslate.files.remote import is_remote

_WITHOUT_RESULT = (1 << len(EMOTIONS) + 1) - 1
"""The targets of an input without a result: it counts as finished for all of them. One bit more
tells it from an input that has a result of each."""


@dataclass(frozen=True, slots=True)
class EarlierInput:
    """The finished results of one input."""

    targets: int
    """A bit for each expression, in FER2013's order."""
    stamp: int | None
    """A digest of its file's size and mtime; None where its rows do not agree."""
    content: int | None
    """A part of its content's digest; None where its rows do not agree, or have none."""
    name: str | None
    """The name of its results."""
    written: tuple[str, ...]
    """The targets of its results that count towards the quota of `--per-class`."""
    altered: tuple[str, ...]
    """Its outputs that the user changed since they were written."""


class ResumeState:
    """Collects what earlier calls finished, and tells what remains for this call."""

    def __init__(
        self,
        targets: Sequence[str],
        *,
        base: Path,
        is_there: Callable[[Row], bool],
        altered: Container[str],
        position: Callable[[str], int | None],
        checked_ns: int | None = None,
    ) -> None:
        """Begin without any earlier call.

        Args:
            targets: The expressions of this call.
            base: The folder from which the report's relative input paths start.
            is_there: Whether a row's result still exists; if not, it is made again.
            altered: Outputs that the user changed; `is_there` adds to them.
            position: Returns the number of the file or line of an output, in layouts that grow.
            checked_ns: The time since which every input with rows has been looked at again, in
                nanoseconds; None if that is not recorded.
        """
        self.needs_compaction = False
        """Whether an input has rows of several calls."""
        self.last_outputs: list[str] = []
        """The outputs with the highest position; one that a later call replaced comes twice."""
        self._base, self._targets = base, _bits(targets)
        self._is_there, self._altered = is_there, altered
        self._folder = Path.cwd()
        self._is_first_folder = base == self._folder
        self._position = position
        self._checked_ns = checked_ns
        self._met = 0
        self._last = -1
        self._earlier: dict[bytes, EarlierInput] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        """Equal tuples, shared to save memory with many inputs."""

    @property
    def inputs(self) -> int:
        """The number of inputs that earlier calls ended."""
        return len(self._earlier)

    @property
    def complete(self) -> int:
        """The number of inputs that have all of this call's targets."""
        return sum(self._targets & ~entry.targets == 0 for entry in self._earlier.values())

    @property
    def found_all(self) -> bool:
        """Whether all inputs that earlier calls ended are inputs of this call, too."""
        return self._met == len(self._earlier)

    def is_earlier(self, source: str) -> bool:
        """Return whether `add_rows` got rows of a source, as the report spells it, before."""
        return self.earlier_key(source) in self._earlier

    def add_rows(self, rows: Sequence[Row]) -> list[Row]:
        """Add the rows that an earlier call made of an input; return those whose result exists."""
        key = self.earlier_key(rows[0].source)
        lost_targets = {row.target for row in rows if not self._is_there(row)}
        targets = _bits(row.target for row in rows if row.target and row.target not in lost_targets)
        stamps = {stamp_digest(row.source_size, row.source_mtime_ns) for row in rows}
        contents = {shortened(row.source_sha256) for row in rows}
        written = tuple(
            row.target
            for row in rows
            if row.target
            and row.target not in lost_targets
            and row.disposition is Disposition.WRITTEN
        )
        entry = EarlierInput(
            written=self._shared.setdefault(written, written),
            targets=targets if rows[0].target else _WITHOUT_RESULT,
            stamp=stamps.pop() if len(stamps) == 1 else None,
            content=contents.pop() if len(contents) == 1 else None,
            name=rows[0].result_name,
            altered=tuple(
                {row.output for row in rows if row.output and row.output in self._altered}
            ),
        )
        earlier = self._earlier.get(key)
        self.needs_compaction |= earlier is not None or bool(lost_targets)
        if earlier:
            entry = replace(entry, altered=entry.altered + earlier.altered)
        if (
            earlier
            and earlier.targets != _WITHOUT_RESULT
            and (earlier.stamp, earlier.content) == (entry.stamp, entry.content)
        ):
            entry = replace(
                entry,
                targets=entry.targets | earlier.targets,
                written=entry.written + earlier.written,
            )
        self._earlier[key] = entry
        self._note_last(
            {row.output for row in rows if row.output and row.target not in lost_targets}
        )
        return [row for row in rows if row.target not in lost_targets]

    def _note_last(self, outputs: Iterable[str]) -> None:
        for output in outputs:
            position = self._position(output)
            if position is not None and position >= self._last:
                if position > self._last:
                    self.last_outputs, self._last = [], position
                self.last_outputs.append(output)

    def earlier_input(self, source: str) -> EarlierInput | None:
        """Return an input's finished results; None if no earlier call has a row of it."""
        return self._earlier.get(self.key(source))

    def results(self) -> Iterator[tuple[bytes, int]]:
        """Yield the key of each input and the targets of its results: a bit for each."""
        return ((key, _made(entry)) for key, entry in self._earlier.items())

    def failed(self) -> Iterator[bytes]:
        """Yield the key of each input that failed or was skipped."""
        return (key for key, entry in self._earlier.items() if entry.targets == _WITHOUT_RESULT)

    def results_of(self, source: str) -> int:
        """Return the targets of an input's results: a bit for each."""
        entry = self.earlier_input(source)
        return _made(entry) if entry else 0

    def remainder(self, key: bytes, item: Item) -> Remainder | None:
        """Return what remains to make of an input; None: everything, as it is new.

        `key` is the key of its source.
        """
        targets = (
            self._targets
            if item.chosen_targets is None
            else self._targets & _bits(item.chosen_targets)
        )
        entry = self._earlier.get(key)
        if entry is None and item.chosen_targets is None:
            return None
        if entry is None:
            return Remainder(
                has_earlier_rows=False, targets=_names(targets), result_name=None, replaces=False
            )
        self._met += 1
        stamp = item.stamp
        changed = stamp is not None and (
            entry.stamp != stamp_digest(stamp.size, stamp.mtime_ns)
            or (
                entry.content is not None  # else it failed, which --retry-failed is for
                and may_have_changed(stamp, self._checked_ns)
                and entry.content != content_digest(item)
            )
        )
        missing = targets & ~(0 if changed else entry.targets)
        self.needs_compaction |= missing != 0
        return Remainder(
            has_earlier_rows=True,
            targets=_names(missing),
            result_name=entry.name,
            replaces=changed,
            superseded=entry.written if changed else (),
            altered=entry.altered,
        )

    def needs_content(self, key: bytes, item: Item) -> bool:
        """Return whether `remainder` needs the content of an archive's member."""
        stamp = item.stamp if item.inner and key in self._earlier else None
        return stamp is not None and may_have_changed(stamp, self._checked_ns)

    def with_reported_path(self, item: Item) -> Item:
        """Return an item with a path for the report, whose relative paths start at one folder."""
        if self._is_first_folder or str(item.path) == STDIN or is_remote(item.path):
            return item
        return replace(item, path=item.path.absolute())

    def key(self, source: str) -> bytes:
        """Return a 16-byte key of a source; `faces/a.png` and its absolute path have the same."""
        return source_key(source, self._folder)

    def earlier_key(self, source: str) -> bytes:
        """Return the key of a source as the report spells it."""
        return source_key(source, self._base)


def _made(entry: EarlierInput) -> int:
    return _bits(entry.written) if entry.targets == _WITHOUT_RESULT else entry.targets


def _bits(targets: Iterable[str]) -> int:
    return sum(1 << EMOTIONS.index(target) for target in set(targets))


def _names(bits: int) -> tuple[str, ...]:
    return tuple(emotion for i, emotion in enumerate(EMOTIONS) if bits & (1 << i))
