"""Shards of a run's inputs for job arrays: the name of an input decides which shard it is in."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cctranslate.batch.items import Item

Shard = tuple[int, int]
"""The I-th of N, from 1."""
_TASK, _FIRST, _LAST = "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"
_COUNT, _STEP = "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_STEP"


def parse(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """Parse `I/N`, or `slurm` for the shard of this task in a SLURM array.

    Raises:
        ValueError: It is neither, or no array runs that says how many shards there are.
    """
    if text == "slurm":
        number, count = _of_array(environment)
    else:
        parts = text.split("/")
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            raise ValueError(f"{text!r}: name the shard as I/N, such as 1/8, or `slurm`")
        number, count = map(int, parts)
    if not 1 <= number <= count:
        raise ValueError(f"there is no shard {number} of {count}: they count from 1, without gaps")
    return number, count


def _of_array(environment: Mapping[str, str]) -> Shard:
    """Return the shard of this task of a SLURM array.

    Raises:
        ValueError: No array runs, or it may be a part of a larger one, such as `--array=3,7` to run
            two tasks again: then nothing says how many shards there are.
    """
    names = (_TASK, _FIRST, _LAST, _COUNT)
    missing = [name for name in names if not environment.get(name, "").isdecimal()]
    if missing:
        raise ValueError(f"{missing[0]} is not set: `slurm` is for the tasks of a job array")
    task, first, last, count = (int(environment[name]) for name in names)
    step = environment.get(_STEP, "")
    width = max(int(step), 1) if step.isdecimal() else 1
    index, beside = divmod(task - first, width)
    if count == 1:
        fault = "has one task"
    elif first > 1:
        fault = f"begins at {first}"
    elif beside or (last - first) // width + 1 != count:
        fault = "has gaps"
    else:
        return index + 1, count
    number = f"${_TASK}" if first else f"$(({_TASK} + 1))"
    raise ValueError(
        f"the job array {fault}, and so does not say how many shards there are in all: name them, "
        f"as --shard {number}/N"
    )


@dataclass
class AllShards:
    """Counts the inputs of all shards together, to compare the calls of a job array."""

    count: int = 0
    total: int = 0
    """The sum of the digests of their names, which their order does not change."""
    whole: bool = False
    """Whether all inputs of the call are counted."""

    def record(self) -> dict[str, object] | None:
        """Return the counts for `run.json`; None if not all inputs were counted."""
        if not self.whole:
            return None
        return {"inputs": self.count, "names": f"{self.total % (1 << 64):016x}"}


def choose(
    shard: Shard, items: Iterable[Item | None], all_shards: AllShards
) -> Iterator[Item | None]:
    """Yield the inputs that are in a shard, and count those of all shards.

    The digest of an input's name decides which shard it is in.
    """
    number, count = shard
    for item in items:
        if item is None:
            yield None
            continue
        digest = _digest(item.source)
        all_shards.count += 1
        all_shards.total += digest
        if digest % count == number - 1:
            yield item
    all_shards.whole = True


def holds(shard: Shard, source: str) -> bool:
    """Return whether an input is in a shard."""
    number, count = shard
    return _digest(source) % count == number - 1


def _digest(source: str) -> int:
    return int.from_bytes(hashlib.blake2b(os.fsencode(source), digest_size=8).digest())
