"""Results in tars, which grow at their end: a result is replaced by a later one of its name."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from cctranslate import remote
from cctranslate.batch.outputs import webdataset
from cctranslate.batch.outputs.earlier.tar_members import TarMember, tar_members
from cctranslate.batch.outputs.layout import SHARD
from cctranslate.batch.report.compaction import JoinedReport
from cctranslate.batch.report.row import Row
from cctranslate.files import atomic_write, unwritable

_PIECE = 1 << 20
_BEFORE_PICTURE = (".cls", ".json")
"""Suffixes of the members that come before a sample's picture."""
Sample = list[TarMember]
"""The members of one result; its picture is the last."""


class ResultTars:
    """The results of a run in tars."""

    def __init__(self, out: Path) -> None:
        self._out, self.altered = out, set[str]()
        self._names = lru_cache(4)(_names)

    def prepare(self, report: Path) -> None:
        """Remove the half of a tar that a kill left.

        Raises:
            OutputError: it cannot be removed.
        """
        if remote.is_remote(self._out):
            return  # what is half written lies on another disk
        try:
            for path in self._out.glob(".*.tar.partial"):
                if SHARD.fullmatch(path.name[1:].removesuffix(".partial")):
                    path.unlink()
        except OSError as error:
            raise unwritable(self._out, error) from None

    def is_there(self, row: Row) -> bool:
        """Return whether a row's picture is a whole member of its tar."""
        if row.output is None:
            return True
        tar, _, name = row.output.partition(":")
        names = self._names(self._out / tar)
        return names is None or name in names

    def settle(self, joined: JoinedReport) -> None:
        """Take superseded samples out of their tars, and write the joined report.

        The report comes last: as long as it is as it was, the next call does the same again.

        Raises:
            OutputError: something cannot be written.
        """
        superseded: dict[str, dict[str, str | None]] = {}
        for stale, current in joined.superseded():
            for row in stale:
                if row.output:
                    tar, _, name = row.output.partition(":")
                    superseded.setdefault(tar, {})[name] = None
            for row in current:
                if row.output:
                    tar, _, name = row.output.partition(":")
                    if name in superseded.get(tar, ()):
                        superseded[tar][name] = row.output_sha256
        for tar, digests in sorted(superseded.items()):
            path = self._out / tar
            if remote.is_remote(path):
                _purge_remote(path, digests)
            elif path.is_file():
                _purge(path, digests)
        joined.write(joined.rows())


def _names(path: Path) -> frozenset[str] | None:
    """Return the names of a tar's members; None of a large or remote one that is taken to be whole.

    These are not read: a run may have very many of them.
    """
    try:
        if remote.is_remote(path):
            return None if path.exists() else frozenset()
        with path.open("rb") as file:
            whole = file.seek(0, 2) >= webdataset.FULL // 4 and _is_ended(file)
    except OSError:
        return frozenset()
    return None if whole else frozenset(member.name for member in tar_members(path))


def _is_ended(file: BinaryIO) -> bool:
    end = len(webdataset.END)
    length = file.seek(0, 2)
    file.seek(max(length - end, 0))
    return file.read() == webdataset.END


def _purge_remote(path: Path, digests: Mapping[str, str | None]) -> None:
    """Take superseded samples out of a tar in a store, by way of this disk."""
    try:
        with TemporaryDirectory(prefix="cctranslate-") as folder:
            here = Path(folder, path.name)
            if remote.download(path, here) and _purge(here, digests):
                if here.exists():
                    remote.upload(here, path)
                else:
                    path.unlink()
    except OSError as error:
        raise unwritable(path, error) from None


def _purge(path: Path, digests: Mapping[str, str | None]) -> bool:
    """Take superseded samples out of a tar; it is replaced whole or not at all.

    Return whether it has changed; without any samples it is removed.

    Args:
        path: The tar.
        digests: For the name of each superseded picture the digest of the one that stays, None if
            that does not lie in this tar.

    Raises:
        OutputError: the tar cannot be read or written.
    """
    try:
        with path.open("rb") as file:
            samples = list(_samples(path))
            staying = _staying(samples, digests, file)
            if staying == samples and _is_ended(file):
                return False
            if not staying:
                path.unlink()
                return True
            with atomic_write(path) as copy:
                for sample in staying:
                    _copy(file, copy, sample[0].start, sample[-1].end)
                copy.write(webdataset.END)
            return True
    except OSError as error:
        raise unwritable(path, error) from None


def _samples(path: Path) -> Iterator[Sample]:
    for _, members in groupby(tar_members(path), key=_key):
        yield from _divided(list(members))


def _key(member: TarMember) -> str:
    """Return what the members of one sample have in common."""
    return member.name.split(".")[0]


def _divided(members: Sample) -> Iterator[Sample]:
    """Divide members of one key: where a name comes again, another sample begins."""
    sample: Sample = []
    for member in members:
        if any(member.name == other.name for other in sample):
            yield sample
            sample = []
        sample.append(member)
    yield sample


def _staying(
    samples: list[Sample], digests: Mapping[str, str | None], file: BinaryIO
) -> list[Sample]:
    """Return the samples that stay: of those of one name the last that is as it was recorded.

    What is left of a sample that lost its picture goes, too.
    """
    keys = {name.split(".")[0] for name in digests}
    best: dict[str, tuple[bool, int]] = {}
    for number, sample in enumerate(samples):
        name = sample[-1].name
        if digest := digests.get(name):
            same = _digest(file, sample[-1]) == digest
            best[name] = max(best.get(name, (False, -1)), (same, number))
    return [
        sample
        for number, sample in enumerate(samples)
        if (
            best.get(sample[-1].name, (False, -1))[1] == number
            if sample[-1].name in digests
            else not (sample[-1].name.endswith(_BEFORE_PICTURE) and _key(sample[-1]) in keys)
        )
    ]


def _digest(file: BinaryIO, member: TarMember) -> str:
    file.seek(member.content)
    return hashlib.sha256(file.read(member.size)).hexdigest()


def _copy(file: BinaryIO, copy: BinaryIO, start: int, end: int) -> None:
    file.seek(start)
    while start < end:
        piece = file.read(min(_PIECE, end - start))
        copy.write(piece)
        start += len(piece)
