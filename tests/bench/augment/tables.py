"""Tables of what runs have shown."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS
from tests.bench.augment.arms import ARMS
from tests.bench.augment.faces import Half, TestFaces, Truth
from tests.bench.augment.runs import SIZES
from tests.bench.augment.scores import FIGURES, Interval, confusion, difference, recalls

Read = dict[int, NDArray[np.int64]]
"""What the students of one arm read in the test faces, by seed."""
SHOWN = ("size", "student", "steps", "arm", "seeds", "accuracy", "macro-F1")
GAPS = ("accuracy +", "macro-F1 +", "disgust, fear +")
"""The columns of differences: those of `FIGURES`, in order."""


def lines(
    runs: list[dict[str, Any]], tested: TestFaces, *, half: Half, truth: Truth, against: str
) -> Iterator[str]:
    """Return a Markdown table: figures of each arm, and how far they are above another arm's.

    Differences are over the seeds that both arms have, with their 95% intervals. Runs of the
    same size that took other steps or were wider are not compared.
    """
    chosen = tested.reported if half == "report" else ~tested.reported
    labels = tested.truth(truth)[chosen]
    groups: dict[tuple[Any, ...], dict[str, Read]] = defaultdict(lambda: defaultdict(dict))
    for run in runs:
        predicted = np.array(list(run["predicted"]), np.int64)[chosen]
        group = tuple(run[name] for name in ("size", "student", "steps", "width"))
        groups[group][run["arm"]][run["seed"]] = predicted
    yield f"{int((labels >= 0).sum())} faces, labels of {truth}, above `{against}`; recalls as in "
    yield f"{', '.join(EMOTIONS)}; disgust and fear together."
    yield ""
    head = (*SHOWN, *GAPS, "recalls")
    yield _row(*head)
    yield _row(*["---"] * len(head))
    for (size, student, steps, _), arms in sorted(groups.items(), key=_order):
        for arm in (name for name in ARMS if name in arms):
            figures = _figures(arms[arm], arms.get(against, {}), labels)
            yield _row(size, student, steps, arm, len(arms[arm]), *figures)


def _order(item: tuple[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    (size, student, steps, width), _ = item
    return list(SIZES).index(size), student, steps, width


def _figures(read: Read, other: Read, labels: NDArray[np.int64]) -> tuple[str, ...]:
    matrices = [confusion(labels, predicted) for predicted in read.values()]
    figures = [np.mean([FIGURES[name](m) for m in matrices]) for name in ("accuracy", "macro_f1")]
    each = np.mean([recalls(m) for m in matrices], 0)
    paired = sorted(read.keys() & other.keys()) if read is not other else []
    gaps = [""] * len(GAPS)
    if paired:
        mine, theirs = (np.stack([side[seed] for seed in paired]) for side in (read, other))
        gaps = [_signed(difference(labels, mine, theirs, name)) for name in FIGURES]
    return (
        *(f"{figure:.3f}" for figure in figures),
        *gaps,
        " ".join(f"{recall:.2f}"[1:] if recall < 1 else "1" for recall in each),
    )


def _signed(gap: Interval) -> str:
    """Return a difference in points."""
    return f"{100 * gap.value:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"


def _row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
