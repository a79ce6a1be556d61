"""A bundle's models give what their graphs give, whatever the batches and the threads."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from cctranslate import bundle
from cctranslate.bundle import Bundle
from cctranslate.errors import BundleError, DeviceError
from cctranslate.faces.alignment import whole
from cctranslate.faces.compositing import adapt, carry
from cctranslate.inference.conditions import Conditions, plain_conditions
from cctranslate.inference.models import MEMORY, TranslationModels
from cctranslate.inference.sessions import CUDA, OnnxRuntimeGraph
from cctranslate.inference.variants import Plan
from cctranslate.pictures import to_gray
from cctranslate.pixels import to_levels, to_scaled
from tests.support import bundles
from tests.support.cli import run_python

SAMPLES = Path(__file__).parent.parent.parent / "datasets" / "samples"
HAPPY = plain_conditions([3])


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    pictures = [Image.open(path) for path in sorted(SAMPLES.iterdir())]
    return np.stack([to_gray(picture) for picture in pictures])


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return bundle.load(bundle.shipped())


def on_cpu(found: Bundle, batch_size: int | None = None) -> TranslationModels:
    return TranslationModels(found, "cpu", batch_size, engine="onnxruntime")


def test_models_give_the_outputs_of_their_graphs(faces: np.ndarray, shipped: Bundle) -> None:
    models = on_cpu(shipped)
    generator, judge = (
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for path in (shipped.generator, shipped.judge)
    )
    scaled, half = to_scaled(faces)[:, None], plain_conditions(strength=0.5)
    fed = {"faces": scaled, "labels": half.labels, "strength": half.strength}
    (translated,) = generator.run(["translated"], fed)
    np.testing.assert_array_equal(models.generate(faces, half), to_levels(translated[:, :, 0]))
    probabilities, features = judge.run(["probabilities", "features"], {"faces": scaled})
    np.testing.assert_array_equal(models.judge(faces), probabilities)
    np.testing.assert_array_equal(models.translate(faces, half).source_probabilities, probabilities)
    np.testing.assert_array_equal(models.classify(faces)[1], features)


def test_edits_make_the_translations_of_pictures_of_the_models_size(
    faces: np.ndarray, shipped: Bundle
) -> None:
    results = on_cpu(shipped).translate(faces, plain_conditions(), with_edits=True)
    assert results.edits is not None
    made = np.repeat(faces[:, None], 7, 1)
    for pictures, edits in zip(made, results.edits, strict=True):
        for picture, edit in zip(pictures, adapt(edits, 1), strict=True):
            carry(picture, whole(48, 48), edit, fade=False)
    # A picture's pixels are fetched by cubic interpolation, the generator's by linear one.
    assert np.abs(made.astype(int) - results.faces).mean() < 1.5
    assert np.abs(results.edits[:, :, 3]).max() > 0.2  # mouths are redrawn


def test_bytes_are_equal_for_any_batch_and_from_any_thread(
    faces: np.ndarray, shipped: Bundle
) -> None:
    many = np.concatenate([faces, 255 - faces, faces[:, ::-1], faces[:, :, ::-1]])
    expected = on_cpu(shipped).translate(many, plain_conditions(), with_edits=True)
    assert expected.edits is not None
    for size in (1, 3, 1000):
        models = on_cpu(shipped, size)
        with ThreadPoolExecutor(2) as threads:
            futures = [
                threads.submit(models.translate, many[i : i + 5], plain_conditions(), True)
                for i in (0, 5)
            ]
        for i, got in zip((0, 5), [future.result() for future in futures], strict=True):
            assert got.edits is not None
            np.testing.assert_array_equal(got.faces, expected.faces[i : i + 5])
            np.testing.assert_array_equal(got.edits, expected.edits[i : i + 5])
            np.testing.assert_array_equal(
                got.source_probabilities, expected.source_probabilities[i : i + 5]
            )


def test_batches_of_few_shapes_give_the_same(
    faces: np.ndarray, shipped: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = np.concatenate([faces, 255 - faces, faces[:, ::-1]])
    expected = on_cpu(shipped).translate(many, HAPPY)
    seen = []
    models = on_cpu(shipped, 8)
    models._backend = replace(models._backend, shapes="powers")
    run = OnnxRuntimeGraph.run

    def recorded(self: OnnxRuntimeGraph, outputs: Any, inputs: Any) -> Any:
        seen.append(len(inputs["faces"]))
        return run(self, outputs, inputs)

    monkeypatch.setattr(OnnxRuntimeGraph, "run", recorded)
    few = models.translate(many[:3], HAPPY)
    assert set(seen) == {4}, "no more than can come, in few shapes"
    seen.clear()
    np.testing.assert_array_equal(few.faces, expected.faces[:3])
    np.testing.assert_array_equal(models.translate(many, HAPPY).faces, expected.faces)
    assert set(seen) == {8}


def test_many_results_of_a_face_are_the_same_as_each_alone(
    faces: np.ndarray, shipped: Bundle
) -> None:
    models = on_cpu(shipped)
    plan = Plan(targets=("happy", "sad"), strengths=(0.5, 1), samples=20)
    every = models.generate(faces[:1], plan.conditions)
    assert every.shape[1] == 80
    for k in (0, 63, 64, 79):
        alone = models.generate(faces[:1], plan.conditions.part(slice(k, k + 1)))
        np.testing.assert_array_equal(every[0, k], alone[0, 0])


def test_a_bundle_of_format_1_takes_strength_within_its_labels(
    faces: np.ndarray, tmp_path: Path
) -> None:
    bundles.write_bundle(tmp_path)
    path = tmp_path / "generator.onnx"
    old = onnx.load(path)
    (strength,) = (value for value in old.graph.input if value.name == "strength")
    old.graph.input.remove(strength)
    old.graph.node.insert(0, onnx.helper.make_node("ReduceSum", ["labels", "rows"], ["sum"]))
    old.graph.node.insert(1, onnx.helper.make_node("Div", ["labels", "sum"], ["unit"]))
    old.graph.node.insert(2, onnx.helper.make_node("Reshape", ["sum", "line"], ["strength"]))
    (product,) = (node for node in old.graph.node if node.output[0] == "level")
    product.input[0] = "unit"
    for name, value in (("rows", [1]), ("line", [-1])):
        tensor = onnx.numpy_helper.from_array(np.array(value, np.int64), name)
        old.graph.initializer.append(tensor)
    new = on_cpu(bundle.load(tmp_path))
    expected = new.generate(faces, plain_conditions(strength=0.5))
    onnx.save(old, path)
    card = bundle.write_card(tmp_path)
    card.write_text(card.read_text().replace('"format": 2', '"format": 1'))
    got = on_cpu(bundle.load(tmp_path)).generate(faces, plain_conditions(strength=0.5))
    np.testing.assert_array_equal(got, expected)


def test_a_batch_size_is_capped_and_a_micro_batch_takes_bounded_memory(shipped: Bundle) -> None:
    models = on_cpu(shipped, 100_000)
    assert models.batch_size <= 64
    few, many = (models.micro_batch(k, with_edits=True) for k in (1, 1000))
    assert few >= models.batch_size
    assert 1 <= many <= MEMORY / (1000 * 4 * (4 + 3) * 48 * 48)
    assert models.micro_batch(10**6, with_edits=True) == 1


def test_labels_in_any_order_of_memory(faces: np.ndarray, shipped: Bundle) -> None:
    models, rows = on_cpu(shipped), plain_conditions()
    by_columns = Conditions(
        labels=np.asfortranarray(rows.labels), strength=rows.strength[::-1], targets=rows.targets
    )
    np.testing.assert_array_equal(models.generate(faces, by_columns), models.generate(faces, rows))


def test_a_wrong_input_is_named_for_what_it_is(shipped: Bundle) -> None:
    graph = OnnxRuntimeGraph(shipped.judge)
    face = np.zeros((1, 1, 48, 48), np.float32)
    wrong: list[dict[str, Any]] = [
        {"labels": face},
        {"faces": face[0]},
        {"faces": face.astype(np.float64)},
    ]
    for inputs in wrong:
        with pytest.raises(BundleError, match=r"judge.onnx: onnxruntime cannot run it: ") as raised:
            graph.run(["probabilities"], inputs)
        assert "--batch-size" not in str(raised.value)


@pytest.mark.skipif(sys.platform != "linux", reason="limits its address space")
def test_short_memory_says_what_to_try(shipped: Bundle) -> None:
    code = f"""
import resource, sys
from pathlib import Path
from typing import Any
import numpy as np
from cctranslate.errors import DeviceError
from cctranslate.inference.sessions import OnnxRuntimeGraph
graph = OnnxRuntimeGraph(Path({str(shipped.judge)!r}))
faces = np.zeros((4000, 1, 48, 48), np.float32)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
try:
    graph.run(["probabilities"], {{"faces": faces}})
except DeviceError as error:
    print(error)
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    message = "CPUExecutionProvider: memory is short: try a smaller --batch-size\n"
    assert done.stdout == message


def test_a_gpu_gives_what_the_cpu_gives(faces: np.ndarray, shipped: Bundle) -> None:
    gpu = TranslationModels(shipped)
    if gpu.provider != CUDA:
        pytest.skip("no CUDA here")
    there, here = (models.translate(faces, plain_conditions()) for models in (gpu, on_cpu(shipped)))
    np.testing.assert_allclose(there.faces.astype(int), here.faces, atol=1)
    np.testing.assert_allclose(there.source_probabilities, here.source_probabilities, atol=1e-3)
    assert np.isfinite(gpu.translate(faces[:1], HAPPY).source_probabilities).all()


@pytest.mark.parametrize(
    ("device", "engine", "precision", "reason"),
    [
        ("gpu", "auto", "f32", "expected auto, cpu or cuda"),
        ("cpu", "onnxruntime", "bf16", "--precision bf16 needs --engine openvino"),
        ("cuda", "openvino", "f32", "CUDA|leave out"),
    ],
)
def test_what_does_not_go_together_is_refused(
    shipped: Bundle, device: str, engine: str, precision: str, reason: str
) -> None:
    with pytest.raises(DeviceError, match=reason):
        TranslationModels(shipped, device, None, engine, precision)  # type: ignore[arg-type]
