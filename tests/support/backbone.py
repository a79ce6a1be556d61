"""Whether there is a torchvision that fits this torch: builds of two indexes do not fit."""

import pytest

from cctranslate.errors import BackboneError
from cctranslate.training.networks.pretrained.resnet50 import Backbone


def _usable() -> bool:
    try:
        Backbone()
    except BackboneError:
        return False
    return True


USABLE = _usable()
needs_backbone = pytest.mark.skipif(not USABLE, reason="needs a torchvision built for this torch")
