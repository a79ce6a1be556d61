"""Faces to draw from, all on the device at once: a step then waits for no copy but of indices."""

import numpy as np
import torch
from torch import Tensor

from cctranslate.pixels import Gray
from cctranslate.training.data.sampler import Indices


class DeviceDataset:
    """Gray faces [N,48,48], kept as the bytes they are and scaled as they are drawn."""

    def __init__(self, images: Gray, device: torch.device) -> None:
        self._images = torch.from_numpy(images).to(device)

    def levels(self, chosen: Indices) -> Gray:
        """The chosen faces [M,48,48] as they are, on the CPU."""
        return np.asarray(self._drawn(chosen).cpu())

    def scaled(self, chosen: Indices) -> Tensor:
        """The chosen faces [M,1,48,48] in [-1,1] on the device."""
        return scaled(self._drawn(chosen))

    def _drawn(self, chosen: Indices) -> Tensor:
        return self._images[torch.from_numpy(chosen).to(self._images.device)]


def scaled(levels: Tensor) -> Tensor:
    """Gray levels [N,48,48] as faces [N,1,48,48], as `pixels.to_scaled` does it off the device."""
    x = levels[:, None].float() / 127.5 - 1
    return x.contiguous(memory_format=torch.channels_last)
