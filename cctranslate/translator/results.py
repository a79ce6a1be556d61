"""Turn a picture's rows of the report into translations, or into an error."""

import re

from PIL import Image

from cctranslate.batch.inputs.decoding import NO_FACE_DETECTED
from cctranslate.batch.outputs.encoding import Result
from cctranslate.batch.report.row import Row
from cctranslate.batch.stages.chunks import TranslatedChunk
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import NoFaceError, PictureError, UserError
from cctranslate.translator.translation import FaceTranslation, Translation

_OPTION_WITH_VALUE = re.compile(r"--(device|engine|faces|precision|which) ([\w:]*\w)")
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


def in_python(message: str) -> str:
    """Return a message of `batch` with its options spelled as the Translator's arguments are.

    `--device cpu` becomes `device='cpu'`, and `--batch-size` becomes `batch_size`.
    """
    with_values = _OPTION_WITH_VALUE.sub(_argument, message)
    return _OPTION.sub(lambda option: option[1].replace("-", "_"), with_values)


def _argument(option: re.Match[str]) -> str:
    name, value = option[1].replace("-", "_"), option[2]
    return f"{name}={value if value.isdigit() else repr(value)}"


def to_error(rows: list[Row]) -> UserError | None:
    """Return the error for a picture without a result; None if it has one."""
    first = rows[0]
    if first.status == "done":
        return None
    if first.reason == NO_FACE_DETECTED:
        return NoFaceError(f"{first.source}: no face found; faces='whole' takes all of it for one")
    if first.status == "skipped" and first.face:
        return NoFaceError(f"{first.source}: face {first.face} {in_python(first.reason or '')}")
    reason = in_python(first.reason or "").removeprefix("decode: ")
    return PictureError(f"{first.source}: {reason}")


def to_translations(
    rows: list[Row], chunk: TranslatedChunk, by_output: dict[str, Result], count: int
) -> list[Translation]:
    """Return the `count` translations of a picture, from its rows in the order of the faces.

    Args:
        rows: A row for each face and translation.
        chunk: The chunk of that one picture.
        by_output: The result pictures, by the rows' outputs.
        count: Number of translations of the picture.
    """
    results = []
    for k in range(count):
        face_rows = rows[k::count]
        first = face_rows[0]
        result = by_output[first.output or ""]
        result.picture.info.update(result.color_space.info)
        results.append(
            Translation(
                image=result.picture,
                target=first.target or "",
                strength=first.strength or 0.0,
                sample=first.sample or 1,
                faces=tuple(_face(row, chunk, f, k) for f, row in enumerate(face_rows)),
            )
        )
    return results


def _face(row: Row, chunk: TranslatedChunk, f: int, k: int) -> FaceTranslation:
    is_translated = f < len(chunk.translated)  # faces that are passed over come last
    return FaceTranslation(
        number=row.face or 1,
        box=row.box or (0, 0, 0, 0),
        score=row.score,
        image=Image.fromarray(chunk.translated[f, k]) if is_translated else None,
        predicted=row.predicted,
        confidence=row.confidence,
        confirmed=bool(row.confirmed),
        probabilities=dict(zip(EMOTIONS, row.probabilities or (), strict=False)),
        source_predicted=row.source_predicted,
        reason=row.reason and in_python(row.reason),
    )
