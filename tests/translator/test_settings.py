"""Settings of a Translator: what they may be, and for which calls they hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cctranslate import BundleError, DeviceError, OptionError, Translator
from tests.support import pictures


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)


def test_settings_of_the_translator_hold_for_every_call(mouth_weights: Path) -> None:
    face = Image.fromarray(pictures.draw_face(3, 0))
    still = Translator(weights=mouth_weights, device="cpu", strength=0)
    np.testing.assert_array_equal(pixels(still.translate(face, "sad").image), pixels(face))
    changed = still.translate(face, "sad", strength=1).image
    assert (pixels(changed) != pixels(face)).any()
    assert not still.translate(face, "sad", strength=1, min_confidence=1).confirmed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"faces": "some"}, "auto, whole or detect"),
        ({"which": 0}, "all, largest or a number from 1"),
        ({"which": True}, "all, largest or a number from 1"),
        ({"result": "video"}, "picture or face"),
        ({"strength": 2}, "from 0 to 1"),
        ({"strength": float("nan")}, "from 0 to 1"),
        ({"strength": []}, "from 0 to 1"),
        ({"strength": "0.5"}, "from 0 to 1"),
        ({"strength": [0.5, None]}, "from 0 to 1"),
        ({"samples": 0}, "from 1 to 64"),
        ({"best_of": 1.5}, "from 1 to 64"),
        ({"seed": -1}, "2**32"),
        ({"seed": None}, "2**32"),
        ({"min_confidence": 1.5}, "from 0 to 1"),
        ({"min_confidence": "high"}, "from 0 to 1"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    translator: Translator, settings: dict[str, object], message: str
) -> None:
    face = Image.fromarray(pictures.draw_face(3, 0))
    with pytest.raises(OptionError) as caught:
        translator.translate(face, "sad", **settings)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{next(iter(settings))}=")


def test_numbers_of_numpy_are_taken(translator: Translator) -> None:
    face = Image.fromarray(pictures.draw_face(3, 0))
    of_numpy: Any = {
        "strength": np.linspace(0, 1, 3, dtype=np.float32),
        "samples": np.int64(2),
        "best_of": np.uint8(2),
        "seed": np.int32(7),
        "min_confidence": np.float32(0.5),
    }
    (made,) = translator.translate_many([face], "sad", **of_numpy)
    (same,) = translator.translate_many(
        [face], "sad", strength=[0, 0.5, 1], samples=2, best_of=2, seed=7, min_confidence=0.5
    )
    assert [(one.strength, one.sample) for one in made] == [
        (strength, sample) for strength in (0, 0.5, 1) for sample in (1, 2)
    ]
    for one, other in zip(made, same, strict=True):
        np.testing.assert_array_equal(pixels(one.image), pixels(other.image))
        assert one.confirmed == other.confirmed


@pytest.mark.parametrize("size", [0, -1, 1.5, "2"])
def test_a_batch_size_that_cannot_be_is_named(mouth_weights: Path, size: object) -> None:
    with pytest.raises(OptionError, match=r"batch_size=.*: expected a number from 1"):
        Translator(mouth_weights, batch_size=size)  # type: ignore[arg-type]


def test_an_empty_path_of_a_bundle_is_not_the_one_that_ships(mouth_weights: Path) -> None:
    with pytest.raises(BundleError, match="it is empty: name a folder"):
        Translator(weights="")
    with pytest.raises(DeviceError, match="expected auto, cpu or cuda"):
        Translator(mouth_weights, device=0)  # type: ignore[arg-type]


def test_errors_of_the_device_name_arguments_and_no_options(mouth_weights: Path) -> None:
    with pytest.raises(DeviceError) as refused:
        Translator(mouth_weights, device="gpu")
    assert str(refused.value) == "device='gpu': expected auto, cpu or cuda[:N]"
