"""Graphs whose digests are right and whose outputs are of another shape."""

import shutil
from pathlib import Path

import onnx
import pytest

from cctranslate import bundle
from tests.support import bundles, pictures
from tests.support.cli import invoke


def renamed(source: Path, target: Path, names: dict[str, str]) -> None:
    """Write a graph in which what has some names has others."""
    model = onnx.load(source)
    for node in model.graph.node:
        for words in (node.input, node.output):
            words[:] = [names.get(word, word) for word in words]
    for output in model.graph.output:
        output.name = names.get(output.name, output.name)
    onnx.save(model, target)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return bundles.write_bundle(tmp_path / "bundle", edits=True, presence=True)


def judge_as_presence(folder: Path) -> None:
    shutil.copy(folder / "judge.onnx", folder / "face_presence.onnx")


def probabilities_as_logits(folder: Path) -> None:
    names = {"probabilities": "logits", "logits": "inner"}
    renamed(folder / "judge.onnx", folder / "face_presence.onnx", names)


def flow_as_translated(folder: Path) -> None:
    names = {"flow": "translated", "translated": "flow"}
    renamed(folder / "generator.onnx", folder / "generator.onnx", names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (judge_as_presence, "logits"),
        (probabilities_as_logits, "logits has the shape"),
        (flow_as_translated, "translated has the shape"),
    ],
)
def test_a_graph_of_another_shape_is_exit_4_for_batch_and_doctor(
    whole: Path, tmp_path: Path, change: object, message: str
) -> None:
    assert callable(change)
    change(whole)
    bundle.write_card(whole)
    (tmp_path / "a.png").write_bytes(pictures.png(3, 3))
    for words in (
        ("batch", tmp_path / "a.png", "--to", "sad", "-o", tmp_path / "out"),
        ("doctor",),
    ):
        result = invoke(*words, "--weights", whole)
        assert result.exit_code == 4, (result.output, result.exception)
        assert message in result.output
