"""`--layout webdataset`: results in numbered tars, the form that the `webdataset` library reads."""

import json
import tarfile
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.layout import TAR_NAME, tar_name
from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.batch.outputs.writers import (
    PackedResults,
    ResultToWrite,
    UnplacedResults,
    fingerprint,
    split_before_output,
)
from cctranslate.batch.report.row import Row
from cctranslate.emotions import EMOTIONS
from cctranslate.files.remote import is_remote, upload
from cctranslate.files.tar_members import tar_members
from cctranslate.files.writing import AppendOnlyFile, temporary_name, unwritable

FULL = 256 << 20
"""Bytes after which a tar takes no further input: some 45,000 faces."""
_BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * _BLOCK)
"""The end of a tar."""


@dataclass(frozen=True, kw_only=True)
class SamplePacker:
    """Packs each result as a sample: a class, facts and a picture, as members of a tar."""

    encoding: Encoding
    in_memory: bool = True

    def pack(self, results: Iterable[ResultToWrite]) -> PackedResults:
        """Return the members of an input's results.

        Raises:
            OSError: The format cannot hold a picture.
        """
        members, fingerprints = [], {}
        for to_write in results:
            picture = self.encoding.encode(to_write.result, to_write.target)
            members.append(_sample(to_write, picture))
            fingerprints[to_write.output] = fingerprint(picture)
        return PackedResults(content=b"".join(members), fingerprints=fingerprints)


class TarWriter:
    """Writes the numbered tars of a run. The last one is open and grows; the others are full.

    No time or owner is written, so that the same results give the same bytes.
    """

    split_line = staticmethod(split_before_output)

    def __init__(self, out: Path, encoding: Encoding, last: Collection[str]) -> None:
        """Continue after the results `last`; later members have no row and are dropped.

        Raises:
            OutputError: Later members or tars cannot be dropped.
        """
        self.packer, self._out = SamplePacker(encoding=encoding), out
        self._number = int(min(last).partition(".")[0]) if last else -1
        path = out / tar_name(self._number)
        self._file = AppendOnlyFile(path, _end(path, last)) if last else None
        try:
            for later in out.iterdir():
                number = int(later.stem) if TAR_NAME.fullmatch(later.name) else -1
                if number > self._number and is_ours(later):
                    later.unlink()
        except OSError as error:
            raise unwritable(out, error) from None

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Append an input's members to one tar.

        Raises:
            OutputError: It cannot be written.
        """
        if not content:
            return rows
        self._open().add(content)
        return [
            replace(row, output=f"{tar_name(self._number)}:{row.output}") if row.output else row
            for row in rows
        ]

    def append_inputs(self, inputs: Sequence[UnplacedResults]) -> bytes:
        """Append the members of some inputs, and return their lines of the report.

        The members of an input all go to one tar.

        Raises:
            OutputError: They cannot be written.
        """
        lines = []
        for packed in inputs:
            if packed.content:
                self._open().add(packed.content)
            lines.append(f"{tar_name(self._number)}:".encode().join(packed.pieces))
        return b"".join(lines)

    def _open(self) -> AppendOnlyFile:
        """Return the tar for the next input."""
        if self._file is None or self._file.end >= FULL:
            self.close()
            self._number += 1
            while (self._out / tar_name(self._number)).exists():
                self._number += 1  # somebody else's
            self._file = AppendOnlyFile(self._out / tar_name(self._number), 0)
        return self._file

    def close(self) -> None:
        """Write the end of the open tar, and close it.

        Raises:
            OutputError: It cannot be written.
        """
        if self._file is not None:
            self._file.add(END)
            self._file.close()
            self._file = None


class BlockTarWriter:
    """Writes the tar of one block. It gets its final name when it is closed, whole."""

    def __init__(self, out: Path, encoding: Encoding, number: int) -> None:
        self.packer = SamplePacker(encoding=encoding)
        self._path = out / tar_name(number)
        self._partial = temporary_name(self._path)
        if is_remote(out):
            self._folder = TemporaryDirectory(prefix="cctranslate-")
            self._partial = Path(self._folder.name) / self._path.name
        self._file: AppendOnlyFile | None = None

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Append an input's members.

        Raises:
            OutputError: They cannot be written.
        """
        if not content:
            return rows
        if self._file is None:
            self._file = AppendOnlyFile(self._partial, 0)
        self._file.add(content)
        name = self._path.name
        return [replace(row, output=f"{name}:{row.output}") if row.output else row for row in rows]

    def close(self) -> None:
        """Write the end of the tar, and rename it to its final name.

        Raises:
            OutputError: It cannot be written.
        """
        if self._file is not None:
            self._file.add(END)
            self._file.close()
            try:
                if is_remote(self._path):
                    upload(self._partial, self._path)
                else:
                    self._partial.replace(self._path)
            except OSError as error:
                raise unwritable(self._path, error) from None


def _sample(to_write: ResultToWrite, picture: bytes) -> bytes:
    """Return a result's class, facts and picture as members of a tar."""
    key = to_write.output.rpartition(".")[0]
    label = str(EMOTIONS.index(to_write.target))
    facts = json.dumps(_facts(to_write.rows))
    labels = member(f"{key}.cls", label.encode()) + member(f"{key}.json", facts.encode())
    return labels + member(to_write.output, picture)


def member(name: str, content: bytes) -> bytes:
    """Return a file as a member of a tar."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    header = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    return header + content + bytes(-len(content) % _BLOCK)


def _facts(rows: tuple[Row, ...]) -> dict[str, Any]:
    """Return a sample's JSON; it has no null, so that each value has one type throughout."""
    first = rows[0]
    return {
        "target": first.target,
        "strength": first.strength,
        "sample": first.sample,
        "confirmed": all(row.confirmed for row in rows),
        "source_label": first.source_label or "",
        "source_sha256": first.source_sha256,
        "faces": [
            {
                "face": row.face,
                "box": list(row.box or ()),
                "source_predicted": row.source_predicted,
                "predicted": row.predicted,
                "confidence": row.confidence,
                "confirmed": row.confirmed,
                "probabilities": dict(zip(EMOTIONS, row.probabilities or (), strict=True)),
            }
            for row in rows
        ],
    }


def _end(path: Path, last: Collection[str]) -> int:
    """Return the position in bytes after the last of some results in its tar.

    A name may come more often than the report has it: a kill left the further members.
    """
    remaining = Counter(output.partition(":")[2] for output in last)
    end = 0
    for member in tar_members(path):
        if remaining[member.name] > 0:
            remaining[member.name] -= 1
            end = member.end
    return end
