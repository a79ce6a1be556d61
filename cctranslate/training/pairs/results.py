"""Translate faces with a trained generator, at several strengths at once."""

from collections.abc import Collection

import torch
from torch import Tensor

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import Gray, to_levels
from cctranslate.training.device import autocast
from cctranslate.training.networks.generator import Generator


@torch.inference_mode()
def translate(
    generator: Generator,
    x: Tensor,
    targets: Tensor,
    fractions: Tensor,
    strengths: Collection[float],
) -> dict[float, Gray]:
    """Translate faces [N,1,48,48] to targets [N,T]; return [N*T,48,48] for each strength.

    `fractions` [N] scale the strength of each face.
    """
    count = targets.shape[1]
    labels = torch.eye(NUM_CLASSES, device=x.device)[targets.flatten()]
    with autocast(x.device):
        repeated_code = tuple(part.repeat_interleave(count, 0) for part in generator.encode(x))
        edit = generator.edit(repeated_code, labels)
    fraction = fractions.repeat_interleave(count)
    translated = {
        s: generator.apply_edit(repeated_code[0], edit, s * fraction)[:, 0] for s in strengths
    }
    return {s: to_levels(images.float().cpu().numpy()) for s, images in translated.items()}
