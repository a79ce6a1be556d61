"""`OUT/.cluster`: the plan of a run in blocks, and what is done of it.

`plan.json` is written last and removed first: without it the rest is left over.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cctranslate.errors import OptionError
from cctranslate.files import make_folder, unwritable, write_text
from cctranslate.remote import is_remote, remove_folder

FOLDER = ".cluster"
"""Hidden, so that no loader of OUT takes it for data."""
_PLAN = "plan.json"
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class BlockPlan:
    """What the blocks of a plan are for."""

    request: dict[str, Any]
    """The call's options, as far as they decide what the plan holds."""
    blocks: int
    """Blocks are numbered from 0."""
    inputs: int
    base: int
    """Bytes of the report that stood there before; the rows of the plan follow them."""
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
        """Make a folder for what is sorted, on a disk, as large as the plan or its rows.

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
        """Return the folder with a file for each time that a block was begun."""
        return self.path / "attempts" / f"{number:06}"

    def finished(self, plan: BlockPlan) -> list[int]:
        """Return the numbers of the blocks that have rows."""
        folder = self.rows(0).parent
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
        return [number for number in range(plan.blocks) if self.rows(number).name in names]

    def read(self) -> BlockPlan | None:
        """Return the plan, if one is there.

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
        """Write the plan, once its blocks are there.

        Raises:
            OutputError: It cannot be written.
        """
        write_text(self.path / _PLAN, json.dumps(asdict(plan), indent=1) + "\n")

    def make(self) -> None:
        """Make the folder anew, with all that blocks are written to.

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
        """Remove the plan, and then all else.

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


def refuse_unfinished(out: Path) -> None:
    """See that no run on a cluster is half done in `out`.

    Raises:
        OptionError: One is.
    """
    if (out / FOLDER / _PLAN).exists():
        raise OptionError(
            f"{out} holds a run of --runner ray that is not finished: the same command goes on, "
            "or start anew with --overwrite"
        )
