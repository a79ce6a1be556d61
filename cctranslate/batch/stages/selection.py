"""Which results are written, where not all of them are wanted."""

from collections import Counter
from collections.abc import Mapping

from cctranslate.inference.variants import Plan
from cctranslate.pixels import Scaled

DROPPED, APART = "not written: not confirmed", "not confirmed"
"""Why a result that the judge denies has no file, or lies in `--unconfirmed-to`."""


class Keeper:
    """Decides for one face after the other, in the inputs' order: all that a class gets is known.

    So what is written does not depend on workers or batches, and a run that goes on from its
    rows decides as one that was never stopped.
    """

    def __init__(
        self, plan: Plan, denied: str, per_class: int | None, written: Mapping[str, int]
    ) -> None:
        """`written` results there are of each target already.

        `denied` is why those that are not confirmed do not join them; if empty, they do.
        """
        self._plan, self._denied, self._per_class = plan, denied, per_class
        self._written = Counter(written)

    def choose(self, probabilities: Scaled) -> tuple[str, ...]:
        """For a face's results, judged [K,7], why each is not written to OUT; empty if it is."""
        judged = zip(self._plan.variants, probabilities, strict=True)
        return tuple(self._reason(variant.target, p) for variant, p in judged)

    def _reason(self, target: str, p: Scaled) -> str:
        if self._is_full(target):
            return f"not written: {target} has its --per-class {self._per_class}"
        if self._denied and not self._plan.confirms(target, p):
            return self._denied
        self._written[target] += 1
        return ""

    @property
    def full(self) -> bool:
        """Whether no target takes any more."""
        return all(self._is_full(target) for target in self._plan.targets)

    def _is_full(self, target: str) -> bool:
        return self._per_class is not None and self._written[target] >= self._per_class
