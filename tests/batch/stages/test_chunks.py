"""How many inputs go to a worker at once."""

from pathlib import Path

from cctranslate.batch.items import Item
from cctranslate.batch.stages.bounds import HEAVY, LARGEST_CHUNK, Chunker


def items(count: int) -> list[Item]:
    return [Item(path=Path(f"{n}.png"), relative=f"{n}.png", named=False) for n in range(count)]


def test_chunks_of_quick_pictures_grow_to_dozens() -> None:
    chunker, sizes = Chunker(lambda _: 0), []
    for chunk in filter(None, chunker.chunks(items(500))):
        sizes.append(len(chunk.items))
        chunker.learn(len(chunk.items), 0.0001 * len(chunk.items))
    assert sizes[:6] == [1, 2, 4, 8, 16, 32]
    assert max(sizes) == LARGEST_CHUNK
    assert sum(sizes) == 500


def test_chunks_of_slow_pictures_shrink_to_one() -> None:
    chunker = Chunker(lambda _: 0)
    chunks = filter(None, chunker.chunks(items(100)))
    for _ in range(4):
        chunker.learn(len(next(chunks).items), 0.0001)
    chunker.learn(16, 16 * 0.5)
    assert len(next(chunks).items) == 1


def test_a_heavy_picture_fills_its_chunk() -> None:
    chunker = Chunker(lambda item: HEAVY + 1 if item.relative == "7.png" else 1)
    for _ in range(10):
        chunker.learn(64, 0.001)
    chunks = list(filter(None, chunker.chunks(items(80))))
    assert [len(chunk.items) for chunk in chunks] == [8, 64, 8]
    assert [chunk.weight for chunk in chunks] == [HEAVY + 8, 64, 8]


def test_a_none_ends_a_chunk() -> None:
    chunker = Chunker(lambda _: 0)
    for _ in range(10):
        chunker.learn(64, 0.001)
    first, second = items(2)
    waits = [None, first, second, None, second]
    chunks = [chunk and chunk.items for chunk in chunker.chunks(waits)]
    assert chunks == [None, [first, second], None, [second]]
