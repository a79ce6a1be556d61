"""Bounds by bytes: what an input is expected to take, and what there is."""

from dataclasses import replace
from pathlib import Path

import pytest

from cctranslate.batch.items import BrokenItem, ContentItem, DatasetRow, Item
from cctranslate.batch.stages import bounds


def test_a_file_weighs_by_its_size_and_a_member_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bytes(1000))
    item = Item(path=tmp_path / "a.png", relative="a.png", named=True)
    assert bounds.weigh(item) == 1000 * bounds.EXPANSION
    assert bounds.weigh(replace(item, path=tmp_path / "gone.png")) == 0
    member = ContentItem(path=tmp_path / "a.zip", relative="b.png", named=False, content=bytes(10))
    assert bounds.weigh(member) == 10 * bounds.EXPANSION
    empty = replace(member, inner="b.png", content=b"")
    assert bounds.weigh(empty) == 0
    row = DatasetRow(path=item.path, relative="1", named=False, inner="1", pixels="255 0 1")
    assert bounds.weigh(row) == 7 * bounds.EXPANSION
    broken = BrokenItem(path=item.path, relative="a.png", named=True, reason="missing")
    assert bounds.weigh(broken) == 0


@pytest.mark.parametrize(
    ("physical", "container", "budget"),
    [
        (16 << 30, 4 << 30, 1 << 30),
        (4 << 30, 16 << 30, 1 << 30),
        (16 << 30, 0, 4 << 30),
        (0, 16 << 30, 4 << 30),
        (1 << 20, 0, bounds.LEAST),
        (0, 0, bounds.LEAST),
    ],
)
def test_the_budget_is_a_quarter_of_what_there_is(
    monkeypatch: pytest.MonkeyPatch, physical: int, container: int, budget: int
) -> None:
    monkeypatch.setattr(bounds, "_physical", lambda: physical)
    monkeypatch.setattr(bounds, "_container", lambda: container)
    assert bounds.budget() == budget
