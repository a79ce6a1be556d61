"""Which results are made and written, where not all of them are wanted."""

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.inputs.exclusions import InputFilter
from cctranslate.batch.inputs.items import Broken, FaceRow, Item
from cctranslate.batch.inputs.iter_items import iter_items
from cctranslate.batch.options import Options
from cctranslate.batch.report.row import Disposition
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import InputError
from cctranslate.fer2013 import USAGES
from cctranslate.inference.variants import Plan
from cctranslate.pixels import Scaled
from cctranslate.remote import is_remote


class ResultSelector:
    """Decides for one face after the other, in the inputs' order.

    So what is written does not depend on workers or batches, and a run that goes on from its
    rows decides as one that was never stopped.
    """

    def __init__(
        self,
        plan: Plan,
        denied: Disposition,
        per_class: int | None,
        written: Mapping[str, int],
    ) -> None:
        """Begin with `written` results of each target.

        Args:
            plan: The variants of each face, and what confirms one.
            denied: What becomes of a result that the judge denies.
            per_class: Most results to write of each target.
            written: Results of each target that earlier calls wrote.
        """
        self._plan, self._denied, self._per_class = plan, denied, per_class
        self._written = Counter(written)

    def release(self, targets: tuple[str, ...]) -> None:
        """Give up results of these targets, which others are to take the place of."""
        self._written.subtract(targets)

    def choose(
        self, probabilities: Scaled, shows_face: bool, targets: tuple[str, ...] | None = None
    ) -> tuple[Disposition | None, ...]:
        """Return what becomes of each result, judged [V,7], of what may show no face at all.

        It is None where an earlier call made the result: its target is not among `targets`.
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
        if self._denied is not Disposition.WRITTEN and not confirmed:
            return self._denied
        self._written[target] += 1
        return Disposition.WRITTEN

    @property
    def takes_all(self) -> bool:
        """Whether every result is written, whatever the judge makes of it."""
        return self._per_class is None and self._denied is Disposition.WRITTEN

    @property
    def full(self) -> bool:
        """Whether no target takes any more."""
        return all(self._is_full(target) for target in self._plan.targets)

    def _is_full(self, target: str) -> bool:
        return self._per_class is not None and self._written[target] >= self._per_class


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Chooses the targets of each input so that the classes of a dataset fill up to its largest.

    A class lacks `missing` [7] results. They come from inputs of other classes, all with the same
    chance, and never from rows that are for tests. The choice follows from the inputs' paths
    alone: shards, workers and calls that go on choose alike.
    """

    missing: tuple[int, ...]
    _last_ranks: tuple[int, ...]
    """The highest rank of a chosen input, by target; -1 where none is."""

    @classmethod
    def of(cls, options: Options) -> Self:
        """Count the inputs of a call: of all its shards, and beyond its limit.

        Raises:
            InputError: No input has a label, no class lacks results, or a list cannot be read.
        """
        everything = replace(options, shard=None, limit=None)
        chosen, plan = InputFilter(options.include, options.exclude), options.plan
        each = len(plan.variants) // len(plan.targets)
        balance = cls.count(iter_items(everything, chosen), each)
        if not balance.wanted(plan.targets):
            raise InputError(
                "--balance: no expression of --to has fewer inputs than the largest class: there "
                "is nothing to make"
            )
        return balance

    def wanted(self, targets: Iterable[str]) -> dict[str, int]:
        """Return how many results each of the targets lacks, without those that lack none."""
        lacking = dict(zip(EMOTIONS, self.missing, strict=True))
        return {target: lacking[target] for target in targets if lacking[target]}

    @classmethod
    def count(cls, items: Iterable[Item | None], results_each: int) -> Self:
        """Count the inputs by class.

        Args:
            items: All of the dataset's inputs.
            results_each: Results that an input gives of each target.

        Raises:
            InputError: No input has a label.
        """
        labels, digests = array("b"), array("Q")
        for item in items:
            if item and not _is_faulty(item) and item.usage == USAGES[0]:
                labels.append(EMOTIONS.index(item.label) if item.label else -1)
                digests.append(_digest(item))
        known, found = np.array(labels, np.int8), np.array(digests, np.uint64)
        counts = np.bincount(known[known >= 0], minlength=len(EMOTIONS))
        if not counts.any():
            raise InputError(
                "--balance: no input's folder names an expression, and no row has a label: name a "
                "folder with angry, disgust and so on in it, or a CSV in FER2013's form"
            )
        missing = counts.max() - counts
        return cls(
            missing=tuple(missing.tolist()),
            _last_ranks=tuple(
                _lowest(_ranks(found[known != k], k), int(missing[k]) // results_each)
                for k in range(len(EMOTIONS))
            ),
        )

    def choose(self, items: Iterable[Item | None]) -> Iterator[Item | None]:
        """Return the inputs that are chosen, with their targets, and all that will fail."""
        for item in items:
            if item is None or _is_faulty(item):
                yield item
            elif targets := self._targets(item):
                yield replace(item, wanted=targets)

    def _targets(self, item: Item) -> tuple[str, ...]:
        if item.usage != USAGES[0]:
            return ()
        found, label = np.array([_digest(item)], np.uint64), item.label
        return tuple(
            target
            for k, target in enumerate(EMOTIONS)
            if target != label and int(_ranks(found, k)[0]) <= self._last_ranks[k]
        )


def _is_faulty(item: Item) -> bool:
    """Return whether an input is known to fail, which its row in the report says."""
    try:
        if isinstance(item, FaceRow):
            item.check()
    except ValueError:
        return True
    return isinstance(item, Broken)


def _digest(item: Item) -> int:
    source = item.source
    if not is_remote(item.path):
        source = os.path.abspath(source)  # noqa: PTH100 (resolves no links)
    content = os.fsencode(source)
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())


def _ranks(digests: NDArray[np.uint64], target: int) -> NDArray[np.uint64]:
    """Return numbers that order the inputs, otherwise for each target."""
    turn = np.uint64(9 * target)
    return (digests << turn) | (digests >> (np.uint64(64) - turn)) if target else digests


def _lowest(ranks: NDArray[np.uint64], count: int) -> int:
    """Return the highest of the `count` lowest ranks."""
    return int(np.partition(ranks, count - 1)[count - 1]) if count else -1
