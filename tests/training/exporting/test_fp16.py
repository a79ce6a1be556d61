"""Weights in float16: what a graph loses by them."""

from pathlib import Path

import numpy as np
import onnxruntime

from cctranslate.pixels import to_scaled
from cctranslate.recipes.components import derive
from cctranslate.recipes.student import MOUTH_STUDENT
from cctranslate.training.exporting.fp16 import pack_weights, round_weights
from cctranslate.training.exporting.graphs import TranslatorGraph
from cctranslate.training.exporting.onnx_files import translator_names, write_graph
from cctranslate.training.networks.registry import build_generator
from tests.support import pictures


def test_a_generator_that_redraws_mouths_loses_nothing_when_packed(tmp_path: Path) -> None:
    spec = derive(MOUTH_STUDENT, generator={"width": 8, "blocks": 1}).generator
    graph = TranslatorGraph(build_generator(spec), MOUTH_STUDENT.strengths).eval()
    round_weights(graph)
    faces = to_scaled(np.stack([pictures.draw_face(k, 0) for k in range(5)]))[:, None]
    labels, strength = np.eye(7, dtype=np.float32), np.ones(7, np.float32)
    path = tmp_path / "generator.onnx"
    assert write_graph(graph, path, translator_names(True), faces, labels, strength) < 1e-4
    size = path.stat().st_size
    whole = outputs(path, faces, labels, strength)
    pack_weights(path)
    assert path.stat().st_size < 0.7 * size
    for before, after in zip(whole, outputs(path, faces, labels, strength), strict=True):
        np.testing.assert_array_equal(before, after)


def outputs(
    path: Path, faces: np.ndarray, labels: np.ndarray, strength: np.ndarray
) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {"faces": faces, "labels": labels, "strength": strength}
    return [np.asarray(output) for output in session.run(None, given)]
