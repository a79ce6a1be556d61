"""The network of pictures that ships sees what a mean of pixels does not."""

import numpy as np
import torch
import torch.nn.functional as F

from cctranslate.training.data import device_cache
from cctranslate.training.networks.pretrained import picture_features
from tests.support import pictures


@torch.inference_mode()
def test_maps_have_the_size_of_the_part_and_half_of_it() -> None:
    network = picture_features.load()
    maps = network(torch.zeros(2, 1, 24, 32))
    assert [tuple(each.shape) for each in maps] == [(2, 128, 24, 32), (2, 256, 12, 16)]
    assert all((each >= 0).all() for each in network.maps(torch.zeros(1, 1, 24, 32)))


@torch.inference_mode()
def test_a_smeared_mouth_is_farther_off_than_a_darker_one() -> None:
    network = picture_features.load()
    x = device_cache.scaled(torch.from_numpy(np.stack(pictures.people()[:8])))
    smeared, darker = x.clone(), x.clone()
    mouth = x[:, :, 32:44, 14:34]
    smeared[:, :, 32:44, 14:34] = F.avg_pool2d(mouth, (1, 9), 1, (0, 4), count_include_pad=False)
    darker[:, :, 32:44, 14:34] = mouth - (smeared - x).abs().mean() * 2

    def off(other: torch.Tensor) -> float:
        pairs = zip(network(x), network(other), strict=True)
        return sum(float((a - b).abs().mean()) for a, b in pairs)

    assert off(smeared) > 1.2 * off(darker)
