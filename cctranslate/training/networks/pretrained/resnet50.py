"""torchvision's ResNet50 (He et al. 2016) as a backbone; its weights are loaded at run time."""

import pickle
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn

from cctranslate.errors import BackboneError
from cctranslate.recipes.components import IMAGENET

FEATURES = 2048
"""Channels of its last feature maps."""
RANDOM = "random"


class Backbone(nn.Module):
    """Faces [N,1,48,48] in [-1,1] -> feature maps [N,2048,2,2]."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        network = _torchvision().models.resnet50(weights=None)
        network.fc = nn.Identity()
        self.network = network
        # Of ImageNet's red, green and blue, in [0, 1].
        for name, values in (
            ("mean", (0.485, 0.456, 0.406)),
            ("deviation", (0.229, 0.224, 0.225)),
        ):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Compute features of the gray level, repeated in three channels."""
        n = self.network
        h = ((x + 1) / 2 - self.mean) / self.deviation
        h = n.maxpool(n.relu(n.bn1(n.conv1(h))))
        return n.layer4(n.layer3(n.layer2(n.layer1(h))))


def start(network: nn.Module, source: str) -> None:
    """Load the weights of a network's backbone, if it has one.

    `source` is `imagenet` (torchvision's, downloaded if needed), `random`, or a file.

    Raises:
        BackboneError: They cannot be loaded, or are not ResNet50's.
    """
    for part in network.modules():
        if isinstance(part, Backbone) and source != RANDOM:
            _load(part, _fetched() if source == IMAGENET else _read(Path(source)), source)


def _load(backbone: Backbone, state: dict[str, Any], source: str) -> None:
    body = {name: value for name, value in state.items() if not name.startswith("fc.")}
    try:
        backbone.network.load_state_dict(body)
    except (RuntimeError, TypeError, AttributeError):
        raise BackboneError(f"{source}: not the weights of torchvision's ResNet50") from None


def _fetched() -> dict[str, Any]:
    weights = _torchvision().models.ResNet50_Weights.IMAGENET1K_V1
    try:
        state: dict[str, Any] = weights.get_state_dict(progress=False, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise BackboneError(
            f"ResNet50's ImageNet weights cannot be fetched ({error}): name a file of them with "
            "--backbone FILE, or start anew with --backbone random"
        ) from None
    return state


def _read(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise BackboneError(f"{path}: not found: name a file of ResNet50's weights") from None
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError):
        raise BackboneError(f"{path}: not a file of weights that torch saved") from None
    if not isinstance(state, dict):
        raise BackboneError(f"{path}: not the weights of torchvision's ResNet50")
    return state


def _torchvision() -> Any:
    try:
        import torchvision
    except ModuleNotFoundError:
        raise BackboneError(
            "ResNet50 needs torchvision: pip install 'cctranslate[backbone]'"
        ) from None
    except (ImportError, RuntimeError) as error:  # built for another torch
        raise BackboneError(
            f"torchvision cannot be loaded beside this torch ({error}): install the build of both "
            "that one index has"
        ) from None
    return torchvision
