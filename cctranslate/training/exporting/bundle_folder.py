"""The folder of a bundle that `export` writes: whole or not at all, and over nothing of others."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cctranslate import bundle
from cctranslate.errors import WrongRunError
from cctranslate.files.writing import unwritable

NAMES = (bundle.CARD, *(f"{model}.onnx" for model in (*bundle.MODELS, *bundle.OPTIONAL)))


def refuse_foreign_files(out: Path) -> None:
    """Refuse a folder with files that a bundle would replace and that are of no bundle.

    Raises:
        WrongRunError: There are such files.
    """
    there = [out / name for name in NAMES if (out / name).exists()]
    if there and not _is_card(out / bundle.CARD):
        raise WrongRunError(
            f"{there[0]}: is of no bundle that `export` wrote: remove it, or name another folder "
            "with -o"
        )


def _is_card(path: Path) -> bool:
    """Return whether a file is a bundle's card, of any format."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(card, dict) and {"format", "classes", "files"} <= card.keys()


@contextmanager
def written_to(out: Path) -> Iterator[None]:
    """Create the parent of `out`, and turn errors of writing in the block into one about `out`.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise unwritable(out, error) from None


def replace(folder: Path, out: Path) -> None:
    """Move the files to their folder, the card last: a bundle without its card is refused."""
    out.mkdir(exist_ok=True)
    for name in (bundle.CARD, *(f"{model}.onnx" for model in bundle.OPTIONAL)):
        (out / name).unlink(missing_ok=True)
    for path in sorted(folder.iterdir(), key=lambda path: path.name == bundle.CARD):
        path.replace(out / path.name)
