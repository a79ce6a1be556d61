"""The content of `run.json`: options, the identity of the run, and how it ended."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cctranslate import __version__
from cctranslate.batch.call.options import Options
from cctranslate.batch.outputs.folder import (
    ALL_SHARDS,
    CHECKED,
    FOLDER,
    PLACE,
    REQUESTED,
    UNCONFIRMED,
)
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.row import STATUSES
from cctranslate.files.paths import real_path
from cctranslate.files.remote import is_remote


def identity(
    options: Options, bundle: dict[str, str], detector: str, engine: str
) -> dict[str, Any]:
    """Return the options that two calls of one run must share: all that affect results.

    `--to` may grow from call to call. Inputs may grow, too, and are left out.

    Args:
        options: The call's options.
        bundle: The digests of the bundle's files.
        detector: The digest of the face detector.
        engine: The engine of the models, as engines round differently.
    """
    return {
        "--to": list(options.targets),
        "--strength": list(options.plan.strengths),
        "--samples": options.samples,
        "--best-of": options.best_of,
        "--seed": options.seed,
        "--min-confidence": options.min_confidence,
        "--confirmed-only": options.confirmed_only,
        UNCONFIRMED: options.result_layout.unconfirmed_folder or None,
        "--per-class": options.per_class,
        # None if unused, as in runs of versions without these options.
        "--balance": options.balance or None,
        "--soft-labels": options.soft_labels or None,
        "--layout": options.layout,
        "--faces": options.faces,
        "--which": options.which,
        "--result": options.result,
        "--metadata": options.metadata,
        "--format": options.format,
        "--quality": options.quality,
        "--no-mark": options.no_mark,
        "--shard": list(options.shard) if options.shard else None,
        "--engine": engine,
        "--precision": options.precision,
        "bundle (--weights)": bundle,
        "detector": detector,
    }


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """Facts about a call besides its options: models, device and outcome."""

    bundle: dict[str, str]
    """The digests of the bundle's files."""
    detector: str
    """The digest of the face detector."""
    engine: str
    """The engine that ran the models."""
    provider: str
    """The provider or device of the models."""
    finished: bool
    """Whether all inputs are processed."""
    inputs: int
    """Inputs that the call ended."""
    all_shards: dict[str, object] | None
    """Of a shard: how many inputs all shards have, and a digest of their names, if the call met
    all."""
    checked_ns: int | None
    """When the call began, if it looked at every input that has rows."""
    seconds: float
    """How long the call took."""


def manifest(
    options: Options, facts: RunFacts, counts: Counts, earlier: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of `run.json` at the end of a call.

    Args:
        options: The call's options.
        facts: What it ran with, and how it ended.
        counts: Counts of the whole report.
        earlier: The content of `run.json` when the call began.
    """
    return {
        REQUESTED: earlier[REQUESTED],
        FOLDER: earlier.get(FOLDER, str(Path.cwd())),
        PLACE: earlier.get(PLACE, str(real_path(options.out))),
        CHECKED: earlier.get(CHECKED) if facts.checked_ns is None else facts.checked_ns,
        "options": {
            f.name: _plain(getattr(options, f.name)) for f in fields(options) if f.name != "store"
        }
        | {"out": str(options.destination)},
        "cctranslate": __version__,
        "engine": facts.engine,
        "precision": options.precision,
        "provider": facts.provider,
        "bundle": facts.bundle,
        "detector": facts.detector,
        "finished": facts.finished,
        "found": counts.found,
        **({ALL_SHARDS: facts.all_shards} if options.shard else {}),
        **{status: counts.inputs[status] for status in STATUSES},
        "confirmed_share": counts.confirmed_fractions(),
        "seconds": round(facts.seconds, 2),
        "inputs_per_second": round(facts.inputs / max(facts.seconds, 1e-9), 1),
    }


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) or is_remote(value) else value
