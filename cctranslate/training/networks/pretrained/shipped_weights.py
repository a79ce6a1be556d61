"""Weights of networks from elsewhere, which come with the package."""

from typing import TypeVar

import numpy as np
import torch
from torch import nn

from cctranslate import bundle

N = TypeVar("N", bound=nn.Module)


def filled(network: N, card: str) -> N:
    """Give a network the weights that ship under a card, and return it in evaluation mode.

    Raises:
        BundleError: they are missing or altered.
    """
    path, _ = bundle.alone(card)
    with np.load(path, allow_pickle=False) as arrays:
        # Stored as halves; they become what the network computes in.
        network.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    return network.eval()
