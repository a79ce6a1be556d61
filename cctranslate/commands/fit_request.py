"""The options that `fit` and `fit --sweep` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """The options of `fit` that do not choose or change a recipe."""

    data: Path
    votes: Path | None
    out: Path | None
    max_minutes: float | None
    seed: int
    device: str
    resume: bool
    quiet: bool
