"""`--balance`: choose inputs and their targets so that all classes become equally large."""

import hashlib
import os
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.inputs.exclusions import InputFilter
from cctranslate.batch.inputs.items import BrokenItem, DatasetRow, Item
from cctranslate.batch.inputs.iter_items import iter_items
from cctranslate.batch.options import Options
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import InputError
from cctranslate.fer2013 import USAGES
from cctranslate.remote import is_remote


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Chooses the targets of each input so that every class becomes as large as the largest.

    Results come from inputs of other classes, all with the same chance, and never from test rows.
    The choice depends on the inputs' paths alone, so that shards, workers and resumed calls agree.
    """

    missing: tuple[int, ...]
    """Results that each class lacks [7]."""
    _last_ranks: tuple[int, ...]
    """The highest rank of a chosen input, by target; -1 where none is."""

    @classmethod
    def of(cls, options: Options) -> Self:
        """Count the inputs of a call, regardless of its shard and limit.

        Raises:
            InputError: No input has a label, no class lacks results, or a list cannot be read.
        """
        everything = replace(options, shard=None, limit=None)
        input_filter, plan = InputFilter(options.include, options.exclude), options.plan
        each = len(plan.variants) // len(plan.targets)
        balance = cls.count(iter_items(everything, input_filter), each)
        if not balance.missing_results(plan.targets):
            raise InputError(
                "--balance: no expression of --to has fewer inputs than the largest class: there "
                "is nothing to make"
            )
        return balance

    def missing_results(self, targets: Iterable[str]) -> dict[str, int]:
        """Return how many results each of the targets lacks, without targets that lack none."""
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
        label_ids, all_digests = np.array(labels, np.int8), np.array(digests, np.uint64)
        counts = np.bincount(label_ids[label_ids >= 0], minlength=len(EMOTIONS))
        if not counts.any():
            raise InputError(
                "--balance: no input's folder names an expression, and no row has a label: name a "
                "folder with angry, disgust and so on in it, or a CSV in FER2013's form"
            )
        missing = counts.max() - counts
        return cls(
            missing=tuple(missing.tolist()),
            _last_ranks=tuple(
                _lowest(_ranks(all_digests[label_ids != k], k), int(missing[k]) // results_each)
                for k in range(len(EMOTIONS))
            ),
        )

    def choose(self, items: Iterable[Item | None]) -> Iterator[Item | None]:
        """Yield the chosen inputs with their targets, and all inputs that will fail."""
        for item in items:
            if item is None or _is_faulty(item):
                yield item
            elif targets := self._targets(item):
                yield replace(item, chosen_targets=targets)

    def _targets(self, item: Item) -> tuple[str, ...]:
        if item.usage != USAGES[0]:
            return ()
        digest, label = np.array([_digest(item)], np.uint64), item.label
        return tuple(
            target
            for k, target in enumerate(EMOTIONS)
            if target != label and int(_ranks(digest, k)[0]) <= self._last_ranks[k]
        )


def _is_faulty(item: Item) -> bool:
    """Return whether an input will fail, for which it needs a row in the report."""
    try:
        if isinstance(item, DatasetRow):
            item.check()
    except ValueError:
        return True
    return isinstance(item, BrokenItem)


def _digest(item: Item) -> int:
    source = item.source
    if not is_remote(item.path):
        source = os.path.abspath(source)  # noqa: PTH100 (resolves no links)
    content = os.fsencode(source)
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())


def _ranks(digests: NDArray[np.uint64], target: int) -> NDArray[np.uint64]:
    """Return numbers that order the inputs, in another order for each target."""
    turn = np.uint64(9 * target)
    return (digests << turn) | (digests >> (np.uint64(64) - turn)) if target else digests


def _lowest(ranks: NDArray[np.uint64], count: int) -> int:
    """Return the highest of the `count` lowest ranks."""
    return int(np.partition(ranks, count - 1)[count - 1]) if count else -1
