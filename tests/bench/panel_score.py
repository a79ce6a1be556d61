"""What raters of a blind panel's sheets found: reading their tables, figures with intervals."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS
from cctranslate.errors import DataError

MEASURES = ("read", "natural", "accept")


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return a CSV of words, indexed by its column `id`.

    Raises:
        DataError: No such CSV, other columns, or an id twice.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {' '.join(str(error).split())}") from None
    if list(table.columns) != ["id", *columns]:
        raise DataError(f"{path}: expected the columns {','.join(['id', *columns])}")
    table = table.apply(lambda column: column.str.strip())
    if table["id"].duplicated().any():
        raise DataError(
            f"{path}: id {table['id'][table['id'].duplicated()].iloc[0]} is there twice"
        )
    return table.set_index("id")


def read_ratings(path: Path, key: pd.DataFrame) -> pd.DataFrame:
    """Return a rater's ratings in the key's order: columns expression and natural (0 or 1).

    Raises:
        DataError: A rating is missing, is of no face in the key, or is none of the allowed words.
    """
    ratings = read_table(path, ["expression", "natural"])
    for other, problem in (
        (key.index.difference(ratings.index), "is not rated"),
        (ratings.index.difference(key.index), "is not on the sheets"),
    ):
        if len(other):
            raise DataError(f"{path}: id {other[0]} {problem}")
    ratings["expression"] = ratings["expression"].str.lower()
    for name, words in (("expression", EMOTIONS), ("natural", ("0", "1"))):
        wrong = ratings[~ratings[name].isin(words)]
        if len(wrong):
            message = f"{name} is {wrong[name].iloc[0]!r}, expected one of {', '.join(words)}"
            raise DataError(f"{path}: id {wrong.index[0]}: {message}")
    return ratings.loc[key.index].astype({"natural": int})


def summarize(
    key: pd.DataFrame, raters: Sequence[pd.DataFrame], seed: int = 0, draws: int = 2000
) -> pd.DataFrame:
    """Return each kind's and target's figures and their ratios to those of all real faces.

    Columns are `faces`, each measure and, of results, `<measure>/real`; a cell is the tuple
    (figure, low, high) with a 95% interval. Faces are drawn anew within their kind and target,
    each with all of its ratings.
    """
    read = np.mean([rater["expression"] == key["target"] for rater in raters], axis=0)
    natural = np.mean([rater["natural"] for rater in raters], axis=0)
    both = [(r["expression"] == key["target"]) & (r["natural"] == 1) for r in raters]
    values = np.column_stack([read, natural, np.mean(both, axis=0)])
    weights = _bootstrap_weights(key, draws, np.random.default_rng(seed))

    def rates(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        part = weights[:, chosen]
        return np.asarray(part @ values[chosen] / part.sum(1, keepdims=True))

    real = rates((key["kind"] == "real").to_numpy())
    rows = {}
    for kind, target in itertools.product(("real", "result"), (*EMOTIONS, "all")):
        chosen = (key["kind"] == kind) & ((key["target"] == target) | (target == "all"))
        if not chosen.any():
            continue
        rate = rates(chosen.to_numpy())
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = rate / real
        cells: dict[str, object] = {"faces": int(chosen.sum())}
        cells |= {name: _interval(rate[:, j]) for j, name in enumerate(MEASURES)}
        if kind != "real":
            cells |= {f"{name}/real": _interval(ratio[:, j]) for j, name in enumerate(MEASURES)}
        rows[kind, target] = cells
    return pd.DataFrame.from_dict(rows, orient="index")


def _bootstrap_weights(
    key: pd.DataFrame, draws: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return how often each face is in each draw [1+draws,N]; the first has every face once."""
    weights = np.ones((1 + draws, len(key)))
    for group in key.reset_index().groupby(["kind", "target"]).indices.values():
        even = np.full(len(group), 1 / len(group))
        weights[1:, group] = random.multinomial(len(group), even, size=draws)
    return weights


def _interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return float(values[0]), float(low), float(high)


def agreement(a: pd.Series, b: pd.Series) -> tuple[float, float]:
    """Return the fraction of faces of which two raters say the same, and Cohen's kappa.

    Kappa is 0 for what chance gives and 1 for full agreement; NaN if both only use one word.
    """
    words = sorted(set(a) | set(b))
    same = float((a == b).mean())
    chance = sum(float((a == word).mean() * (b == word).mean()) for word in words)
    return same, (same - chance) / (1 - chance) if chance < 1 else float("nan")


def score_table(table: pd.DataFrame) -> str:
    """Return the figures as lines to read."""
    names = [name for name in table.columns if name != "faces"]
    lines = [f"{'':16}{'faces':>6}" + "".join(f"{name:>18}" for name in names)]
    for (kind, target), row in table.iterrows():
        filled = [row[name] for name in names if isinstance(row[name], tuple)]
        cells = ("{:.2f} [{:.2f} {:.2f}]".format(*cell) for cell in filled)
        lines.append(f"{kind:7}{target:9}{row['faces']:6}" + "".join(f"{c:>18}" for c in cells))
    return "\n".join(lines)
