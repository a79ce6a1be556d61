"""Make the report's rows of a picture: every column gets its value here."""

from collections.abc import Mapping
from typing import Any, Literal

from cctranslate.batch.inputs.decoded import Decoded, DecodeResult
from cctranslate.batch.outputs.layout import Layout
from cctranslate.batch.outputs.writers import Fingerprint
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.stages.chunks import TranslatedPicture
from cctranslate.emotions import EMOTIONS
from cctranslate.faces.crops import Face
from cctranslate.faces.exif import KeptExif
from cctranslate.inference.variants import Plan, Variant

REASONS = {
    Disposition.WRITTEN: None,
    Disposition.SET_ASIDE: "not confirmed",
    Disposition.DROPPED: "not written: not confirmed",
    Disposition.OVER_QUOTA: "not written: the target has its --per-class results",
}
"""The report's `reason` for each disposition."""
NO_FACE = "no face found"
"""The reason for a picture that is taken for a face and shows none."""
HARD = "hard to change: the face is turned away, off the middle or covered"
"""The reason for a face that is hard to change, by its landmarks or by a network."""


def variants_left(plan: Plan, decoded: Decoded) -> list[int]:
    """Return the indices of the variants to make: earlier calls may have made others."""
    remainder = decoded.item.remainder
    targets = plan.targets if remainder is None else remainder.targets
    return [k for k, variant in enumerate(plan.variants) if variant.target in targets]


def result_rows(plan: Plan, layout: Layout, picture: TranslatedPicture) -> list[Row]:
    """Return a row for each face of a picture and each variant to make, without fingerprints."""
    decoded, variants = picture.decoded, variants_left(plan, picture.decoded)
    shared = _shared_fields(decoded) | {
        "faces": len(decoded.faces),
        "width": decoded.width,
        "height": decoded.height,
        "mode": decoded.mode,
        "source_sha256": decoded.sha256,
        "results_per_face": len(variants),
    }
    return [
        Row(
            **shared,
            **_face_fields(plan.variants[k], face),
            **_result_fields(plan, layout, picture, f, k),
        )
        for f, face in enumerate(decoded.faces)
        for k in variants
    ]


def _shared_fields(source: DecodeResult) -> dict[str, Any]:
    """Return the fields that are equal in all rows of an input."""
    stamp = source.stamp
    return {
        "source": source.item.source,
        "source_label": source.item.label or None,
        "result_name": source.result_name,
        "source_size": stamp.size if stamp else None,
        "source_mtime_ns": stamp.mtime_ns if stamp else None,
    }


def _face_fields(variant: Variant, face: Face) -> dict[str, Any]:
    return {
        "face": face.number,
        "box": face.box,
        "score": None if face.score is None else round(face.score, 4),
        "target": variant.target,
        "strength": variant.strength,
        "sample": variant.sample,
    }


def _result_fields(
    plan: Plan, layout: Layout, picture: TranslatedPicture, f: int, k: int
) -> dict[str, Any]:
    """Return the fields of a face's variant. A row is built at once, as copies take longer."""
    face, variant = picture.decoded.faces[f], plan.variants[k]
    if face.skip_reason:
        return {"status": "skipped", "reason": face.skip_reason}
    results, disposition = picture.faces[f], picture.dispositions[f][k]
    assert disposition is not None  # of a variant that is to be made
    output = None
    if disposition.has_file:
        output = layout.output_path(
            variant,
            picture.decoded.result_name or "",
            face.number,
            disposition is Disposition.SET_ASIDE,
            picture.decoded.format,
        )
    no_face = None if results.shows_face else NO_FACE
    hard = HARD if results.shows_face and (face.hard or results.hard) else None
    probabilities = results.probabilities[k].tolist()
    return {
        "status": "done",
        "output": output,
        "disposition": disposition,
        "reason": "; ".join(filter(None, (no_face, hard, REASONS[disposition]))) or None,
        "predicted": EMOTIONS[probabilities.index(max(probabilities))],
        "confidence": round(max(probabilities), 6),
        "confirmed": results.confirms(plan, k),
        "probabilities": tuple(round(value, 6) for value in probabilities),
        "source_predicted": EMOTIONS[int(results.source_probabilities.argmax())],
        "ms": round(picture.ms, 3),
    }


def row_without_result(
    source: DecodeResult, status: Literal["skipped", "failed"], reason: str
) -> Row:
    """Return the row of an input without a result."""
    return Row(**_shared_fields(source), status=status, reason=reason)


def completed(row: Row, fingerprints: Mapping[str, Fingerprint], lost: str) -> Row:
    """Return a result's row with its fingerprint, and a note on lost metadata."""
    if row.output is None:
        return row
    fingerprint = fingerprints[row.output]
    reason = "; ".join(filter(None, (row.reason, lost))) or None
    written = {"output_size": fingerprint.size, "output_sha256": fingerprint.sha256}
    # `dataclasses.replace` does the same, but takes twice as long for this many fields.
    return Row(**(vars(row) | written | {"reason": reason}))


def lost_metadata(exif: KeptExif) -> str:
    """Return the report's note on EXIF data that cannot be kept; empty if all is kept."""
    return f"EXIF data left out: {', '.join(exif.left_out)}" if exif.left_out else ""
