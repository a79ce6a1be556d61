"""Run folders: their names, and what stands in them that `fit` did not write."""

from pathlib import Path

import pytest

from cctranslate.errors import RunError
from cctranslate.recipes.registry import find
from cctranslate.training.run_folder import (
    MANIFEST,
    RunManifest,
    latest_folder,
    next_folder,
    read_json,
    read_manifest,
    write_manifest,
)


def test_run_folders_are_numbered_past_999(tmp_path: Path) -> None:
    for name in ("999-t26", "1000-t26", "1001-flow", "notes"):
        (tmp_path / name).mkdir()
    assert latest_folder(tmp_path, "t26").name == "1000-t26"
    assert next_folder(tmp_path, "t26").name == "1002-t26"


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, "\ufeff{}", '{"recipe": null}'])
def test_a_damaged_recipe_is_named_with_what_to_do(tmp_path: Path, content: str) -> None:
    write_manifest(tmp_path, RunManifest(recipe=find("t26"), seed=0, data={}))
    assert read_manifest(tmp_path).recipe == find("t26")
    (tmp_path / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match="put back a copy of it") as refused:
        read_manifest(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / MANIFEST}: ")


@pytest.mark.parametrize("content", ["", "[]", "5", "[" * 100_000])
def test_figures_that_fit_did_not_write_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "measured.json").write_text(content)
    with pytest.raises(RunError, match="measured"):
        read_json(tmp_path / "measured.json")
