"""A bundle is used only if its files are those that its card vouches for."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cctranslate import bundle
from cctranslate.errors import BundleError


@pytest.fixture
def copied(weights: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(weights, tmp_path / "bundle"))


def edit(folder: Path, **facts: Any) -> None:
    card = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps({**card, **facts}))


def test_a_whole_bundle_loads(weights: Path) -> None:
    found = bundle.load(weights)
    assert found.generator.is_file()
    assert found.judge.is_file()
    assert found.digests == {
        "generator": bundle.sha256(found.generator),
        "judge": bundle.sha256(found.judge),
    }


def test_no_bundle_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"bundle\.json: not found: name a folder that"):
        bundle.load(tmp_path)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"format": 99}, "bundle format 99, this version reads 1 and 2"),
        ({"classes": ["happy"]}, "other classes"),
        ({"image_size": 64}, "image size"),
        ({"files": None}, "no entry for the generator"),
        ({"files": ["generator"]}, "no entry for the generator"),
        ({"files": {"generator": {"name": "../g.onnx", "sha256": ""}}}, "outside the bundle"),
    ],
)
def test_a_card_of_something_else_is_refused(
    copied: Path, facts: dict[str, Any], reason: str
) -> None:
    edit(copied, **facts)
    with pytest.raises(BundleError, match=reason):
        bundle.load(copied)


@pytest.mark.parametrize("content", ["", "[]", "\0"])
def test_a_broken_card_is_refused(copied: Path, content: str) -> None:
    (copied / "bundle.json").write_text(content)
    with pytest.raises(BundleError, match=r"bundle\.json: "):
        bundle.load(copied)


def test_a_missing_or_altered_file_is_refused(copied: Path) -> None:
    with (copied / "judge.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match=r"judge\.onnx: altered since export"):
        bundle.load(copied)
    (copied / "judge.onnx").unlink()
    with pytest.raises(BundleError, match=r"judge\.onnx: missing"):
        bundle.load(copied)
