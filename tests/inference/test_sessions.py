"""What onnxruntime is given and gives, on this machine's devices."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from cctranslate import bundle
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import DeviceError
from cctranslate.inference.sessions import CUDA, TranslationModels
from cctranslate.pixels import to_gray, to_scaled

SAMPLES = Path(__file__).parent.parent.parent / "datasets" / "samples"
LABELS = np.eye(len(EMOTIONS), dtype=np.float32)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    pictures = [Image.open(path) for path in sorted(SAMPLES.iterdir())]
    return np.stack([to_gray(picture) for picture in pictures])


def test_bound_memory_gives_what_the_graphs_give_by_themselves(faces: np.ndarray) -> None:
    found = bundle.load(bundle.shipped())
    models = TranslationModels(found, "cpu", batch_size=len(faces))
    scaled = to_scaled(faces)[:, None]
    judge = onnxruntime.InferenceSession(found.judge, providers=["CPUExecutionProvider"])
    done = models.translate(faces, LABELS, edits=True)
    np.testing.assert_array_equal(done.before, judge.run(["probabilities"], {"faces": scaled})[0])
    seen = to_scaled(done.faces).reshape(-1, 1, 48, 48)
    np.testing.assert_array_equal(
        models.judge(done.faces).reshape(-1, 7), judge.run(["probabilities"], {"faces": seen})[0]
    )
    # What was given before must not change with what is given next.
    kept = done.before.copy()
    models.translate(255 - faces, LABELS)
    np.testing.assert_array_equal(done.before, kept)


def test_labels_in_any_order_of_memory(faces: np.ndarray) -> None:
    models = TranslationModels(bundle.load(bundle.shipped()), "cpu")
    by_columns = np.asfortranarray(LABELS[:3])
    np.testing.assert_array_equal(
        models.translate(faces, by_columns).faces, models.translate(faces, LABELS[:3]).faces
    )


def test_a_device_that_gives_up_says_what_to_try(faces: np.ndarray) -> None:
    models = TranslationModels(bundle.load(bundle.shipped()), "cpu", batch_size=8)
    with pytest.raises(
        DeviceError, match=r"^CPUExecutionProvider: .*: try a smaller --batch-size$"
    ):
        models._outputs(models._judge, ["probabilities"], faces=models._sent(LABELS))


def test_a_gpu_gives_what_the_cpu_gives(faces: np.ndarray) -> None:
    found = bundle.load(bundle.shipped())
    gpu = TranslationModels(found, "auto")
    if gpu.provider != CUDA:
        pytest.skip("no CUDA here")
    there, here = (
        models.translate(faces, LABELS) for models in (gpu, TranslationModels(found, "cpu"))
    )
    np.testing.assert_allclose(there.faces.astype(int), here.faces, atol=1)
    np.testing.assert_allclose(there.before, here.before, atol=1e-3)
