"""OpenVINO gives what onnxruntime gives, and says what it cannot do."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate import bundle
from cctranslate.errors import BundleError, DeviceError
from cctranslate.inference import engines
from cctranslate.inference.conditions import plain_conditions
from cctranslate.inference.engines import AMX, OPENVINO, Backend, choose
from cctranslate.inference.models import TranslationModels
from cctranslate.pictures import to_gray
from tests.support.cli import run_python

SAMPLES = Path(__file__).parent.parent.parent / "datasets" / "samples"


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    pytest.importorskip("openvino")
    pictures = [Image.open(path) for path in sorted(SAMPLES.iterdir())]
    return np.stack([to_gray(picture) for picture in pictures])


def test_f32_results_differ_only_by_the_rounding_of_gray_levels(faces: np.ndarray) -> None:
    found = bundle.load(bundle.shipped())
    ours = TranslationModels(found, "cpu", 4, engine="openvino")
    assert (ours.engine, ours.precision, ours.provider) == ("openvino", "f32", OPENVINO)
    theirs = TranslationModels(found, "cpu", engine="onnxruntime")
    got, expected = (
        m.translate(faces, plain_conditions([3, 4]), with_edits=True) for m in (ours, theirs)
    )
    gap = np.abs(got.faces.astype(int) - expected.faces)
    assert gap.max() <= 1
    assert gap.mean() < 1e-3
    assert got.edits is not None
    assert expected.edits is not None
    np.testing.assert_allclose(got.edits, expected.edits, atol=1e-4)
    np.testing.assert_allclose(got.source_probabilities, expected.source_probabilities, atol=1e-5)
    np.testing.assert_allclose(ours.judge(got.faces), theirs.judge(got.faces), atol=1e-5)


def test_bf16_results_differ_by_little(faces: np.ndarray) -> None:
    found = bundle.load(bundle.shipped())
    if not {"avx512_bf16", "amx_bf16"} & engines.processor_flags():
        with pytest.raises(DeviceError, match="this processor cannot compute it"):
            TranslationModels(found, "cpu", precision="bf16")
        return
    ours = TranslationModels(found, "cpu", engine="auto", precision="bf16")
    assert (ours.engine, ours.precision) == ("openvino", "bf16")
    got = ours.translate(faces, plain_conditions())
    expected = TranslationModels(found, "cpu", engine="onnxruntime").translate(
        faces, plain_conditions()
    )
    gap = np.abs(got.faces.astype(int) - expected.faces)
    assert 0 < gap.mean() < 1
    assert np.array_equal(
        got.source_probabilities.argmax(1), expected.source_probabilities.argmax(1)
    )


def test_results_do_not_depend_on_the_other_faces(faces: np.ndarray) -> None:
    models = TranslationModels(bundle.load(bundle.shipped()), "cpu", 4, engine="openvino")
    every = models.translate(faces, plain_conditions([2]))
    alone = models.translate(faces[5:], plain_conditions([2]))
    np.testing.assert_array_equal(every.faces[5:], alone.faces)
    np.testing.assert_array_equal(every.source_probabilities[5:], alone.source_probabilities)


def test_a_graph_that_openvino_cannot_read_is_named(faces: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "judge.onnx"
    path.write_bytes(b"not a graph")
    with pytest.raises(BundleError, match=r"judge.onnx: OpenVINO cannot run it"):
        engines._openvino("f32", 1).open(path)


def test_auto_depends_on_packages_and_processor_and_never_on_timings(
    faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = bundle.load(bundle.shipped())

    def choice(flags: set[str]) -> Backend:
        monkeypatch.setattr(engines, "processor_flags", lambda: frozenset(flags))
        return choose(found, "cpu", "auto", "f32")

    assert choice({"avx512f"}).engine == "onnxruntime"
    assert choice({"avx512f", AMX}).engine == "openvino"


def test_without_openvino_the_option_says_what_to_install() -> None:
    code = """
import sys
sys.modules["openvino"] = None
from cctranslate import bundle
from cctranslate.inference.models import TranslationModels
try:
    TranslationModels(bundle.load(bundle.shipped()), "cpu", engine="openvino")
except Exception as error:
    print(type(error).__name__, error)
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert "DeviceError" in done.stdout
    assert "pip install 'cctranslate[openvino]'" in done.stdout
