"""Bounds by bytes: what an input is expected to take, and what there is."""

from dataclasses import replace
from pathlib import Path

from cctranslate.batch.inputs.items import Broken, Item, Member
from cctranslate.batch.stages import bounds


def test_a_file_weighs_by_its_size_and_a_member_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bytes(1000))
    item = Item(path=tmp_path / "a.png", relative="a.png", named=True)
    assert bounds.weigh(item) == 1000 * bounds.EXPANSION
    assert bounds.weigh(replace(item, path=tmp_path / "gone.png")) == 0
    member = Member(path=tmp_path / "a.zip", relative="b.png", named=False, content=bytes(10))
    assert bounds.weigh(member) == 10 * bounds.EXPANSION
    broken = Broken(path=item.path, relative="a.png", named=True, reason="missing")
    assert bounds.weigh(broken) == 0


def test_the_budget_is_some_of_what_there_is() -> None:
    assert bounds.budget() >= bounds.LEAST
    assert bounds.budget() <= max(bounds.LEAST, bounds._physical())
