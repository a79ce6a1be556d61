"""`--balance`: choose inputs and their targets so that all classes become equally large."""

import hashlib
import os
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.call.iter_items import iter_items
from cctranslate.batch.call.options import Options
from cctranslate.batch.inputs.exclusions import InputFilter
from cctranslate.batch.inputs.job_array import Shard, holds
from cctranslate.batch.items import BrokenItem, DatasetRow, Item
from cctranslate.batch.report.resume import ResumeState
from cctranslate.batch.report.source_keys import source_key
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import InputError
from cctranslate.fer2013 import USAGES

_LOWER_HALF = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """The inputs that are chosen for a target."""

    count: int
    """How many there are."""
    highest: int
    """The highest of their ranks; -1 if there is none."""
    short: int
    """How many more are wanted than there are left."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Chooses the targets of each input so that every class becomes as large as the largest.

    Results come from inputs of other classes, all with the same chance, and never from those for
    tests. Results that earlier calls made of these inputs count, and inputs that failed or were
    skipped then are replaced by others. The choice depends on them and on the inputs' names alone,
    so that shards, workers and resumed calls agree, and so does a copy of the dataset elsewhere.
    """

    results_each: int
    """Results that an input gives of each target."""
    labels: NDArray[np.int8]
    """The number of each input's expression [N]; -1 where it has no label."""
    digests: NDArray[np.uint64]
    """A digest of each input's whole path [N]."""
    name_digests: NDArray[np.uint64]
    """A digest of each input's path in its folder or archive [N]: other inputs may share it."""
    in_shard: NDArray[np.bool_]
    """Whether each input is in the call's shard [N]."""
    left_out: int = 0
    """How many inputs are for validation or tests: they are not counted, nor translated."""
    earlier: ResumeState | None = None
    """The results of earlier calls."""

    @classmethod
    def of(cls, options: Options) -> Self:
        """Count the inputs of a call, regardless of its shard and limit.

        Raises:
            InputError: No input has a label, no class lacks as many results as an input gives, or
                a list cannot be read.
        """
        everything = replace(options, shard=None, limit=None)
        input_filter, plan = InputFilter(options.include, options.exclude), options.plan
        each = len(plan.variants) // len(plan.targets)
        balance = cls.count(iter_items(everything, input_filter), each, options.shard)
        lacking = max(balance._lacking[EMOTIONS.index(target)] for target in plan.targets)
        if lacking < each:
            why = f"lacks {each:,} inputs, and each input gives {each:,} results"
            if not lacking:
                why = "has fewer inputs than the largest class"
            raise InputError(f"--balance: no expression of --to {why}: there is nothing to make")
        return balance

    @classmethod
    def count(
        cls, items: Iterable[Item | None], results_each: int, shard: Shard | None = None
    ) -> Self:
        """Count the inputs by class.

        Args:
            items: All of the dataset's inputs.
            results_each: Results that an input gives of each target.
            shard: The shard of the inputs that the call makes results of.

        Raises:
            InputError: No input has a label.
        """
        labels, digests, name_digests, in_shard = array("b"), array("Q"), array("Q"), array("b")
        left_out = 0
        for item in items:
            if not item or _is_faulty(item):
                continue
            if item.usage != USAGES[0]:
                left_out += 1
            else:
                labels.append(EMOTIONS.index(item.label) if item.label else -1)
                digests.append(_digest(item))
                name_digests.append(_name_digest(item))
                in_shard.append(shard is None or holds(shard, item.source))
        balance = cls(
            results_each=results_each,
            labels=np.array(labels, np.int8),
            digests=np.array(digests, np.uint64),
            name_digests=np.array(name_digests, np.uint64),
            in_shard=np.array(in_shard, np.bool_),
            left_out=left_out,
        )
        if not (balance.labels >= 0).any():
            besides = f" (left out, for validation or tests: {left_out:,})" if left_out else ""
            raise InputError(
                "--balance: no input's folder names an expression, and no row has a label: name a "
                f"folder with angry, disgust and so on in it, or a CSV in FER2013's form{besides}"
            )
        return balance

    def missing_results(self, targets: Iterable[str]) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many results the call is to make of each target, and how many stay missing.

        Results stay missing where too many inputs failed or were skipped: no face is left for them.
        A target of none is left out.
        """
        made, short = {}, {}
        for target in targets:
            choice = self._choice[EMOTIONS.index(target)]
            made[target] = choice.count * self.results_each
            short[target] = choice.short * self.results_each
        return _without_zeros(made), _without_zeros(short)

    def choose(self, items: Iterable[Item | None]) -> Iterator[Item | None]:
        """Yield the chosen inputs with their targets, and all inputs that will fail."""
        for item in items:
            if item is None or _is_faulty(item):
                yield item
            elif targets := self._targets(item):
                yield replace(item, chosen_targets=targets)

    @cached_property
    def _lacking(self) -> NDArray[np.intp]:
        """How many inputs each class lacks [7]."""
        counts = np.bincount(self.labels[self.labels >= 0], minlength=len(EMOTIONS))
        return np.asarray(counts.max() - counts)

    @cached_property
    def _choice(self) -> list[_Choice]:
        """For each target, which inputs are chosen.

        Inputs that already have a result of the target are chosen in addition.
        """
        earlier_targets = list(self.earlier.results()) if self.earlier else []
        failed = [_shortened(key) for key in self.earlier.failed()] if self.earlier else []
        useful = self.in_shard & ~np.isin(self.digests, np.array(failed, np.uint64))
        digests = np.array([_shortened(key) for key, _ in earlier_targets], np.uint64)
        targets = np.array([bits for _, bits in earlier_targets], np.uint8)
        choice = []
        for k, lacking in enumerate(self._lacking.tolist()):
            ranks, others = _ranks(self.name_digests, self.digests, k), self.labels != k
            first = others & _are_lowest(ranks, others, lacking // self.results_each)
            done = others & np.isin(self.digests, digests[targets >> k & 1 == 1])
            wanted = max(int((first & self.in_shard).sum() - (done & self.in_shard).sum()), 0)
            free = others & useful & ~done
            count = min(wanted, int(free.sum()))
            highest = _highest(ranks[_are_lowest(ranks, free, count)])
            choice.append(_Choice(count=count, highest=highest, short=wanted - count))
        return choice

    def _targets(self, item: Item) -> tuple[str, ...]:
        if item.usage != USAGES[0]:
            return ()
        digest, label = np.array([_digest(item)], np.uint64), item.label
        name_digest = np.array([_name_digest(item)], np.uint64)
        earlier_targets = self.earlier.results_of(item.source) if self.earlier else 0
        return tuple(
            target
            for k, target in enumerate(EMOTIONS)
            if target != label
            and (
                earlier_targets >> k & 1
                or int(_ranks(name_digest, digest, k)[0]) <= self._choice[k].highest
            )
        )


def _without_zeros(counts: dict[str, int]) -> dict[str, int]:
    return {target: count for target, count in counts.items() if count}


def _is_faulty(item: Item) -> bool:
    """Return whether an input will fail, for which it needs a row in the report."""
    try:
        if isinstance(item, DatasetRow):
            item.check()
    except ValueError:
        return True
    return isinstance(item, BrokenItem)


def _digest(item: Item) -> int:
    return _shortened(source_key(item.source, Path.cwd()))


def _name_digest(item: Item) -> int:
    return _shortened(hashlib.blake2b(os.fsencode(item.relative), digest_size=8).digest())


def _shortened(whole: bytes) -> int:
    return int.from_bytes(whole[:8])


def _ranks(
    name_digests: NDArray[np.uint64], digests: NDArray[np.uint64], target: int
) -> NDArray[np.uint64]:
    """Return numbers that order the inputs by their names, in another order for each target.

    The lower half of a number comes from the whole path, so that inputs with equal names differ.
    """
    turn = np.uint64(9 * target)
    turned = name_digests
    if target:
        turned = (name_digests << turn) | (name_digests >> (np.uint64(64) - turn))
    return (turned & ~_LOWER_HALF) | (digests & _LOWER_HALF)


def _are_lowest(
    ranks: NDArray[np.uint64], chosen: NDArray[np.bool_], count: int
) -> NDArray[np.bool_]:
    """Return which of the chosen ranks [N] are the `count` lowest."""
    if not count:
        return np.zeros(len(ranks), np.bool_)
    return np.asarray(chosen & (ranks <= np.partition(ranks[chosen], count - 1)[count - 1]))


def _highest(ranks: NDArray[np.uint64]) -> int:
    """Return the highest rank, -1 if there is none."""
    return int(ranks.max()) if len(ranks) else -1
