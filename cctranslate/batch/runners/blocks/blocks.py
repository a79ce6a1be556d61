"""The interface of what translates the blocks of a plan: this process, or a cluster's actors."""

from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

from cctranslate.batch.call.options import Options
from cctranslate.batch.report.counts import Counts
from cctranslate.inference.engines import Engine

BlockResult = tuple[int, Counts]
"""The number of a block's inputs, and their counts."""


class Blocks(Protocol):
    """Translates blocks."""

    @property
    def provider(self) -> str:
        """The provider or device that the models run on."""

    @property
    def engine(self) -> Engine:
        """The engine that runs the models."""

    @property
    def workers(self) -> int:
        """Most blocks that are translated at once."""

    def notes(self) -> Iterator[str]:
        """Yield lines to print when a call begins."""

    def translate(
        self, options: Options, first_tar: int, numbers: Sequence[int]
    ) -> Generator[BlockResult]:
        """Translate blocks, and yield their results, in any order.

        If the generator is closed, blocks in progress are abandoned.

        Args:
            options: The call's options.
            first_tar: The number of the first block's tar.
            numbers: The blocks.

        Raises:
            UserError: As a worker raised it.
        """
