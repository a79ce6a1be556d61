"""From a translated picture to its files and its rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from PIL import Image

from cctranslate.batch.inputs.decoding import Decoded, Unusable, read_again
from cctranslate.batch.inputs.items import FaceRow
from cctranslate.batch.outputs.encoding import SUFFIXES, Result
from cctranslate.batch.outputs.layout import Layout
from cctranslate.batch.outputs.writers import Fingerprint, Placed, ResultPacker
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.stages.translated import TranslatedPicture
from cctranslate.emotions import EMOTIONS
from cctranslate.faces.alignment import bounds
from cctranslate.faces.compositing import carry
from cctranslate.faces.exif import KeptExif
from cctranslate.faces.raster import Canvas, Levels
from cctranslate.inference.variants import Plan

Draw = Callable[[int, int], Result]
"""Makes the result of a face and a variant, both counted from 0."""
Finished = tuple[list[Row], bytes]
"""An input's rows, and the content that the writer's `add` takes."""
ENCODED, DRAWN = 2, 14
"""Roughly the bytes of memory that a photograph's pixel takes as a PNG, and while it is drawn: as
an array and a copy of it, as Pillow has it, and in the encoder."""
_LONGEST_IN_JPEG = 65_000
"""Bytes of EXIF data that a JPEG holds."""
REASONS = {
    Disposition.WRITTEN: None,
    Disposition.SET_ASIDE: "not confirmed",
    Disposition.DROPPED: "not written: not confirmed",
    Disposition.OVER_QUOTA: "not written: the target has its --per-class results",
}
"""What the report tells people of each disposition."""


NO_FACE = "no face found"
"""What the report tells of a picture that is taken for a face and shows none."""


@dataclass(frozen=True, kw_only=True)
class ResultRenderer:
    """Makes a picture's results, and the rows that report them."""

    plan: Plan
    layout: Layout
    packer: ResultPacker
    in_pictures: bool
    """Whether results are whole pictures, and not the faces alone."""
    metadata: bool
    """Whether a result keeps its picture's EXIF data."""

    def finish(self, picture: TranslatedPicture | Unusable) -> Finished:
        """Return all of an input's rows, and the content that the writer's `add` takes.

        Raises:
            OutputError: results cannot be written at all.
        """
        if isinstance(picture, Unusable):
            if picture.skipped:
                return _without_result(picture, "skipped", picture.reason)
            return _without_result(picture, "failed", f"{picture.stage}: {picture.reason}")
        rows = self._rows(picture)
        if not any(row.output for row in rows):
            return rows, b""
        try:
            canvas = self._canvas(picture.decoded)
            draw = self._drawer(picture, canvas)
        except Exception as error:
            # As when it was read first: decoders raise nearly anything.
            reason = " ".join(str(error).split()) or type(error).__name__
            return _without_result(picture.decoded, "failed", f"read: {reason}")
        try:
            packed = self.packer.write(self._results(rows, draw, picture.decoded))
        except OSError as error:
            reason = f"write: {error.strerror or error}"
            return _without_result(picture.decoded, "failed", reason)
        lost = _lost(self._exif(canvas)) if canvas else ""
        return [_completed(row, packed.fingerprints, lost) for row in rows], packed.content

    def _variants(self, decoded: Decoded) -> list[int]:
        """Return the numbers of the variants to make: earlier calls may have made the others."""
        remainder = decoded.item.remainder
        targets = self.plan.targets if remainder is None else remainder.targets
        return [k for k, variant in enumerate(self.plan.variants) if variant.target in targets]

    def _results(self, rows: list[Row], draw: Draw, decoded: Decoded) -> Iterator[Placed]:
        """Return each result with its rows: those of the faces in one picture share it."""
        variants, remainder = self._variants(decoded), decoded.item.remainder
        by_output: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            if row.output:
                by_output.setdefault(row.output, []).append(i)
        for output, numbers in by_output.items():
            face, k = divmod(numbers[0], len(variants))
            variant = variants[k]
            yield Placed(
                result=draw(face, variant),
                output=output,
                target=self.plan.variants[variant].target,
                rows=tuple(rows[i] for i in numbers),
                usage=decoded.item.usage,
                replaces=remainder is not None and remainder.replaces,
            )

    def weigh(self, source: Decoded | Unusable) -> int:
        """Return the bytes of memory that an input takes until its rows are written."""
        if isinstance(source, Unusable):
            return 0
        if not self.in_pictures or source.is_model_sized:
            return source.item.held
        waiting = len(self.plan.variants) if self.packer.in_memory else 0
        pixels = source.width * source.height
        return source.item.held + (DRAWN + ENCODED * waiting) * pixels

    def _drawer(self, picture: TranslatedPicture, canvas: Canvas | None) -> Draw:
        """Return what draws the result of a face and a variant."""
        form = picture.decoded.format
        if canvas is None:
            return lambda f, k: Result(
                picture=Image.fromarray(picture.faces[f].translated[k]), source_format=form
            )
        exif = self._exif(canvas)
        if picture.decoded.is_model_sized:
            return lambda f, k: Result(
                picture=Image.fromarray(picture.faces[f].translated[k]),
                color_space=canvas.color_space,
                exif=exif.data,
                source_format=form,
            )

        def draw(f: int, k: int) -> Result:
            levels, disposition = canvas.levels, picture.dispositions[f][k]
            before: list[tuple[tuple[slice, slice], Levels]] = []
            for face, results, dispositions in zip(
                picture.decoded.wanted, picture.faces, picture.dispositions, strict=True
            ):
                # The confirmed faces of a picture, and those set aside, make two results.
                if results.edits is not None and dispositions[k] is disposition:
                    left, top, right, bottom = bounds(face.frame, levels.shape)
                    part = slice(top, bottom), slice(left, right)
                    before.append((part, levels[part].copy()))
                    carry(levels, face.frame, results.edits[k], fade=face.found)
            drawn = canvas.picture(levels)
            if drawn.readonly:  # it shares the memory of a gray picture
                drawn = drawn.copy()
            for part, content in reversed(before):
                levels[part] = content
            return Result(
                picture=drawn,
                color_space=canvas.color_space,
                exif=exif.data,
                source_format=form,
            )

        return draw

    def _canvas(self, decoded: Decoded) -> Canvas | None:
        """Return the picture that results are made from; None where the faces are the results.

        Raises:
            OSError: it cannot be read any more.
        """
        if not self.in_pictures or isinstance(decoded.item, FaceRow):
            return None
        if decoded.is_model_sized:
            return read_again(decoded) if self.metadata else None
        read = read_again(decoded)
        # The one copy that is drawn into: what Pillow gives cannot be written to.
        return replace(read, levels=read.levels.copy())

    def _exif(self, canvas: Canvas) -> KeptExif:
        """Return the EXIF data that results keep."""
        if not self.metadata:
            return KeptExif()
        if self.layout.suffix == SUFFIXES["jpeg"] and len(canvas.exif.data) > _LONGEST_IN_JPEG:
            return KeptExif(left_out=("all", "too long for JPEG"))
        return canvas.exif

    def _rows(self, picture: TranslatedPicture) -> list[Row]:
        rows = []
        variants = self._variants(picture.decoded)
        for f, face in enumerate(picture.decoded.faces):
            for k in variants:
                row = self._row(picture.decoded, f, k)
                if face.passed_over:
                    rows.append(replace(row, status="skipped", reason=face.passed_over))
                else:
                    rows.append(self._judged(row, picture, f, k))
        return rows

    def _row(self, decoded: Decoded, f: int, k: int) -> Row:
        face, variant = decoded.faces[f], self.plan.variants[k]
        return replace(
            _input_row(decoded),
            faces=len(decoded.faces),
            face=face.number,
            box=face.box,
            score=None if face.score is None else round(face.score, 4),
            target=variant.target,
            strength=variant.strength,
            sample=variant.sample,
            width=decoded.width,
            height=decoded.height,
            mode=decoded.mode,
            source_sha256=decoded.sha256,
            results_per_face=len(self._variants(decoded)),
        )

    def _judged(self, row: Row, picture: TranslatedPicture, f: int, k: int) -> Row:
        face, disposition = picture.faces[f], picture.dispositions[f][k]
        assert disposition is not None  # of a variant that is to be made
        p, reasons = face.probabilities[k], [REASONS[disposition]]
        if not face.shows_face:
            reasons.insert(0, NO_FACE)
        variant, output = self.plan.variants[k], None
        if disposition.has_file:
            output = self.layout.output_path(
                variant,
                picture.decoded.result_name or "",
                picture.decoded.faces[f].number,
                disposition is Disposition.SET_ASIDE,
                picture.decoded.format,
            )
        return replace(
            row,
            output=output,
            disposition=disposition,
            reason="; ".join(filter(None, reasons)) or None,
            predicted=EMOTIONS[int(p.argmax())],
            confidence=round(float(p.max()), 6),
            confirmed=face.confirms(self.plan, k),
            probabilities=tuple(round(float(value), 6) for value in p),
            source_predicted=EMOTIONS[int(face.before.argmax())],
            ms=round(picture.ms, 3),
        )


def _input_row(source: Decoded | Unusable) -> Row:
    """Return what every row of an input says."""
    stamp = source.stamp
    return Row(
        source=source.item.source,
        status="done",
        source_label=source.item.label or None,
        result_name=source.result_name,
        source_size=stamp.size if stamp else None,
        source_mtime_ns=stamp.mtime_ns if stamp else None,
    )


def _without_result(
    source: Decoded | Unusable, status: Literal["skipped", "failed"], reason: str
) -> Finished:
    return [replace(_input_row(source), status=status, reason=reason)], b""


def _completed(row: Row, fingerprints: Mapping[str, Fingerprint], lost: str) -> Row:
    """Return a result's row with its fingerprint, and what its metadata lost."""
    if row.output is None:
        return row
    fingerprint = fingerprints[row.output]
    reason = "; ".join(filter(None, (row.reason, lost))) or None
    return replace(
        row, output_size=fingerprint.size, output_sha256=fingerprint.sha256, reason=reason
    )


def _lost(exif: KeptExif) -> str:
    """Return what the report says of EXIF data that cannot be kept."""
    return f"EXIF data left out: {', '.join(exif.left_out)}" if exif.left_out else ""
