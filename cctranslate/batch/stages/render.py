"""Make the result pictures and the rows of a translated picture."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image

from cctranslate.batch.inputs.decoded import Decoded, DecodeFailure, DecodeResult
from cctranslate.batch.inputs.decoding import reread
from cctranslate.batch.items import DatasetRow
from cctranslate.batch.outputs.encoding import SUFFIXES, Result
from cctranslate.batch.outputs.layout import Layout
from cctranslate.batch.outputs.writers import ResultPacker, ResultToWrite
from cctranslate.batch.report.row import Row
from cctranslate.batch.stages.chunks import TranslatedPicture
from cctranslate.batch.stages.report_rows import (
    completed,
    lost_metadata,
    result_rows,
    row_without_result,
    variants_left,
)
from cctranslate.errors import OutputError
from cctranslate.faces import compositing
from cctranslate.faces.compositing import Undo
from cctranslate.faces.exif import KeptExif
from cctranslate.faces.raster import Canvas
from cctranslate.inference.variants import Plan

Draw = Callable[[int, int], Result]
"""Draws the result of a face and a variant, both counted from 0. Its picture is valid until the
next call."""
RenderedInput = tuple[list[Row], bytes]
"""An input's rows, and the content for the writer's `add`."""
ENCODED, DRAWN = 2, 10
"""Roughly the bytes of memory that a photograph's pixel takes as a PNG, and while it is drawn: in
Pillow, in the encoder, and in the arrays of a face. 6 to 7 were measured for opaque pictures with a
large face, 11 with alpha."""
_LONGEST_IN_JPEG = 65_000
"""Bytes of EXIF data that a JPEG holds."""


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

    def finish(self, picture: TranslatedPicture | DecodeFailure) -> RenderedInput:
        """Return all rows of an input, and the content for the writer's `add`.

        Raises:
            OutputError: Results cannot be written at all.
        """
        if isinstance(picture, DecodeFailure):
            if picture.skipped:
                return [row_without_result(picture, "skipped", picture.reason)], b""
            return [
                row_without_result(picture, "failed", f"{picture.stage}: {picture.reason}")
            ], b""
        rows = result_rows(self.plan, self.layout, picture)
        if not any(row.output for row in rows):
            return rows, b""
        try:
            canvas = self._canvas(picture.decoded)
            draw = self._drawer(picture, canvas)
        except Exception as error:
            # As at the first reading: decoders raise nearly anything.
            return [_failed(picture, "read", error)], b""
        try:
            packed = self.packer.pack(self._results(rows, draw, picture.decoded))
        except OutputError:
            raise
        except Exception as error:
            # What a picture says of its colors may be beyond all that was thought of.
            return [_failed(picture, "write", error)], b""
        lost = lost_metadata(self._exif(canvas)) if canvas else ""
        return [completed(row, packed.fingerprints, lost) for row in rows], packed.content

    def _results(self, rows: list[Row], draw: Draw, decoded: Decoded) -> Iterator[ResultToWrite]:
        """Yield each result with its rows: all faces of a picture share one result."""
        variants, remainder = variants_left(self.plan, decoded), decoded.item.remainder
        by_output: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            if row.output:
                by_output.setdefault(row.output, []).append(i)
        for output, numbers in by_output.items():
            face, k = divmod(numbers[0], len(variants))
            variant = variants[k]
            yield ResultToWrite(
                result=draw(face, variant),
                output=output,
                target=self.plan.variants[variant].target,
                rows=tuple(rows[i] for i in numbers),
                usage=decoded.item.usage,
                replaces=remainder is not None and remainder.replaces,
                is_altered=remainder is not None and output in remainder.altered,
            )

    def weigh(self, source: DecodeResult) -> int:
        """Return the bytes of memory that an input takes until its rows are written."""
        if isinstance(source, DecodeFailure):
            return 0
        if not self.in_pictures or source.is_model_sized:
            return source.item.held_bytes
        return source.item.held_bytes + self.weigh_pixels(source.width * source.height)

    def weigh_pixels(self, count: int) -> int:
        """Return the bytes of memory that results take which are drawn into `count` pixels."""
        waiting = len(self.plan.variants) if self.packer.in_memory else 0
        return (DRAWN + ENCODED * waiting) * count

    def _drawer(self, picture: TranslatedPicture, canvas: Canvas | None) -> Draw:
        """Return a function that draws the result of a face and a variant."""
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

        undone: list[Undo] = []

        def draw(f: int, k: int) -> Result:
            while undone:
                canvas.draw(*undone.pop())
            disposition = picture.dispositions[f][k]
            for face, results, dispositions in zip(
                picture.decoded.faces_to_translate, picture.faces, picture.dispositions, strict=True
            ):
                # The confirmed faces of a picture, and those set aside, make two results.
                if results.edits is not None and dispositions[k] is disposition:
                    undone.append(
                        compositing.draw(
                            canvas, face.frame, results.edits[k], fade=face.is_detected
                        )
                    )
            return Result(
                picture=canvas.picture(),
                color_space=canvas.color_space,
                exif=exif.data,
                source_format=form,
                halved_color=canvas.halved_color,
            )

        return draw

    def _canvas(self, decoded: Decoded) -> Canvas | None:
        """Return the picture that results are drawn into; None where faces are the results.

        Raises:
            OSError: It cannot be read any more.
        """
        if not self.in_pictures or isinstance(decoded.item, DatasetRow):
            return None
        if decoded.is_model_sized:
            return reread(decoded) if self.metadata else None
        return reread(decoded)

    def _exif(self, canvas: Canvas) -> KeptExif:
        """Return the EXIF data that results keep."""
        if not self.metadata:
            return KeptExif()
        if self.layout.suffix == SUFFIXES["jpeg"] and len(canvas.exif.data) > _LONGEST_IN_JPEG:
            return KeptExif(left_out=("all", "too long for JPEG"))
        return canvas.exif


def _failed(picture: TranslatedPicture, stage: str, error: Exception) -> Row:
    """Return the row of a picture that one stage could not do."""
    text = error.strerror if isinstance(error, OSError) else None
    reason = " ".join((text or str(error)).split()) or type(error).__name__
    return row_without_result(picture.decoded, "failed", f"{stage}: {reason}")
