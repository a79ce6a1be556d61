"""The recognizer that ships knows people again, and only the very file is taken."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cctranslate import bundle
from cctranslate.errors import BundleError
from cctranslate.training.data import augment, device_cache
from cctranslate.training.networks.pretrained import face_recognizer
from tests.support import pictures


@torch.inference_mode()
def test_a_face_is_known_again_when_it_is_mirrored_moved_and_relit() -> None:
    torch.manual_seed(0)
    network, x = (
        face_recognizer.load(),
        device_cache.scaled(torch.from_numpy(np.stack(pictures.people()))),
    )
    other = augment.light(augment.for_face_recognizer(x), brightness=0.2, contrast=0.2)
    cosines = F.normalize(network(x), dim=1) @ F.normalize(network(other), dim=1).T
    own = cosines.diagonal()
    assert (cosines.argmax(1) == torch.arange(len(x))).float().mean() > 0.8
    assert own.mean() > 0.5
    assert (cosines.sum() - own.sum()) / (cosines.numel() - len(x)) < 0.35


@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_a_damaged_recognizer_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    for name in (face_recognizer.CARD, "recogniser.npz"):
        shutil.copyfile(bundle.shipped() / name, tmp_path / name)
    if harm == "missing":
        (tmp_path / "recogniser.npz").unlink()
    else:
        with (tmp_path / "recogniser.npz").open("ab") as file:
            file.write(b"x")
    monkeypatch.setattr(bundle, "shipped", lambda: tmp_path)
    with pytest.raises(BundleError, match=r"recogniser\.npz.*install cctranslate again"):
        face_recognizer.load()
