"""Anchors: results of the earlier generator, which a student's faces without a pair follow."""

import torch
from torch import Tensor

from cctranslate.training.data import framing
from cctranslate.training.device import autocast
from cctranslate.training.networks.generator import Generator


@torch.no_grad()
def anchors(
    generator: Generator, x: Tensor, labels: Tensor, points: Tensor, strengths: Tensor
) -> Tensor:
    """Translate faces [N,1,48,48] with landmarks `points` [N,5,2] at `strengths` [N].

    Misaligned faces are translated upright and centered, and the change is carried back. The
    generator has hardly seen such faces, and draws eyes on the foreheads of tilted ones.
    """
    frames = framing.align(points)
    odd = framing.are_misaligned(frames)[:, None, None, None]
    upright = framing.warp(x, frames, "bicubic", "reflection").clamp(-1, 1)
    aligned = torch.where(odd, upright, x)
    with autocast(x.device):
        edit = generator.edit(generator.encode(aligned), labels)
    translated = generator.apply_edit(aligned, edit, strengths)
    change = framing.warp(translated - aligned, framing.inverse(frames), "bilinear", "zeros")
    return torch.where(odd, (x + change).clamp(-1, 1), translated)
