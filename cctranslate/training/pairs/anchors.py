"""What a student's faces without a pair follow coarsely: results of the student before it."""

import torch
from torch import Tensor

from cctranslate.training.data import framing
from cctranslate.training.device import autocast
from cctranslate.training.networks.generator import Generator


@torch.no_grad()
def anchors(
    generator: Generator, x: Tensor, labels: Tensor, points: Tensor, strengths: Tensor
) -> Tensor:
    """Return what a generator makes of faces [N,1,48,48] at `strengths` [N]: [N,1,48,48].

    `points` [N,5,2] are the faces' landmarks.

    Faces that lie oddly are shown to it upright and in the middle, and its change is carried to
    where they lie: it has hardly seen any, and draws eyes on the foreheads of tilted ones.
    """
    maps = framing.frames(points)
    odd = framing.lies_oddly(maps)[:, None, None, None]
    upright = framing.fetched(x, maps, "bicubic", "reflection").clamp(-1, 1)
    seen = torch.where(odd, upright, x)
    with autocast(x.device):
        edit = generator.edit(generator.encode(seen), labels)
    made = generator.apply_edit(seen, edit, strengths)
    change = framing.fetched(made - seen, framing.inverse(maps), "bilinear", "zeros")
    return torch.where(odd, (x + change).clamp(-1, 1), made)
