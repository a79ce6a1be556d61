"""A generator that gives no numbers, for some faces or for all."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from PIL import Image

from cctranslate import bundle
from cctranslate.errors import BundleError
from cctranslate.inference.conditions import plain_conditions
from cctranslate.inference.models import TranslationModels
from tests.support import bundles
from tests.support.cli import invoke
from tests.support.reports import rows, tree


@pytest.fixture(params=[False, True], ids=["picture", "edits"])
def broken(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A bundle whose generator takes the root of a negative number where a face is black."""
    folder = bundles.write_bundle(tmp_path / "bundle", edits=request.param)
    model = onnx.load(folder / "generator.onnx")
    for node in model.graph.node:
        for words in (node.input, node.output):
            words[:] = ["sound" if word == "translated" else word for word in words]
    model.graph.initializer.append(
        numpy_helper.from_array(np.asarray(0.99, np.float32), "nearly_one")
    )
    model.graph.node.extend(
        [
            helper.make_node("Add", ["faces_5d", "nearly_one"], ["above"]),
            helper.make_node("Sqrt", ["above"], ["root"]),
            helper.make_node("Sub", ["root", "root"], ["nothing"]),
            helper.make_node("Add", ["sound", "nothing"], ["translated"]),
        ]
    )
    onnx.save(model, folder / "generator.onnx")
    bundle.write_card(folder)
    return folder


def test_only_faces_whose_pixels_are_not_numbers_fail(broken: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, darkest in (("a", 1), ("b", 0), ("c", 1)):
        levels = np.full((48, 48), 90, np.uint8)
        levels[20] = darkest + 1
        levels[30, 30] = darkest * 2
        Image.fromarray(levels).save(tmp_path / "in" / f"{name}.png")
    words = ("--to", "sad", "-o", tmp_path / "out", "--weights", broken)
    result = invoke("batch", tmp_path / "in", *words)
    assert result.exit_code == 1, result.output
    found = rows(tmp_path / "out")
    assert [row["status"] for row in found] == ["done", "failed", "done"]
    assert found[1]["reason"].startswith("translate: a score or a pixel is not a number: check")
    assert len(tree(tmp_path / "out")) == 2


def test_doctor_and_evaluate_name_a_bundle_whose_pixels_are_no_numbers(broken: Path) -> None:
    result = invoke("doctor", "--weights", broken)
    assert result.exit_code == 4, result.output
    assert "pixels are no numbers" in result.output
    models = TranslationModels(bundle.load(broken), "cpu", engine="onnxruntime")
    with pytest.raises(BundleError, match="gives pixels that are no numbers: export it again"):
        models.generate(np.zeros((2, 48, 48), np.uint8), plain_conditions([3]))
