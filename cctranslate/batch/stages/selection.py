"""Select which results are written, for `--confirmed-only`, `--unconfirmed-to`, `--per-class`."""

from collections import Counter
from collections.abc import Mapping

from cctranslate.batch.report.row import Disposition
from cctranslate.inference.variants import Plan
from cctranslate.pixels import Floats


class ResultSelector:
    """Decides on the results of one face after the other, in the inputs' order.

    So the selection does not depend on workers or batches, and a resumed run decides as one that
    was never stopped.
    """

    def __init__(
        self,
        plan: Plan,
        unconfirmed_disposition: Disposition,
        per_class: int | None,
        written: Mapping[str, int],
    ) -> None:
        """Begin with `written` results of each target.

        Args:
            plan: The variants of each face, and what confirms one.
            unconfirmed_disposition: The disposition of a result that is not confirmed.
            per_class: Most results to write of each target.
            written: Results of each target that earlier calls wrote.
        """
        self._plan, self._per_class = plan, per_class
        self._unconfirmed_disposition = unconfirmed_disposition
        self._written = Counter(written)

    def release(self, targets: tuple[str, ...]) -> None:
        """Subtract results of these targets from the quota, as new results replace them."""
        self._written.subtract(targets)

    def choose(
        self, probabilities: Floats, shows_face: bool, targets: tuple[str, ...] | None = None
    ) -> tuple[Disposition | None, ...]:
        """Return the disposition of each result of a face.

        It is None where an earlier call made the result: its target is not among `targets`.

        Args:
            probabilities: The judge's probabilities of the results [V,7].
            shows_face: Whether the picture shows a face at all.
            targets: The targets to make; None: all.
        """
        judged = zip(self._plan.variants, probabilities, strict=True)
        return tuple(
            self._choose(variant.target, shows_face and self._plan.confirms(variant.target, p))
            if targets is None or variant.target in targets
            else None
            for variant, p in judged
        )

    def _choose(self, target: str, confirmed: bool) -> Disposition:
        if self._is_full(target):
            return Disposition.OVER_QUOTA
        if self._unconfirmed_disposition is not Disposition.WRITTEN and not confirmed:
            return self._unconfirmed_disposition
        self._written[target] += 1
        return Disposition.WRITTEN

    @property
    def takes_all(self) -> bool:
        """Whether every result is written, regardless of the judge."""
        return self._per_class is None and self._unconfirmed_disposition is Disposition.WRITTEN

    @property
    def full(self) -> bool:
        """Whether the quota of every target is reached."""
        return all(self._is_full(target) for target in self._plan.targets)

    def _is_full(self, target: str) -> bool:
        return self._per_class is not None and self._written[target] >= self._per_class
