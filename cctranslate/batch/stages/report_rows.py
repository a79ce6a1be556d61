"""The report's rows of a picture."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from cctranslate.batch.inputs.items import Decoded, DecodeFailure
from cctranslate.batch.outputs.layout import Layout
from cctranslate.batch.outputs.writers import Fingerprint
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.stages.translated import TranslatedPicture
from cctranslate.emotions import EMOTIONS
from cctranslate.faces.exif import KeptExif
from cctranslate.inference.variants import Plan

REASONS = {
    Disposition.WRITTEN: None,
    Disposition.SET_ASIDE: "not confirmed",
    Disposition.DROPPED: "not written: not confirmed",
    Disposition.OVER_QUOTA: "not written: the target has its --per-class results",
}
"""What the report tells people of each disposition."""
NO_FACE = "no face found"
"""What the report tells of a picture that is taken for a face and shows none."""


def variants_left(plan: Plan, decoded: Decoded) -> list[int]:
    """Return the numbers of the variants to make: earlier calls may have made the others."""
    remainder = decoded.item.remainder
    targets = plan.targets if remainder is None else remainder.targets
    return [k for k, variant in enumerate(plan.variants) if variant.target in targets]


def result_rows(plan: Plan, layout: Layout, picture: TranslatedPicture) -> list[Row]:
    """Return a row for each face of a picture and each variant that is to be made."""
    rows = []
    variants = variants_left(plan, picture.decoded)
    for f, face in enumerate(picture.decoded.faces):
        for k in variants:
            row = _face_row(plan, picture.decoded, f, k)
            if face.passed_over:
                rows.append(replace(row, status="skipped", reason=face.passed_over))
            else:
                rows.append(_judged(row, plan, layout, picture, f, k))
    return rows


def _face_row(plan: Plan, decoded: Decoded, f: int, k: int) -> Row:
    face, variant = decoded.faces[f], plan.variants[k]
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
        results_per_face=len(variants_left(plan, decoded)),
    )


def _judged(
    row: Row, plan: Plan, layout: Layout, picture: TranslatedPicture, f: int, k: int
) -> Row:
    face, disposition = picture.faces[f], picture.dispositions[f][k]
    assert disposition is not None  # of a variant that is to be made
    p, reasons = face.probabilities[k], [REASONS[disposition]]
    if not face.shows_face:
        reasons.insert(0, NO_FACE)
    variant, output = plan.variants[k], None
    if disposition.has_file:
        output = layout.output_path(
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
        confirmed=face.confirms(plan, k),
        probabilities=tuple(round(float(value), 6) for value in p),
        source_predicted=EMOTIONS[int(face.before.argmax())],
        ms=round(picture.ms, 3),
    )


def _input_row(source: Decoded | DecodeFailure) -> Row:
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


def row_without_result(
    source: Decoded | DecodeFailure, status: Literal["skipped", "failed"], reason: str
) -> Row:
    """Return the row of an input without a result."""
    return replace(_input_row(source), status=status, reason=reason)


def completed(row: Row, fingerprints: Mapping[str, Fingerprint], lost: str) -> Row:
    """Return a result's row with its fingerprint, and what its metadata lost."""
    if row.output is None:
        return row
    fingerprint = fingerprints[row.output]
    reason = "; ".join(filter(None, (row.reason, lost))) or None
    return replace(
        row, output_size=fingerprint.size, output_sha256=fingerprint.sha256, reason=reason
    )


def lost_metadata(exif: KeptExif) -> str:
    """Return what the report says of EXIF data that cannot be kept."""
    return f"EXIF data left out: {', '.join(exif.left_out)}" if exif.left_out else ""
