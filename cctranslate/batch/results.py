"""From what came of a picture to its files and its rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from cctranslate.batch.carry import carry
from cctranslate.batch.faces import Decoded, Unusable, read_again
from cctranslate.batch.item import Item
from cctranslate.batch.layout import Layout
from cctranslate.batch.outcome import Outcome
from cctranslate.batch.plan import Plan
from cctranslate.batch.report import Row, Status
from cctranslate.batch.writer import Result, Writer
from cctranslate.emotions import EMOTIONS


@dataclass(frozen=True, kw_only=True)
class Finisher:
    """Writes a picture's results and says so in its rows, or why there are none."""

    plan: Plan
    layout: Layout
    writer: Writer
    in_pictures: bool
    """Whether results are whole pictures, and not the faces alone."""
    metadata: bool
    """Whether a result keeps its picture's EXIF data."""

    def finish(self, outcome: Outcome | Unusable) -> list[Row]:
        """All of an input's rows.

        Raises:
            OutputError: results cannot be written at all.
        """
        if isinstance(outcome, Unusable):
            if outcome.skipped:
                return [_without_result(outcome.item, "skipped", outcome.reason)]
            return [_without_result(outcome.item, "failed", f"decode: {outcome.reason}")]
        places = self._places(outcome)
        failure = self._write(outcome, places) if any(map(any, places)) else ""
        if failure:
            return [_without_result(outcome.decoded.item, "failed", failure)]
        return self._rows(outcome, places)

    def _write(self, outcome: Outcome, places: list[list[str]]) -> str:
        """Write what has a place; why that failed, if it did, and then nothing is left of it."""
        try:
            draw = self._drawer(outcome)
        except Exception as error:
            # As when it was read first: decoders raise nearly anything.
            return f"read: {' '.join(str(error).split()) or type(error).__name__}"
        written: list[str] = []
        try:
            for k, variant in enumerate(self.plan.variants):
                for f, own in enumerate(places):
                    if own[k] and own[k] not in written:
                        self.writer.write(draw(f, k), own[k], variant.target)
                        written.append(own[k])
        except OSError as error:
            self.writer.discard(written)
            return f"write: {error.strerror or error}"
        return ""

    def _places(self, outcome: Outcome) -> list[list[str]]:
        """Where each face's results lie; empty for what is not written."""
        return [
            [
                "" if why else self.layout.place(variant, outcome.name, f + 1)
                for why, variant in zip(left_out, self.plan.variants, strict=True)
            ]
            for f, left_out in enumerate(outcome.left_out)
        ]

    def _drawer(self, outcome: Outcome) -> Callable[[int, int], Result]:
        """What makes the result of a face and a variant: the face, or the picture it is in."""
        if not self.in_pictures or outcome.decoded.is_model_sized:
            return lambda f, k: Result(picture=Image.fromarray(outcome.faces[f].translated[k]))
        canvas = read_again(outcome.decoded)

        def draw(_: int, k: int) -> Result:
            levels = canvas.levels.copy()
            for face, own, why in zip(
                outcome.decoded.wanted, outcome.faces, outcome.left_out, strict=True
            ):
                if own.edits is not None and not why[k]:
                    carry(levels, face.frame, own.edits[k], fade=face.found)
            exif = canvas.exif if self.metadata else b""
            return Result(picture=canvas.picture(levels), icc=canvas.icc, exif=exif)

        return draw

    def _rows(self, outcome: Outcome, places: list[list[str]]) -> list[Row]:
        rows = []
        for f, face in enumerate(outcome.decoded.faces):
            for k in range(len(self.plan.variants)):
                row = self._row(outcome.decoded, f, k)
                if face.passed_over:
                    rows.append(replace(row, status="skipped", reason=face.passed_over))
                else:
                    rows.append(self._judged(row, outcome, f, k, places[f][k]))
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

    def _judged(self, row: Row, outcome: Outcome, f: int, k: int, place: str) -> Row:
        p = outcome.faces[f].probabilities[k]
        return replace(
            row,
            output=place,
            reason=outcome.left_out[f][k],
            predicted=EMOTIONS[int(p.argmax())],
            confidence=round(float(p.max()), 6),
            confirmed="true" if self.plan.confirms(row.target, p) else "false",
            probabilities=tuple(round(float(value), 6) for value in p),
            source_predicted=EMOTIONS[int(outcome.faces[f].before.argmax())],
            ms=round(outcome.ms, 3),
        )


def _without_result(item: Item, status: Status, reason: str) -> Row:
    return Row(source=item.source, status=status, reason=reason, source_label=item.label)
