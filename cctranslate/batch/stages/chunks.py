"""What workers do with chunks of inputs, and what crosses to the process with the models.

Handing over one small picture takes as long as decoding it, so that pictures go by the dozen. Where
one process has the models, it gets their faces as one array, and all else as it came from the
worker: it neither reads pickled pictures nor makes rows. Where workers have models, nothing but
inputs and rows crosses (`chunk_translator.py`).
"""

import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.inputs.decoding import DecodeOptions, decode
from cctranslate.batch.inputs.items import Decoded, DecodeFailure, Item, Remainder
from cctranslate.batch.outputs.writers import UnplacedResults
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.formats import csv_lines
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.batch.stages.translated import FaceResults, TranslatedPicture
from cctranslate.pixels import SIZE, Gray, Scaled

Source = Decoded | DecodeFailure
_NONE = np.zeros((0, SIZE, SIZE), np.uint8)


@dataclass(frozen=True, kw_only=True)
class ItemChunk:
    """Fetched inputs for a worker."""

    items: list[Item]
    weight: int = 0
    """Bytes of memory that they take while they are decoded."""
    taken: tuple[str, ...] = ()
    """Of the names that their results could get, those that others have; if a worker gives them."""


@dataclass(frozen=True, kw_only=True)
class DecodedChunk:
    """The faces of some inputs."""

    sources: bytes | list[Source]
    """The inputs, which only workers look into; pickled, if workers are processes."""
    faces: Gray
    """Those to translate [N,48,48]."""
    found: NDArray[np.bool_]
    """Whether each was found in a picture [N]."""
    counts: tuple[int, ...]
    """Faces of each input."""
    bases: tuple[str | None, ...]
    """What each input's results would be named, None if it takes no name."""
    remainders: tuple[Remainder | None, ...]
    """What is left to make of each input; None: everything."""
    is_drawn: bool
    """Whether any input's results are drawn into its picture."""
    weight: int
    """Bytes of memory that the results and what they are made from will take."""
    seconds: float
    """How long a worker was busy with it."""

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return len(self.counts)


@dataclass(frozen=True, kw_only=True)
class TranslatedChunk:
    """The same inputs with what the models made of their N faces, V results each."""

    sources: bytes | list[Source]
    counts: tuple[int, ...]
    weight: int
    names: tuple[str | None, ...]
    """The name of each input's results."""
    remainders: tuple[Remainder | None, ...]
    translated: Gray
    """[N,V,48,48]."""
    edits: Scaled | None
    """[N,V,3,48,48], if results are drawn into pictures."""
    probabilities: Scaled
    """The judge's, of the results [N,V,7]."""
    before: Scaled
    """The judge's, of the faces [N,7]."""
    show_faces: NDArray[np.bool_]
    """Whether there is a face at all [N]."""
    hard: NDArray[np.bool_]
    """Which faces that are pictures of their own are hard to change [N]."""
    ms: float
    """Milliseconds of inference for each face."""
    dispositions: tuple[tuple[Disposition | None, ...], ...] | None = None
    """What becomes of each result; None: all are written."""


@dataclass(frozen=True, kw_only=True)
class FinishedChunk:
    """The report's lines of some inputs, whose results are made."""

    lines: bytes
    unplaced: list[UnplacedResults]
    """In place of the lines, where only the writer knows where results lie."""
    counts: Counts
    inputs: int
    rows: list[list[Row]]
    """The rows of each input that the process with the models must see."""
    contents: list[bytes]
    """For each of `rows` what the writer's `add` takes."""
    names: tuple[str, ...] = ()
    """The names that results got, if the worker gave them."""
    seconds: float = 0
    """How long a worker was busy with it, if one took it all the way."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the workers do; a process has a copy."""

    decode_options: DecodeOptions
    renderer: ResultRenderer
    pickled: bool
    """Whether inputs cross to another process."""
    all_rows: bool
    """Whether rows go to the process with the models, which completes or prints them."""
    split_line: Callable[[Row], tuple[bytes, bytes]] | None = None
    """Splits lines where the writer, in the process with the models, inserts text."""

    def decode(self, chunk: ItemChunk) -> DecodedChunk:
        """Return the faces of some inputs."""
        started = time.perf_counter()
        sources: list[Source] = [decode(item, self.decode_options) for item in chunk.items]
        faces_of = [s.faces_to_translate if isinstance(s, Decoded) else () for s in sources]
        faces = [face for each in faces_of for face in each]
        layout = self.renderer.layout
        bases = tuple(
            None
            if isinstance(source, DecodeFailure) and (source.skipped or source.unreadable)
            else layout.base(source.item.relative)
            for source in sources
        )
        drawn = self.renderer.in_pictures and any(
            isinstance(source, Decoded) and not source.is_model_sized for source in sources
        )
        return DecodedChunk(
            sources=pickle.dumps(list(map(_without_levels, sources))) if self.pickled else sources,
            faces=np.stack([face.levels for face in faces]) if faces else _NONE,
            found=np.array([face.found for face in faces], bool),
            counts=tuple(map(len, faces_of)),
            bases=bases,
            remainders=tuple(source.item.remainder for source in sources),
            is_drawn=drawn,
            weight=sum(map(self.renderer.weigh, sources)),
            seconds=time.perf_counter() - started,
        )

    def finish(self, chunk: TranslatedChunk) -> FinishedChunk:
        """Make the results of a chunk and the lines that report them.

        Raises:
            OutputError: results cannot be written at all.
        """
        counts, lines, unplaced = Counts(), list[bytes](), list[UnplacedResults]()
        seen, contents, inputs = list[list[Row]](), list[bytes](), 0
        for picture in _pictures(chunk):
            inputs += 1
            rows, content = self.renderer.finish(picture)
            if self.all_rows or rows[0].status != "done":
                seen.append(rows)
                contents.append(content)
            if not self.all_rows:
                item = picture.item if isinstance(picture, DecodeFailure) else picture.decoded.item
                counts.add(rows, is_met=item.is_met)
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
            rows=seen,
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


def _without_levels(source: Source) -> Source:
    if isinstance(source, DecodeFailure):
        return source
    return replace(source, faces=tuple(replace(face, levels=_NONE) for face in source.faces))


def _pictures(chunk: TranslatedChunk) -> Iterator[TranslatedPicture | DecodeFailure]:
    """Return each input with its results."""
    sources = chunk.sources
    if isinstance(sources, bytes):
        sources = cast(list[Source], pickle.loads(sources))
    judged = np.asarray(np.isfinite(chunk.probabilities).all((1, 2)))
    judged &= np.isfinite(chunk.before).all(1)
    first = 0
    # A selection that took no more has cut the chunk short.
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
            before=chunk.before[i],
            shows_face=bool(chunk.show_faces[i]),
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
