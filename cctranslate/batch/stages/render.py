"""From what came of a picture to its files and its rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from PIL import Image

from cctranslate.batch.inputs.decoding import Decoded, Unusable, read_again
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.outputs.layout import Layout
from cctranslate.batch.outputs.writers import Packer, Placed, Result
from cctranslate.batch.report.schema import Row, Status
from cctranslate.batch.stages.selection import APART
from cctranslate.batch.stages.translate import Outcome
from cctranslate.emotions import EMOTIONS
from cctranslate.faces.compositing import carry
from cctranslate.inference.variants import Plan

Draw = Callable[[int, int], Result]
"""Makes the result of a face and a variant, both counted from 0."""
Finished = tuple[list[Row], bytes]
"""An input's rows, and what the writer's `add` takes of its results."""
BYTES = 2
"""Roughly those of a photograph's pixel as a PNG."""


@dataclass(frozen=True, kw_only=True)
class Finisher:
    """Writes a picture's results and says so in its rows, or why there are none."""

    plan: Plan
    layout: Layout
    packer: Packer
    in_pictures: bool
    """Whether results are whole pictures, and not the faces alone."""
    metadata: bool
    """Whether a result keeps its picture's EXIF data."""

    def finish(self, outcome: Outcome | Unusable) -> Finished:
        """All of an input's rows, and what the writer's `add` takes of its results.

        Raises:
            OutputError: results cannot be written at all.
        """
        if isinstance(outcome, Unusable):
            if outcome.skipped:
                return _without_result(outcome.item, "skipped", outcome.reason)
            return _without_result(outcome.item, "failed", f"decode: {outcome.reason}")
        rows = self._rows(outcome)
        item = outcome.decoded.item
        if not any(row.output for row in rows):
            return rows, b""
        try:
            draw = self._drawer(outcome)
        except Exception as error:
            # As when it was read first: decoders raise nearly anything.
            reason = " ".join(str(error).split()) or type(error).__name__
            return _without_result(item, "failed", f"read: {reason}")
        try:
            return rows, self.packer.write(self._results(rows, draw, item.usage))
        except OSError as error:
            return _without_result(item, "failed", f"write: {error.strerror or error}")

    def _results(self, rows: list[Row], draw: Draw, usage: str) -> Iterator[Placed]:
        """Each result that has a place, with its rows: those of faces in one picture share it."""
        places: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            if row.output:
                places.setdefault(row.output, []).append(i)
        for own in places.values():
            face, variant = divmod(own[0], len(self.plan.variants))
            yield Placed(result=draw(face, variant), rows=tuple(rows[i] for i in own), usage=usage)

    def weigh(self, outcome: Outcome | Unusable) -> int:
        """Bytes of memory that an input takes until its rows are written."""
        if isinstance(outcome, Unusable):
            return 0
        decoded = outcome.decoded
        waiting = self.in_pictures and self.packer.in_memory
        pixels = decoded.width * decoded.height * len(self.plan.variants) * waiting
        return decoded.item.held + BYTES * pixels

    def _drawer(self, outcome: Outcome) -> Draw:
        """What makes the result of a face and a variant: the face, or the picture it is in."""
        if not self.in_pictures or outcome.decoded.is_model_sized:
            return lambda f, k: Result(picture=Image.fromarray(outcome.faces[f].translated[k]))
        canvas = read_again(outcome.decoded)

        def draw(f: int, k: int) -> Result:
            levels, mine = canvas.levels.copy(), outcome.left_out[f][k]
            for face, own, why in zip(
                outcome.decoded.wanted, outcome.faces, outcome.left_out, strict=True
            ):
                if own.edits is not None and why[k] == mine:
                    carry(levels, face.frame, own.edits[k], fade=face.found)
            exif = canvas.exif if self.metadata else b""
            return Result(picture=canvas.picture(levels), icc=canvas.icc, exif=exif)

        return draw

    def _rows(self, outcome: Outcome) -> list[Row]:
        rows = []
        for f, face in enumerate(outcome.decoded.faces):
            for k in range(len(self.plan.variants)):
                row = self._row(outcome.decoded, f, k)
                if face.passed_over:
                    rows.append(replace(row, status="skipped", reason=face.passed_over))
                else:
                    rows.append(self._judged(row, outcome, f, k))
        return rows

    def _row(self, decoded: Decoded, f: int, k: int) -> Row:
        face, variant = decoded.faces[f], self.plan.variants[k]
        return Row(
            source=decoded.item.source,
            faces=len(decoded.faces),
            face=f + 1,
            box=" ".join(map(str, face.box)),
            score="" if face.score is None else round(face.score, 4),
            target=variant.target,
            status="done",
            source_label=decoded.item.label,
            strength=variant.amount,
            sample=variant.sample,
            width=decoded.width,
            height=decoded.height,
            mode=decoded.mode,
            source_sha256=decoded.sha256,
        )

    def _judged(self, row: Row, outcome: Outcome, f: int, k: int) -> Row:
        p, why = outcome.faces[f].probabilities[k], outcome.left_out[f][k]
        denied = why == APART
        place = self.layout.place(self.plan.variants[k], outcome.name, f + 1, denied)
        return replace(
            row,
            output=place if denied or not why else "",
            reason=why,
            predicted=EMOTIONS[int(p.argmax())],
            confidence=round(float(p.max()), 6),
            confirmed="true" if self.plan.confirms(row.target, p) else "false",
            probabilities=tuple(round(float(value), 6) for value in p),
            source_predicted=EMOTIONS[int(outcome.faces[f].before.argmax())],
            ms=round(outcome.ms, 3),
        )


def _without_result(item: Item, status: Status, reason: str) -> Finished:
    row = Row(source=item.source, status=status, reason=reason, source_label=item.label)
    return [row], b""
