"""The tasks of workers: decode the inputs of a chunk, and make its results and rows."""

import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.inputs.decoded import Decoded, DecodeFailure, DecodeResult
from cctranslate.batch.inputs.decoding import DecodeOptions, decode
from cctranslate.batch.outputs.writers import UnplacedResults
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.formats import csv_lines
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.stages.chunks import (
    DecodedChunk,
    FaceResults,
    FinishedChunk,
    ItemChunk,
    TranslatedChunk,
    TranslatedPicture,
)
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.faces.alignment import side
from cctranslate.pixels import SIZE

_NO_FACES = np.zeros((0, SIZE, SIZE), np.uint8)


@dataclass(frozen=True, kw_only=True)
class WorkerTasks:
    """The tasks of a worker, with what they need; each worker process has a copy."""

    decode_options: DecodeOptions
    renderer: ResultRenderer
    pickled: bool
    """Whether workers are processes, so that decoded inputs are pickled once and for all."""
    all_rows: bool
    """Whether all rows go to the process with the models, which completes or prints them."""
    split_line: Callable[[Row], tuple[bytes, bytes]] | None = None
    """Splits lines where the writer, in the process with the models, inserts text."""

    def decode(self, chunk: ItemChunk) -> DecodedChunk:
        """Decode the inputs of a chunk."""
        started = time.perf_counter()
        sources = list(self._decoded(chunk))
        faces_of = [s.faces_to_translate if isinstance(s, Decoded) else () for s in sources]
        faces = [face for each in faces_of for face in each]
        layout = self.renderer.layout
        bases = tuple(
            None
            if isinstance(source, DecodeFailure) and (source.skipped or source.unsupported)
            else layout.base(source.item.relative)
            for source in sources
        )
        drawn = self.renderer.in_pictures and any(
            isinstance(source, Decoded) and not source.is_model_sized for source in sources
        )
        return DecodedChunk(
            sources=pickle.dumps(list(map(_without_levels, sources))) if self.pickled else sources,
            faces=np.stack([face.levels for face in faces]) if faces else _NO_FACES,
            detected=np.array([face.is_detected for face in faces], bool),
            scales=np.array([side(face.frame) / SIZE for face in faces], np.float32),
            counts=tuple(map(len, faces_of)),
            bases=bases,
            remainders=tuple(source.item.remainder for source in sources),
            is_drawn=drawn,
            weight=sum(map(self.renderer.weigh, sources)),
            seconds=time.perf_counter() - started,
        )

    def _decoded(self, chunk: ItemChunk) -> Iterator[DecodeResult]:
        failures = 0
        for item in chunk.items:
            source = decode(item, self.decode_options)
            failures += isinstance(source, DecodeFailure) and not source.skipped
            yield source
            if chunk.failures_left is not None and failures > chunk.failures_left:
                return

    def finish(self, chunk: TranslatedChunk) -> FinishedChunk:
        """Make the results of a chunk and the lines that report them.

        Raises:
            OutputError: Results cannot be written at all.
        """
        counts, lines, unplaced = Counts(), list[bytes](), list[UnplacedResults]()
        shown_rows, contents, inputs = list[list[Row]](), list[bytes](), 0
        for picture in _pictures(chunk):
            inputs += 1
            rows, content = self.renderer.finish(picture)
            if self.all_rows or rows[0].status != "done":
                shown_rows.append(rows)
                contents.append(content)
            if not self.all_rows:
                item = picture.item if isinstance(picture, DecodeFailure) else picture.decoded.item
                counts.add(rows, has_earlier_rows=item.has_earlier_rows)
                if self.split_line is None:
                    lines += csv_lines(rows)
                else:
                    unplaced.append(
                        UnplacedResults(content=content, pieces=_pieces(rows, self.split_line))
                    )
        return FinishedChunk(
            lines=b"".join(lines),
            unplaced=unplaced,
            counts=counts,
            inputs=inputs,
            rows=shown_rows,
            contents=contents,
        )


def _pieces(rows: list[Row], split_line: Callable[[Row], tuple[bytes, bytes]]) -> list[bytes]:
    """Return the lines of rows, split inside those that have a result."""
    pieces = [b""]
    for row in rows:
        first, *others = split_line(row) if row.output else csv_lines([row])
        pieces[-1] += first
        pieces += others
    return pieces


def _without_levels(source: DecodeResult) -> DecodeResult:
    if isinstance(source, DecodeFailure):
        return source
    return replace(source, faces=tuple(replace(face, levels=_NO_FACES) for face in source.faces))


def _pictures(chunk: TranslatedChunk) -> Iterator[TranslatedPicture | DecodeFailure]:
    """Yield each input of a chunk with its results."""
    sources = chunk.sources
    if isinstance(sources, bytes):
        sources = cast(list[DecodeResult], pickle.loads(sources))
    judged = np.asarray(np.isfinite(chunk.probabilities).all((1, 2)))
    judged &= np.isfinite(chunk.source_probabilities).all(1)
    first = 0
    # The chunk has fewer names than sources if the quota of every class was reached.
    for source, count, name in zip(sources, chunk.counts, chunk.names, strict=False):
        named = replace(source, result_name=name)
        if isinstance(named, DecodeFailure):
            yield named
            continue
        yield _picture(chunk, judged, named, range(first, first + count))
        first += count


def _picture(
    chunk: TranslatedChunk, judged: NDArray[np.bool_], decoded: Decoded, faces: range
) -> TranslatedPicture | DecodeFailure:
    results = tuple(
        FaceResults(
            translated=chunk.translated[i],
            edits=None if chunk.edits is None else chunk.edits[i],
            probabilities=chunk.probabilities[i],
            source_probabilities=chunk.source_probabilities[i],
            shows_face=bool(chunk.shows_face[i]),
            hard=bool(chunk.hard[i]),
        )
        for i in faces
    )
    if not judged[faces.start : faces.stop].all():
        return DecodeFailure(
            item=decoded.item,
            skipped=False,
            reason="a score or a pixel is not a number: check the bundle with `cctranslate doctor`",
            stage="translate",
            stamp=decoded.stamp,
            result_name=decoded.result_name,
        )
    written = (Disposition.WRITTEN,) * chunk.translated.shape[1]
    chosen = tuple(written if chunk.dispositions is None else chunk.dispositions[i] for i in faces)
    return TranslatedPicture(decoded=decoded, faces=results, ms=chunk.ms, dispositions=chosen)
