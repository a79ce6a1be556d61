"""Inpaint masked faces: integrate the denoiser's flow from noise or from a noised face."""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.training.data import face_masks
from cctranslate.training.device import autocast
from cctranslate.training.networks.denoiser import Condition, Context, Denoiser

BLUR = 3.0
"""Standard deviation, in pixels, of the blur of the visible eyes: it keeps light, skin and the
frames of glasses, and hides how wide the eyes are."""
REACH = 8
"""Pixels from the middle of the blur's kernel to its edge."""
LATE = 2.0
"""Power by which steps shrink towards the face: a long last step would blur, as it averages all
possible faces."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """Faces to inpaint, each [N,1,48,48]."""

    x: Tensor
    """The faces that are noised first: the sources, or results to repair."""
    source: Tensor
    """The faces whose visible parts and blurred eyes the network gets."""
    mask: Tensor
    """1 where a face is to be filled in."""
    points: Tensor
    """Landmarks [N,5,2] of the sources."""
    has_landmarks: Tensor
    """Whether the landmarks were found [N] bool; else they are the template's."""


def context_of(
    x: Tensor, mask: Tensor, points: Tensor, has_landmarks: Tensor, sees_eyes: Tensor
) -> Context:
    """Return the visible parts of faces [N,1,48,48]; the eyes only where `sees_eyes` [N]."""
    eyes_mask = face_masks.region_masks(points, has_landmarks, ("eyes",))
    eyes_mask = eyes_mask * sees_eyes[:, None, None, None]
    return Context(
        visible=x * (1 - mask), mask=mask, eyes=_blurred(x) * eyes_mask, eyes_mask=eyes_mask
    )


@torch.inference_mode()
def inpaint(
    network: Denoiser,
    start: Start,
    labels: Tensor,
    identity: Tensor,
    *,
    generator: torch.Generator,
    steps: int,
    guidance: float,
    start_time: float = 0.0,
) -> Tensor:
    """Return the faces [N,1,48,48] in [-1,1] with the masked parts filled in.

    By Heun's method from `start_time`: 0 is noise alone, later times keep more of `start.x`.
    `labels` [N,7], erased `identity` [N,128]; `guidance` above 1 exaggerates what the label adds.
    Each step but the last evaluates the network twice on twice the faces.
    """
    n, device = len(start.x), start.x.device
    # Drawn on the CPU: the same seed gives the same faces on every device.
    noise = torch.randn(start.x.shape, generator=generator).to(device)
    yes = torch.ones(n, dtype=torch.bool, device=device)
    context = context_of(start.source, start.mask, start.points, start.has_landmarks, yes)
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
        filled = (state * start.mask + start.source * (1 - start.mask)).repeat(copies, 1, 1, 1)
        times = torch.full((copies * n,), t, device=device)
        with autocast(device):
            velocities = network(filled, times, context, condition)
        if not guided:
            return velocities
        with_label, without = velocities.chunk(2)
        return torch.lerp(without, with_label, guidance)

    state = torch.lerp(noise, start.x, start_time)
    times = [1 - (1 - start_time) * (1 - i / steps) ** LATE for i in range(steps + 1)]
    for t, t_next in itertools.pairwise(times):
        slope = velocity(state, t)
        ahead = state + (t_next - t) * slope
        if t_next < 1:
            slope = (slope + velocity(ahead, t_next)) / 2
            ahead = state + (t_next - t) * slope
        state = ahead
    return (state * start.mask + start.source * (1 - start.mask)).clamp(-1, 1)


def _blurred(x: Tensor) -> Tensor:
    line = torch.arange(-REACH, REACH + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (line / BLUR) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(x, (REACH,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel[None, None, None]), kernel[None, None, :, None])
