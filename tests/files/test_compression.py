"""Compressed files are streams: what they hold is given piece by piece, in bounded memory."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from cctranslate.files.compression import decompressed

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def opened(content: bytes) -> io.BufferedReader:
    return decompressed(io.BufferedReader(io.BytesIO(content)))


@pytest.mark.parametrize("kind", PACK)
def test_streams_one_after_the_other_are_one_file(kind: str) -> None:
    pack = PACK[kind]
    assert opened(pack(b"one ") + pack(b"two") + bytes(8 * (kind == "xz"))).read() == b"one two"


def test_what_is_not_compressed_is_given_as_it_is() -> None:
    assert opened(b"plain").read() == b"plain"
    assert opened(b"").read() == b""


@pytest.mark.parametrize("kind", PACK)
def test_a_file_that_was_cut_off_raises_at_its_end(kind: str) -> None:
    with pytest.raises(EOFError):
        opened(PACK[kind](bytes(range(256)) * 99)[:-12]).read()


@pytest.mark.parametrize("kind", PACK)
def test_a_bomb_is_read_in_little_memory(tmp_path: Path, kind: str) -> None:
    (tmp_path / "bomb").write_bytes(PACK[kind](bytes(1 << 26)))
    with (tmp_path / "bomb").open("rb") as packed:
        tracemalloc.start()
        stream = decompressed(packed)
        total = sum(map(len, iter(lambda: stream.read(1 << 16), b"")))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert total == 1 << 26
    assert peak < 1 << 24, "xz has a dictionary of 8 MiB"


def test_an_xz_header_that_asks_for_four_gigabytes_is_refused() -> None:
    content = bytearray(lzma.compress(b"small", filters=[{"id": lzma.FILTER_LZMA2}]))
    size = (content[12] + 1) * 4
    assert content[14:16] == b"\x21\x01", "LZMA2 with one byte of properties"
    content[16] = 40
    content[12 + size - 4 : 12 + size] = zlib.crc32(content[12 : 12 + size - 4]).to_bytes(
        4, "little"
    )
    with pytest.raises(lzma.LZMAError, match="limit"):
        opened(bytes(content)).read()
