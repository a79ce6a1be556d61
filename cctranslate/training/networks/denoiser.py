"""The teacher's network: it predicts the velocity from noise to a face, inside a mask."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import EMOTIONS
from cctranslate.recipes.teacher import TeacherRecipe
from cctranslate.training.networks.pretrained.face_recognizer import AXES

PATCH = 2
"""Pixels of a side that are folded into channels: the network computes at half the size."""
PLANES = 5
"""Input planes: state, visible face, mask, blurred eyes, and the mask of the eyes."""
FREQUENCIES = 32
"""Frequencies by which times are embedded, each as a sine and a cosine."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The visible parts of faces or crops that are to be filled in, each [N,1,H,W]."""

    visible: Tensor
    """The face where the mask is 0, fading to 0 where it is 1."""
    mask: Tensor
    """1 where the face is to be filled in; edges are soft."""
    eyes: Tensor
    """The face without its fine detail, inside `eyes_mask`; 0 elsewhere."""
    eyes_mask: Tensor


@dataclass(frozen=True, kw_only=True)
class Condition:
    """The person and the expression of faces that are to be filled in."""

    labels: Tensor
    """Distributions over the expressions [N,7]."""
    identity: Tensor
    """Embeddings [N,128] without the expression, as `erase` returns them."""
    has_label: Tensor
    """Whether the label is given [N] bool."""
    has_identity: Tensor


class Denoiser(nn.Module):
    """A U-Net of residual blocks, modulated by time, label and identity.

    It has norms over channels and no attention, to be fast on a CPU, too.
    """

    identity_mean: Tensor
    identity_eraser: Tensor
    """[128]; [128,128]: fitted by `identity_eraser.fit_eraser`, stored with the weights."""

    def __init__(self, recipe: TeacherRecipe) -> None:
        super().__init__()
        a, b, c = recipe.widths
        e = recipe.embedding
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES, e), nn.SiLU(), nn.Linear(e, e))
        self.label = nn.Linear(len(EMOTIONS), e)
        self.identity = nn.Linear(AXES, e)
        self.no_label = nn.Parameter(torch.zeros(e))
        self.no_identity = nn.Parameter(torch.zeros(e))
        self.stem = Conv3x3(PLANES * PATCH**2, a)
        self.fine = nn.ModuleList([Block(a, a, e), Block(a, a, e)])
        self.halve = Conv3x3(a, b, stride=2)
        self.middle = nn.ModuleList([Block(b, b, e), Block(b, b, e)])
        self.halve_again = Conv3x3(b, c, stride=2)
        self.coarse = nn.ModuleList([Block(c, c, e) for _ in range(3)])
        self.up_middle = nn.ModuleList([Block(c + b, b, e), Block(b + b, b, e), Block(b, b, e)])
        self.up_fine = nn.ModuleList([Block(b + a, a, e), Block(a + a, a, e), Block(a, a, e)])
        self.norm = ChannelNorm(a)
        self.out = Conv3x3(a, PATCH**2)
        nn.init.zeros_(self.out.weight)
        self.register_buffer("identity_mean", torch.zeros(AXES))
        self.register_buffer("identity_eraser", torch.eye(AXES))

    def matrices(self) -> Iterator[nn.Parameter]:
        """Yield the inner weight matrices, which Muon optimizes."""
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2 and name.split(".")[0] not in ("stem", "out", "label"):
                yield parameter

    def erase(self, embeddings: Tensor) -> Tensor:
        """Return the recognizer's embeddings [N,128] without information on the expression."""
        return (embeddings - self.identity_mean) @ self.identity_eraser.T

    def forward(self, state: Tensor, t: Tensor, context: Context, condition: Condition) -> Tensor:
        """Return the velocity of `state`, both [N,1,H,W], at times [N] (0 noise, 1 face).

        H and W are multiples of 8.
        """
        e = F.silu(self._embedding(t, condition))
        planes = torch.cat(
            [state, context.visible, context.mask, context.eyes, context.eyes_mask], 1
        )
        folded = F.pixel_unshuffle(planes, PATCH)
        stem = self.stem(folded.contiguous(memory_format=torch.channels_last))
        fine = through(self.fine, stem, e)
        halved = self.halve(fine)
        middle = through(self.middle, halved, e)
        h = through(self.coarse, self.halve_again(middle), e)
        h = self.up_middle[0](torch.cat([doubled(h), middle], 1), e)
        h = through(self.up_middle[2:], self.up_middle[1](torch.cat([h, halved], 1), e), e)
        h = self.up_fine[0](torch.cat([doubled(h), fine], 1), e)
        h = through(self.up_fine[2:], self.up_fine[1](torch.cat([h, stem], 1), e), e)
        return F.pixel_shuffle(self.out(F.silu(self.norm(h))), PATCH).float()

    def _embedding(self, t: Tensor, condition: Condition) -> Tensor:
        steps = torch.arange(FREQUENCIES, device=t.device) / FREQUENCIES
        angles = t[:, None] * (100 * torch.exp(-math.log(1000) * steps))
        label, identity = self.label(condition.labels), self.identity(3 * condition.identity)
        return (
            self.time(torch.cat([angles.sin(), angles.cos()], 1))
            + torch.where(condition.has_label[:, None], label, self.no_label)
            + torch.where(condition.has_identity[:, None], identity, self.no_identity)
        )


class Conv3x3(nn.Module):
    """A 3x3 convolution whose weight is a matrix [out, in * 9], as Muon requires."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        conv = nn.Conv2d(inputs, outputs, 3)
        self.weight = nn.Parameter(conv.weight.detach().flatten(1))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Convolve features [N,in,H,W] to [N,out,H/stride,W/stride]."""
        kernel = self.weight.view(len(self.weight), -1, 3, 3)
        return F.conv2d(x, kernel, self.bias, self.stride, padding=1)


class Block(nn.Module):
    """Two convolutions, with a norm between them that the embedding scales and shifts."""

    def __init__(self, inputs: int, outputs: int, embedding: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = ChannelNorm(inputs), Conv3x3(inputs, outputs)
        self.norm2, self.conv2 = ChannelNorm(outputs, affine=False), Conv3x3(outputs, outputs)
        self.modulation = nn.Linear(embedding, 2 * outputs)
        self.shortcut = nn.Linear(inputs, outputs) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        """Turn features [N,inputs,H,W] into [N,outputs,H,W], by embeddings [N,embedding]."""
        scale, shift = self.modulation(e)[:, :, None, None].chunk(2, 1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        # A 1x1 convolution, as a matrix over the channels.
        return self.shortcut(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) + h


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each position: half the time of group norm on a CPU."""

    def __init__(self, channels: int, *, affine: bool = True) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Normalize [N,C,H,W] in the input's precision: autocast would use float32."""
        weight = None if self.weight is None else self.weight.to(x.dtype)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        with torch.autocast(x.device.type, enabled=False):
            y = F.layer_norm(x.permute(0, 2, 3, 1), (self.channels,), weight, bias)
        return y.permute(0, 3, 1, 2)


def through(blocks: nn.ModuleList, h: Tensor, e: Tensor) -> Tensor:
    """Take features through blocks that an embedding modulates."""
    for block in blocks:
        h = block(h, e)
    return h


def doubled(h: Tensor) -> Tensor:
    """Return features [N,C,H,W] at twice the size."""
    return F.interpolate(h, scale_factor=2.0, mode="nearest")
