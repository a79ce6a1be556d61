"""The backbone's weights: from a file, and one line where they cannot be had."""

from pathlib import Path

import pytest
import torch

from cctranslate.errors import BackboneError
from cctranslate.training.networks.pretrained import resnet50
from cctranslate.training.networks.pretrained.resnet50 import Backbone
from tests.support import pictures
from tests.support.cli import run_python
from tests.support.training import IS_BACKBONE_USABLE, needs_backbone


@needs_backbone
def test_a_file_of_weights_is_taken_over_but_for_its_thousand_classes(tmp_path: Path) -> None:
    donor, taker = Backbone(), Backbone()
    state = {**donor.network.state_dict(), "fc.weight": torch.ones(1000, 2048)}
    torch.save(state, tmp_path / "resnet50.pt")
    resnet50.start(taker, str(tmp_path / "resnet50.pt"))
    assert torch.equal(taker.network.conv1.weight, donor.network.conv1.weight)


@needs_backbone
@pytest.mark.parametrize("content", ["not torch's", "another network", "no state"])
def test_what_is_no_resnet50_is_one_line(content: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.pt"
    if content == "not torch's":
        file.write_bytes(b"no weights")
    else:
        torch.save({"w": torch.ones(1)} if content == "another network" else [1], file)
    with pytest.raises(BackboneError, match=r"weights\.pt: not ") as caught:
        resnet50.start(Backbone(), str(file))
    assert "\n" not in str(caught.value)


@needs_backbone
def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match="not found"):
        resnet50.start(Backbone(), str(tmp_path / "none.pt"))


@needs_backbone
def test_random_is_left_as_it_is() -> None:
    network = Backbone()
    before = network.network.conv1.weight.clone()
    resnet50.start(network, resnet50.RANDOM)
    assert torch.equal(network.network.conv1.weight, before)


def test_without_torchvision_fit_says_what_to_install(tmp_path: Path) -> None:
    data = pictures.write_csv(tmp_path / "fer2013.csv")
    code = "import sys; sys.modules['torchvision'] = None\nfrom cctranslate.cli import main; main()"
    words = ["fit", "--data", str(data), "--recipe", "c2", "-o", str(tmp_path / "run")]
    done = run_python(code, *words)
    assert done.returncode == 1
    assert "pip install 'cctranslate[backbone]'" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(IS_BACKBONE_USABLE, reason="torchvision is there")
def test_where_there_is_none_that_fits_it_is_refused() -> None:
    with pytest.raises(BackboneError, match="torchvision"):
        Backbone()
