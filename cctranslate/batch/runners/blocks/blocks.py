"""What translates the blocks of a plan: this process, or the actors of a cluster."""

from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

from cctranslate.batch.options import Options
from cctranslate.batch.report.counts import Counts
from cctranslate.inference.engines import Engine

BlockResult = tuple[int, Counts]
"""The number of a block's inputs, and their counts."""


class Blocks(Protocol):
    """Translates blocks."""

    @property
    def provider(self) -> str:
        """What inference runs on."""

    @property
    def engine(self) -> Engine:
        """What runs the models."""

    @property
    def workers(self) -> int:
        """How many blocks are translated at once, at most."""

    def notes(self) -> Iterator[str]:
        """Return what to tell when a call begins, a line each."""

    def translate(
        self, options: Options, first_tar: int, numbers: Sequence[int]
    ) -> Generator[BlockResult]:
        """Translate blocks, in any order; return of each what came of it.

        If the iterator is closed, blocks in progress are given up.

        Args:
            options: The call's options.
            first_tar: The number of the first block's tar.
            numbers: The blocks.

        Raises:
            UserError: A worker met what users can mend.
        """
