"""Tables of figures in the guides, made from the card of the bundle that ships.

After new weights, `python -m tests.support.figures` rewrites every block between
`<!-- figures: NAME -->` and `<!-- end -->`; a test compares them.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cctranslate import bundle

ROOT = Path(__file__).parents[2]
GUIDES = (ROOT / "README.md", ROOT / "weights" / "README.md")
BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
FORMATS = {
    "confirmed": "{:.1%}",
    "witnessed": "{:.1%}",
    "identity": "{:.2f}",
    "change": "{:.1f}",
    "roughness": "{:.2f}",
    "fid": "{:.2f}",
    "kid": "{:.3f}",
}
HEADINGS = {"fid": "FID", "kid": "KID"}
ANNOTATORS = {"fer2013": "FER2013's labels", "ferplus_majority": "most FER+ annotators"}


def quality(measured: dict[str, Any]) -> str:
    """Return a row for each target with what a reader of the README needs."""
    return _targets(measured, ("confirmed", "witnessed", "identity", "fid"))


def card(measured: dict[str, Any]) -> str:
    """Return a row for each target with all that was measured."""
    return _targets(measured, tuple(FORMATS))


def classifiers(measured: dict[str, Any]) -> str:
    """Return accuracy and calibration error of judge and witness."""
    rows = [
        [name, f"{figures['accuracy']:.1%}", f"{figures['ece']:.3f}", f"{figures['faces']:,}"]
        for model in ("judge", "witness")
        for labels, figures in measured[model].items()
        for name in (f"{model}, by {ANNOTATORS[labels]}",)
    ]
    return _table([["classifier", "accuracy", "calibration error (ECE)", "faces"], *rows])


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "quality": quality,
    "card": card,
    "classifiers": classifiers,
}


def filled(text: str) -> str:
    """Return a guide with its blocks of figures as the shipped card has them."""
    measured = json.loads((bundle.shipped() / bundle.CARD).read_text(encoding="utf-8"))["measured"]
    return BLOCK.sub(lambda block: block[1] + TABLES[block[2]](measured) + block[3], text)


def _targets(measured: dict[str, Any], columns: tuple[str, ...]) -> str:
    rows = [
        [name, *(FORMATS[column].format(figures[column]) for column in columns)]
        for name, figures in {**measured["targets"], "mean": measured["mean"]}.items()
    ]
    return _table([["target", *(HEADINGS.get(column, column) for column in columns)], *rows])


def _table(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]) + "\n"


if __name__ == "__main__":
    for guide in GUIDES:
        guide.write_text(filled(guide.read_text(encoding="utf-8")), encoding="utf-8")
