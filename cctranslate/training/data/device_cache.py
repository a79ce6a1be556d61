"""Keep all faces on the device, so that a step copies only indices to it."""

import numpy as np
import torch
from torch import Tensor

from cctranslate.pixels import Gray
from cctranslate.training.data.sampler import Indices


class DeviceDataset:
    """Gray faces [N,48,48] on the device as bytes; they are scaled when a batch is taken."""

    def __init__(self, images: Gray, device: torch.device) -> None:
        self._images = torch.from_numpy(images).to(device)

    def levels(self, chosen: Indices) -> Gray:
        """Return the chosen faces [M,48,48] as gray levels on the CPU."""
        return np.asarray(self._take(chosen).cpu())

    def scaled(self, chosen: Indices) -> Tensor:
        """Return the chosen faces [M,1,48,48] in [-1,1] on the device."""
        return scaled(self._take(chosen))

    def _take(self, chosen: Indices) -> Tensor:
        return self._images[torch.from_numpy(chosen).to(self._images.device)]


def scaled(levels: Tensor) -> Tensor:
    """Scale gray levels [N,48,48] to faces [N,1,48,48], as `pixels.to_scaled` does on the CPU."""
    x = levels[:, None].float() / 127.5 - 1
    return x.contiguous(memory_format=torch.channels_last)
