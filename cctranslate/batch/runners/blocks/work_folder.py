"""`OUT/.cluster`: the plan of a run in blocks, and its finished blocks.

`plan.json` is written last and removed first: without it the other files are remains of a kill.
"""

import json
import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cctranslate.errors import OptionError
from cctranslate.files.paths import make_folder
from cctranslate.files.remote import is_remote, remove_folder
from cctranslate.files.writing import unwritable, write_text

FOLDER = ".cluster"
"""Hidden, so that no loader of OUT takes it for data."""
_PLAN = "plan.json"
_VERSION = 1
"""The version of `plan.json`; a plan of another one is refused."""


@dataclass(frozen=True, kw_only=True)
class BlockPlan:
    """The content of `plan.json`: the options of a plan, its size, and where its rows begin."""

    request: dict[str, Any]
    """The options that decide the content of the plan."""
    blocks: int
    """Blocks are numbered from 0."""
    inputs: int
    base: int
    """Length of the report before the plan, in bytes; the rows of the plan follow."""
    first_tar: int
    """The number of the first block's tar in `--layout webdataset`."""
    last_outputs: tuple[str, ...]
    """The last results of earlier calls in a layout whose files grow."""
    version: int = _VERSION


class WorkFolder:
    """The files of a plan below OUT."""

    def __init__(self, out: Path) -> None:
        self.path = out / FOLDER

    @contextmanager
    def spool(self) -> Iterator[Path]:
        """Make a temporary folder on a disk for sorting; it needs as much room as the plan or rows.

        Raises:
            OSError: It cannot be made.
        """
        with TemporaryDirectory(dir=None if is_remote(self.path) else self.path) as folder:
            yield Path(folder)

    def block(self, number: int) -> Path:
        """Return the file of a block's inputs."""
        return self.path / "plan" / f"{number:06}.parquet"

    def rows(self, number: int) -> Path:
        """Return the file of a block's rows, which only a finished block has."""
        return self.path / "rows" / f"{number:06}.parquet"

    def attempts(self, number: int) -> Path:
        """Return the folder with a file for each start of a block."""
        return self.path / "attempts" / f"{number:06}"

    def finished(self, plan: BlockPlan) -> list[int]:
        """Return the numbers of the blocks that have rows."""
        folder = self.rows(0).parent
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
        return [number for number in range(plan.blocks) if self.rows(number).name in names]

    def read(self) -> BlockPlan | None:
        """Return the plan, or None if there is none.

        Raises:
            OptionError: Another version wrote it.
        """
        try:
            content = json.loads((self.path / _PLAN).read_text(encoding="utf-8"))
            if content["version"] != _VERSION or set(content) != {
                f.name for f in fields(BlockPlan)
            }:
                raise ValueError
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError):
            raise OptionError(
                f"{self.path / _PLAN}: not a plan of this version: start anew with --overwrite"
            ) from None
        return BlockPlan(**content | {"last_outputs": tuple(content["last_outputs"])})

    def write(self, plan: BlockPlan) -> None:
        """Write the plan, after its blocks.

        Raises:
            OutputError: It cannot be written.
        """
        write_text(self.path / _PLAN, json.dumps(asdict(plan), indent=1) + "\n")

    def make(self) -> None:
        """Remove the folder, and create it with its empty subfolders.

        Raises:
            OutputError: It cannot be written.
        """
        self.remove()
        try:
            for path in (self.block(0).parent, self.rows(0).parent):
                make_folder(path)
        except OSError as error:
            raise unwritable(self.path, error) from None

    def remove(self) -> None:
        """Remove the plan, then all other files.

        Raises:
            OutputError: It cannot be removed.
        """
        try:
            (self.path / _PLAN).unlink(missing_ok=True)
            if is_remote(self.path):
                remove_folder(self.path)
            elif self.path.exists():
                shutil.rmtree(self.path)
        except OSError as error:
            raise unwritable(self.path, error) from None


def unpickled(path: Path) -> Iterator[Any]:
    """Yield the objects in a file of a spool, into which this process has just pickled them."""
    with path.open("rb") as file:
        while file.peek(1):
            yield pickle.load(file)


def refuse_unfinished(out: Path) -> None:
    """Check that `out` holds no unfinished run in blocks.

    Raises:
        OptionError: It holds one.
    """
    if (out / FOLDER / _PLAN).exists():
        raise OptionError(
            f"{out} holds a run of --runner ray that is not finished: the same command goes on, "
            "or start anew with --overwrite"
        )
