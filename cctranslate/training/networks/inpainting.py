"""Inpaint masked faces: integrate the denoiser's flow from noise or from a noised face."""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.training.data import face_masks
from cctranslate.training.device import autocast
from cctranslate.training.networks.denoiser import Condition, Context, Denoiser
from cctranslate.training.networks.pretrained.face_recognizer import AXES

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


def context_of_mouths(x: Tensor, mask: Tensor) -> Context:
    """Return the visible parts of crops [N,1,24,32] about mouths."""
    nothing = torch.zeros_like(x)
    return Context(visible=x * (1 - mask), mask=mask, eyes=nothing, eyes_mask=nothing)


class GuidedVelocity:
    """The velocity of masked pictures, with classifier-free guidance (Ho and Salimans 2022)."""

    def __init__(
        self,
        network: Denoiser,
        context: Context,
        labels: Tensor,
        identity: Tensor | None,
        guidance: float | Tensor,
    ) -> None:
        """Prepare for pictures of a context.

        Args:
            network: It is evaluated on twice the pictures, if there is guidance.
            context: What is visible of the pictures.
            labels: [N,7].
            identity: Erased embeddings [N,128]; None if they are not known.
            guidance: Above 1 it exaggerates what the label adds. [N,1,1,1]: one each.
        """
        n, device = len(labels), labels.device
        yes = torch.ones(n, dtype=torch.bool, device=device)
        self._network, self._guidance = network, guidance
        self._visible, self._mask = context.visible, context.mask
        is_guided = isinstance(guidance, Tensor) or guidance != 1
        self._copies = copies = 2 if is_guided else 1
        known = identity is not None
        if identity is None:
            identity = torch.zeros(n, AXES, device=device)
        self._context = Context(
            **{name: part.repeat(copies, 1, 1, 1) for name, part in vars(context).items()}
        )
        self._condition = Condition(
            labels=labels.repeat(copies, 1),
            identity=identity.repeat(copies, 1),
            has_label=torch.cat([yes, ~yes][:copies]),
            has_identity=(yes if known else ~yes).repeat(copies),
        )

    def __call__(self, state: Tensor, t: float) -> Tensor:
        """Return the velocity of states at time `t`; they count inside the mask only."""
        filled = self.filled(state).repeat(self._copies, 1, 1, 1)
        times = torch.full((len(filled),), t, device=state.device)
        with autocast(state.device):
            velocities: Tensor = self._network(filled, times, self._context, self._condition)
        if self._copies == 1:
            return velocities
        with_label, without = velocities.chunk(2)
        return torch.lerp(without, with_label, self._guidance)

    def filled(self, state: Tensor) -> Tensor:
        """Return states inside the mask, and what is visible outside."""
        return state * self._mask + self._visible


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
    device = start.x.device
    # Drawn on the CPU: the same seed gives the same faces on every device.
    noise = torch.randn(start.x.shape, generator=generator).to(device)
    yes = torch.ones(len(start.x), dtype=torch.bool, device=device)
    context = context_of(start.source, start.mask, start.points, start.has_landmarks, yes)
    velocity = GuidedVelocity(network, context, labels, identity, guidance)
    state = torch.lerp(noise, start.x, start_time)
    times = [1 - (1 - start_time) * (1 - i / steps) ** LATE for i in range(steps + 1)]
    for t, t_next in itertools.pairwise(times):
        slope = velocity(state, t)
        ahead = state + (t_next - t) * slope
        if t_next < 1:
            slope = (slope + velocity(ahead, t_next)) / 2
            ahead = state + (t_next - t) * slope
        state = ahead
    return velocity.filled(state).clamp(-1, 1)


def _blurred(x: Tensor) -> Tensor:
    line = torch.arange(-REACH, REACH + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (line / BLUR) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(x, (REACH,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel[None, None, None]), kernel[None, None, :, None])
