"""Translate the blocks of a plan in this process, for results that go to a store."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from cctranslate.batch.call.options import Options
from cctranslate.batch.runners.blocks.block_translator import BlockTranslator, WorkerSetup
from cctranslate.batch.runners.blocks.blocks import BlockResult
from cctranslate.batch.stages.setup import open_models
from cctranslate.bundle import Bundle
from cctranslate.inference.sessions import cores


class LocalBlocks:
    """Translates one block after the other."""

    workers = 1

    def __init__(self, options: Options, loaded: Bundle) -> None:
        """Open the models.

        Raises:
            DeviceError: The device cannot be used.
            BundleError: A graph that cannot be loaded.
        """
        self._models = open_models(options, loaded)
        self.provider, self.engine = self._models.provider, self._models.engine

    def notes(self) -> Iterator[str]:
        """Return nothing: there is no cluster to describe."""
        return iter(())

    def translate(
        self, options: Options, first_tar: int, numbers: Sequence[int]
    ) -> Generator[BlockResult]:
        """Translate blocks in their order.

        Raises:
            OutputError: Results cannot be written.
            DeviceError: Memory is short, or the device failed.
        """
        setup = WorkerSetup(
            options=options,
            folder=Path.cwd(),
            device=options.device,
            engine=self.engine,
            threads=options.workers or cores(),
            first_tar=first_tar,
        )
        translator = BlockTranslator(setup, self._models)
        for number in numbers:
            yield translator.translate(number)
