"""Load the weights of pretrained networks that come with the package."""

from typing import TypeVar

import numpy as np
import torch
from torch import nn

from cctranslate import bundle

N = TypeVar("N", bound=nn.Module)


def filled(network: N, card: str) -> N:
    """Load the weights of a card into a network, and return it in evaluation mode.

    Raises:
        BundleError: They are missing or altered.
    """
    path, _ = bundle.standalone_model(card)
    with np.load(path, allow_pickle=False) as arrays:
        # Stored in float16; loading converts them to the network's precision.
        network.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    return network.eval()
