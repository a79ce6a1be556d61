"""Bars for a run: too many failures stop it, a poor share of confirmed results is told."""

from cctranslate.batch.report.schema import Counts

SETTLED = 100
"""Inputs that must have ended before a share of them says anything."""


def too_many_failed(counts: Counts, limit: str | None, ended: bool) -> bool:
    """Whether more inputs failed than `limit` allows: N, or P% of those that have ended."""
    failed = counts.inputs["failed"]
    if limit is None:
        return False
    if not limit.endswith("%"):
        return failed > int(limit)
    settled = ended or counts.found >= SETTLED
    return settled and failed * 100 > float(limit.removesuffix("%")) * counts.found


def too_few_confirmed(counts: Counts, share: float | None) -> dict[str, float]:
    """The targets whose confirmed share is below `share`, with theirs."""
    return {to: own for to, own in counts.shares().items() if share is not None and own < share}
