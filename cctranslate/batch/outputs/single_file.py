"""`-o happy.jpg`: the only result of one picture as that file."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.writers import PackedResults, ResultToWrite, fingerprint
from cctranslate.batch.report.row import Row
from cctranslate.files.writing import atomic_write


@dataclass(frozen=True, kw_only=True)
class SingleFilePacker:
    """Encodes the only result of a picture."""

    encoding: Encoding
    in_memory: bool = True

    def pack(self, results: Iterable[ResultToWrite]) -> PackedResults:
        """Return the result as the bytes of a file.

        Raises:
            OSError: There are several, or the format cannot hold it.
        """
        to_write = list(results)
        if len(to_write) > 1:
            raise OSError(f"{len(to_write)} results: name a folder with -o")
        content = self.encoding.encode(to_write[0].result, to_write[0].target)
        return PackedResults(
            content=content, fingerprints={to_write[0].output: fingerprint(content)}
        )


class SingleFileWriter:
    """Writes one file, whole or not at all."""

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self.packer, self._path = SingleFilePacker(encoding=encoding), path

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Write the result.

        Raises:
            OutputError: It cannot be written.
        """
        if content:
            with atomic_write(self._path) as file:
                file.write(content)
        return rows

    def close(self) -> None:
        """Do nothing: no file is open."""
