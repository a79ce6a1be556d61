"""A shard of a run's inputs, for job arrays: an input's name alone decides which shard has it."""

import hashlib
import os
from collections.abc import Mapping

Shard = tuple[int, int]
"""The I-th of N, from 1."""
SLURM = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT")


def parse(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """Return the shard that `I/N` names, or for `slurm` the one that a SLURM array gives this task.

    Raises:
        ValueError: it is neither, or no array runs; the message says so.
    """
    if text == "slurm":
        missing = [name for name in SLURM if not environment.get(name, "").isdecimal()]
        if missing:
            raise ValueError(f"{missing[0]} is not set: `slurm` is for the tasks of a job array")
        task, first, count = (int(environment[name]) for name in SLURM)
        number = task - first + 1
    else:
        parts = text.split("/")
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            raise ValueError(f"{text!r}: name the shard as I/N, such as 1/8, or `slurm`")
        number, count = map(int, parts)
    if not 1 <= number <= count:
        raise ValueError(f"there is no shard {number} of {count}: they count from 1, without gaps")
    return number, count


def holds(shard: Shard, source: str) -> bool:
    """Return whether an input is in a shard: by the digest of its name, the same everywhere."""
    number, count = shard
    digest = hashlib.blake2b(os.fsencode(source), digest_size=8).digest()
    return int.from_bytes(digest) % count == number - 1
