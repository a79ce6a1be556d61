"""Names that workers give to results of chunks which are done side by side."""

from pathlib import Path

from cctranslate.batch.items import Item
from cctranslate.batch.outputs.layout import Layout, Names
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.stages.bounds import LARGEST_CHUNK, Chunker
from cctranslate.batch.stages.chunk_names import ChunkNames
from cctranslate.batch.stages.chunks import FinishedChunk, ItemChunk

LAYOUT = Layout(kind="imagefolder", suffix=".png", names_strength=False, separate_faces=False)


def chunk(*names: str) -> ItemChunk:
    return ItemChunk(items=[Item(path=Path(n), relative=n, named=False) for n in names])


def finished(*names: str) -> FinishedChunk:
    return FinishedChunk(
        lines=b"", unplaced=[], counts=Counts(), inputs=1, rows=[], contents=[], names=names
    )


def test_a_chunk_waits_for_one_that_may_take_its_names() -> None:
    named = ChunkNames(Names(), LAYOUT)
    with_reserved_names = named.with_reserved_names(
        [chunk("a.bmp", "b.png"), chunk("c.png"), chunk("d.png", "A.png")]
    )
    assert [
        each is None
        for each in (
            next(with_reserved_names),
            next(with_reserved_names),
            next(with_reserved_names),
        )
    ] == [
        False,
        False,
        True,
    ]
    list(named.finished([finished("a", "b"), finished("c")]))
    last = next(with_reserved_names)
    assert last is not None
    assert last.reserved == ("A",)  # as `a`, to a file system that ignores case


def test_a_chunk_knows_the_names_that_are_in_its_way() -> None:
    names = Names()
    for taken in ("a", "a~2", "c"):
        names.add(taken)
    (only,) = ChunkNames(names, LAYOUT).with_reserved_names([chunk("a.png", "b.png", "A~2.png")])
    assert only is not None
    assert set(only.reserved) == {"a", "a~2", "A~2"}


def test_names_that_no_picture_took_are_free_again() -> None:
    named = ChunkNames(Names(), LAYOUT)
    for name, given in (("a.bmp", ()), ("a.jpg", ("a",)), ("a.png", ("a~2",))):
        (only,) = named.with_reserved_names([chunk(name)])
        assert only is not None
        assert only.reserved == (("a",) if name == "a.png" else ())
        list(named.finished([finished(*given)]))


def test_neighbors_that_want_one_name_come_in_one_chunk() -> None:
    named = ChunkNames(Names(), LAYOUT)
    chunker = Chunker(lambda _: 0, group=named.group)
    files = [f"{number:04}{suffix}" for number in range(500) for suffix in (".png", ".txt")]
    sizes = []
    for each in named.with_reserved_names(chunker.chunks(chunk(*files).items)):
        assert each is not None  # none waits for another
        sizes.append(len(each.items))
        chunker.learn(len(each.items), 0.0001 * len(each.items))
    assert sizes[:4] == [2, 2, 4, 8]
    assert sum(sizes) == 1000


def test_a_chunk_of_namesakes_ends_all_the_same() -> None:
    named = ChunkNames(Names(), LAYOUT)
    chunker = Chunker(lambda _: 0, group=named.group)
    sizes = [len(each.items) for each in chunker.chunks(chunk(*["a.png"] * 1000).items) if each]
    assert max(sizes) == 2 * LARGEST_CHUNK
