"""Earlier results in `--layout webdataset`: samples in tars, where a newer one is appended."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from cctranslate.batch.outputs import webdataset
from cctranslate.batch.outputs.layout import TAR_NAME
from cctranslate.batch.report.compaction import JoinedReport
from cctranslate.batch.report.row import Row
from cctranslate.files import remote
from cctranslate.files.tar_members import TarMember, tar_members
from cctranslate.files.writing import atomic_write, unwritable

_PIECE = 1 << 20
"""Bytes that are read at once."""
_BEFORE_PICTURE = (".cls", ".json")
"""Suffixes of the members that come before a sample's picture."""
Sample = list[TarMember]
"""The members of one result; its picture is the last."""


class ResultTars:
    """Earlier results in tars."""

    def __init__(self, out: Path) -> None:
        self._out, self.altered = out, set[str]()
        self._names = lru_cache(4)(_names)

    def prepare(self, report: Path) -> None:
        """Remove partial tars that a kill left.

        Raises:
            OutputError: It cannot be removed.
        """
        if remote.is_remote(self._out):
            return  # partial tars are on a local disk
        try:
            for path in self._out.glob(".*.tar.partial"):
                if TAR_NAME.fullmatch(path.name[1:].removesuffix(".partial")):
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

    def remove_superseded(self, joined: JoinedReport) -> None:
        """Remove superseded samples from their tars, and write the joined report.

        The report comes last: until it is replaced, the next call repeats the work.

        Raises:
            OutputError: Something cannot be written.
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
    """Return the names of a tar's members; None for a large or remote tar, which counts as whole.

    Such tars are not read: a run may have very many.
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
    """Remove superseded samples from a tar in a store, through a temporary copy."""
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
    """Remove superseded samples from a tar, and return whether it has changed.

    The tar is replaced whole or not at all. If no sample is left, it is removed.

    Args:
        path: The tar.
        digests: By the name of each superseded picture: the digest of the picture that stays, or
            None if that picture is not in this tar.

    Raises:
        OutputError: The tar cannot be read or written.
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
    for _, members in groupby(tar_members(path), key=lambda member: _key(member.name)):
        yield from _divided(list(members))


def _key(name: str) -> str:
    """Return the key that the names of one sample's members share."""
    return name.split(".")[0]


def _divided(members: Sample) -> Iterator[Sample]:
    """Split members of one key into samples: a new sample begins where a name repeats."""
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
    """Return the samples that stay.

    Of several samples of one name the last one that matches its recorded digest stays. Members of a
    sample without its picture are removed.
    """
    keys = {_key(name) for name in digests}
    best: dict[str, tuple[bool, int]] = {}  # whether the digest matches, and the sample's number
    for number, sample in enumerate(samples):
        name = sample[-1].name
        if digest := digests.get(name):
            same = _digest(file, sample[-1]) == digest
            best[name] = max(best.get(name, (False, -1)), (same, number))

    def stays(number: int, name: str) -> bool:
        if name in digests:
            return name in best and best[name][1] == number
        lacks_picture = name.endswith(_BEFORE_PICTURE)
        return not (lacks_picture and _key(name) in keys)

    return [sample for number, sample in enumerate(samples) if stays(number, sample[-1].name)]


def _digest(file: BinaryIO, member: TarMember) -> str:
    file.seek(member.content)
    return hashlib.sha256(file.read(member.size)).hexdigest()


def _copy(file: BinaryIO, copy: BinaryIO, start: int, end: int) -> None:
    file.seek(start)
    while start < end:
        piece = file.read(min(_PIECE, end - start))
        copy.write(piece)
        start += len(piece)
