"""Critics: small networks, trained from scratch, that tell results from real faces.

The accuracy of a critic on new faces measures how far results are from real faces (a classifier
two-sample test, Lopez-Paz and Oquab 2017, arXiv:1610.06545). If a generator was trained or selected
by a critic, train another one to measure it.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cctranslate.pixels import SIZE, Gray
from cctranslate.process import signals
from cctranslate.training.data import augment, device_cache
from cctranslate.training.device import autocast

EPOCHS = 6.0
"""Passes over results and real faces."""
BATCH = 128
"""Faces in a step."""
RATE = 2e-3
"""Peak learning rate of a one-cycle schedule (AdamW)."""
SHIFT = 2
"""Most pixels by which training moves a face, so that critics do not learn its position."""


@dataclass(frozen=True)
class CropBox:
    """A part of a face: rows `top` to `bottom`, columns `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


REGIONS = {
    "whole": CropBox(0, SIZE, 0, SIZE),
    "mouth": CropBox(28, 46, 10, 38),
    "eyes": CropBox(8, 26, 5, 43),
}
"""The parts of FER2013's faces that critics see; sides are even, for the network's first layer."""


class Residual(nn.Module):
    """Two 3x3 convolutions beside a 1x1 one (He et al. 2016)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *_convolution(channels_in, channels, stride),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.side = nn.Conv2d(channels_in, channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return features [N,C,H/stride,W/stride] of features [N,C_in,H,W]."""
        return F.relu(self.main(x) + self.side(x))


def _convolution(channels_in: int, channels: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    ]


def network() -> nn.Module:
    """Return an untrained critic: parts of faces [N,1,H,W] in [-1,1] -> logits [N,1].

    Its first layer moves each 2x2 pixels into channels, which makes convolutions four times as
    fast without losing anything.
    """
    return nn.Sequential(
        nn.PixelUnshuffle(2),
        *_convolution(4, 48, 1),
        Residual(48, 64, 2),
        Residual(64, 96, 1),
        Residual(96, 128, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(128, 1),
    )


class Critic:
    """A trained critic of one region."""

    def __init__(self, trained: nn.Module, region: CropBox, device: torch.device) -> None:
        self._network, self._region, self._device = trained.eval(), region, device

    @torch.inference_mode()
    def score(self, faces: Gray) -> NDArray[np.float32]:
        """Return how sure the critic is that each face [N,48,48] is a result: logits [N].

        A logit is the mean of those of the face and of its mirror image.
        """
        return np.concatenate(
            [np.zeros(0, np.float32)]
            + [self._scored(faces[i : i + 512]) for i in range(0, len(faces), 512)]
        )

    def _scored(self, faces: Gray) -> NDArray[np.float32]:
        region = self._region
        levels = torch.from_numpy(np.ascontiguousarray(faces)).to(self._device)
        x = device_cache.scaled(levels[:, region.top : region.bottom, region.left : region.right])
        with autocast(self._device):
            logits = self._network(torch.cat([x, x.flip(3)]))[:, 0].float()
        return np.asarray(logits.reshape(2, -1).mean(0).cpu().numpy())


def train_critic(
    results: Gray,
    real: Gray,
    region: CropBox,
    device: torch.device,
    *,
    seed: int = 0,
    epochs: float = EPOCHS,
) -> Critic:
    """Train a critic to tell results [N,48,48] from real faces [M,48,48].

    The same seed gives the same critic on the same machine and number of threads. The random state
    of torch is restored.

    Raises:
        KeyboardInterrupt: A signal came that ends the command.
    """
    images = torch.from_numpy(np.concatenate([results, real])).to(device)
    is_result = torch.cat([torch.ones(len(results)), torch.zeros(len(real))]).to(device)
    steps = max(1, round(epochs * len(images) / BATCH))
    devices = [device] if device.type == "cuda" else []
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
    with torch.random.fork_rng(devices), exact:
        torch.manual_seed(seed)
        critic = network().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(critic.parameters(), RATE, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(2, steps))
        passes = -(-steps * BATCH // len(images))
        order = torch.cat([torch.randperm(len(images)) for _ in range(passes)]).to(device)
        for chosen in torch.split(order[: steps * BATCH], BATCH):
            signals.raise_if_received()
            x = augment.light(
                device_cache.scaled(_moved(images[chosen], region)), brightness=0.1, contrast=0.1
            )
            with autocast(device):
                logits = critic(x.contiguous(memory_format=torch.channels_last))[:, 0]
            loss = F.binary_cross_entropy_with_logits(logits.float(), is_result[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return Critic(critic, region, device)


def _moved(faces: Tensor, region: CropBox) -> Tensor:
    """Return the region of each face [N,48,48], moved by whole pixels and half of them mirrored.

    Interpolation would blur the details that tell results from real faces. Edges are repeated.
    """
    n, device = len(faces), faces.device
    shift = torch.randint(-SHIFT, SHIFT + 1, (2, n, 1), device=device)
    rows = torch.arange(region.top, region.bottom, device=device) + shift[0]
    columns = torch.arange(region.left, region.right, device=device) + shift[1]
    mirrored = torch.rand(n, 1, device=device) < 0.5
    columns = torch.where(mirrored, SIZE - 1 - columns, columns)
    rows, columns = rows.clamp(0, SIZE - 1), columns.clamp(0, SIZE - 1)
    face = torch.arange(n, device=device)[:, None, None]
    return faces[face, rows[:, :, None], columns[:, None, :]]
