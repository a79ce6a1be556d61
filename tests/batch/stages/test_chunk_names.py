"""Names that workers give to results of chunks which are done side by side."""

from pathlib import Path

from cctranslate.batch.inputs.items import Item
from cctranslate.batch.outputs.layout import Layout, Names
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.stages.chunk_names import ChunkNames
from cctranslate.batch.stages.chunks import FinishedChunk, ItemChunk

LAYOUT = Layout(kind="imagefolder", suffix=".png", tagged=False, apart=False)


def item(name: str) -> Item:
    return Item(path=Path(name), relative=name, named=False)


def finished(*names: str) -> FinishedChunk:
    return FinishedChunk(
        lines=b"", unplaced=[], counts=Counts(), inputs=1, rows=[], contents=[], names=names
    )


def test_an_input_waits_for_a_chunk_that_may_take_its_name() -> None:
    named = ChunkNames(Names(), LAYOUT)
    items = named.apart([item("a.bmp"), item("b.png"), item("A.png"), item("c.png")])
    first = [next(items), next(items)]
    begun = named.begun([ItemChunk(items=[each for each in first if each])])
    assert next(begun) is not None
    assert next(items) is None  # until the chunk with a.bmp is finished
    list(named.finished([finished("a", "b")]))
    assert [each and each.relative for each in items] == ["A.png", "c.png"]


def test_a_chunk_knows_the_names_that_are_in_its_way() -> None:
    names = Names()
    for taken in ("a", "a~2", "c"):
        names.take(taken)
    named = ChunkNames(names, LAYOUT)
    items = [item("a.png"), item("b.png"), item("A~2.png")]
    assert list(named.apart(items)) == items
    (chunk,) = named.begun([ItemChunk(items=items)])
    assert chunk is not None
    assert set(chunk.taken) == {"a", "a~2", "A~2"}


def test_names_that_no_picture_took_are_free_again() -> None:
    named = ChunkNames(Names(), LAYOUT)
    for name, given in (("a.bmp", ()), ("a.jpg", ("a",)), ("a.png", ("a~2",))):
        (one,) = named.apart([item(name)])
        assert one is not None
        (chunk,) = named.begun([ItemChunk(items=[one])])
        assert chunk is not None
        assert chunk.taken == (("a",) if name == "a.png" else ())
        list(named.finished([finished(*given)]))
