"""Filling masked faces in: the denoiser's flow, integrated from noise or from a noised face."""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.training.data import face_masks
from cctranslate.training.device import autocast
from cctranslate.training.networks.denoiser import Condition, Context, Denoiser

BLUR = 3.0
"""Standard deviation, in pixels, of the blur that the eyes are shown through: it leaves light, skin
and the frames of glasses, and hides whether the eyes are wide."""
REACH = 8
LATE = 2.0
"""Power by which steps shrink towards the face: a long last step is the mean of what is possible,
a blur."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """Faces to fill in, each [N,1,48,48]."""

    x: Tensor
    """What is noised to begin with: the source itself, or a result to repair."""
    source: Tensor
    """Whose visible part and blurred eyes are shown."""
    mask: Tensor
    points: Tensor
    """Landmarks [N,5,2] of the source; `found` [N] bool says where they are real ones."""
    found: Tensor


def context_of(
    x: Tensor, mask: Tensor, points: Tensor, found: Tensor, sees_eyes: Tensor
) -> Context:
    """Return what a denoiser is shown of faces [N,1,48,48]; eyes only where `sees_eyes` [N]."""
    eyes_mask = face_masks.fixed(points, found, ("eyes",)) * sees_eyes[:, None, None, None]
    return Context(
        visible=x * (1 - mask), mask=mask, eyes=_blurred(x) * eyes_mask, eyes_mask=eyes_mask
    )


@torch.inference_mode()
def fill(
    network: Denoiser,
    start: Start,
    labels: Tensor,
    identity: Tensor,
    *,
    generator: torch.Generator,
    steps: int,
    guidance: float,
    begin: float = 0.0,
) -> Tensor:
    """Return the faces [N,1,48,48] with what the mask hides filled in, in [-1,1].

    Heun's method from time `begin`: 0 is noise alone, later starts keep more of `start.x`.
    `labels` [N,7], erased `identity` [N,128]; `guidance` above 1 exaggerates what the label adds.
    Each step but the last evaluates the network twice on twice the faces.
    """
    n, device = len(start.x), start.x.device
    # Drawn on the CPU: the same seed gives the same faces on every device.
    noise = torch.randn(start.x.shape, generator=generator).to(device)
    yes = torch.ones(n, dtype=torch.bool, device=device)
    context = context_of(start.source, start.mask, start.points, start.found, yes)
    guided = guidance != 1
    if guided:
        context = Context(**{name: torch.cat([v, v]) for name, v in vars(context).items()})
    copies = 2 if guided else 1
    condition = Condition(
        labels=labels.repeat(copies, 1),
        identity=identity.repeat(copies, 1),
        has_label=torch.cat([yes, ~yes]) if guided else yes,
        has_identity=yes.repeat(copies),
    )

    def velocity(state: Tensor, t: float) -> Tensor:
        seen = (state * start.mask + start.source * (1 - start.mask)).repeat(copies, 1, 1, 1)
        times = torch.full((copies * n,), t, device=device)
        with autocast(device):
            both = network(seen, times, context, condition)
        if not guided:
            return both
        with_label, without = both.chunk(2)
        return torch.lerp(without, with_label, guidance)

    state = torch.lerp(noise, start.x, begin)
    times = [1 - (1 - begin) * (1 - i / steps) ** LATE for i in range(steps + 1)]
    for t, after in itertools.pairwise(times):
        slope = velocity(state, t)
        ahead = state + (after - t) * slope
        if after < 1:
            slope = (slope + velocity(ahead, after)) / 2
            ahead = state + (after - t) * slope
        state = ahead
    return (state * start.mask + start.source * (1 - start.mask)).clamp(-1, 1)


def _blurred(x: Tensor) -> Tensor:
    line = torch.arange(-REACH, REACH + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (line / BLUR) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(x, (REACH,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel[None, None, None]), kernel[None, None, :, None])
