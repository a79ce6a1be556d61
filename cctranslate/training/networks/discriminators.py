"""Discriminators: whether a face is real, and of which expression."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import SIZE
from cctranslate.recipes.components import DiscriminatorKind, DiscriminatorSpec
from cctranslate.training.networks.pretrained.resnet50 import FEATURES, Backbone
from cctranslate.training.networks.unet_generators import keras_init


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOutput:
    """Logits of a discriminator: `real` [N,1] or [N,7], `expression` [N,7] or none.

    A discriminator of patches has `real` [N,1,H,W]. A class for fakes is the eighth expression.
    """

    real: Tensor
    expression: Tensor | None

    def realness(self, classes: Tensor) -> Tensor:
        """Return the logit [N] of being real, for `classes` [N] if each class has a logit.

        For patches it is [N,H,W].
        """
        if self.real.shape[1] == 1:
            return self.real[:, 0]
        return self.real.gather(1, classes[:, None])[:, 0]


class StridedDiscriminator(nn.Module):
    """The original's: strided 4x4 convolutions, one head for real or fake and one for the class."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        widths = [spec.width * 2**i for i in range(4)]
        layers: list[nn.Module] = []
        for i, (c_in, c_out) in enumerate(zip([1, *widths], widths, strict=False)):
            layers += [nn.Conv2d(c_in, c_out, 4, 2), nn.LeakyReLU(0.2)]
            if i:
                layers.append(nn.GroupNorm(1, c_out))
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.validity = _head(widths[3], 1)
        self.expression = _head(widths[3], NUM_CLASSES)
        keras_init(self)

    def forward(self, x: Tensor, classes: Tensor) -> DiscriminatorOutput:
        """Return a logit of being real for each face, and its class logits."""
        h = self.body(x)
        return DiscriminatorOutput(
            real=self.validity(h).float(), expression=self.expression(h).float()
        )


class PatchDiscriminator(nn.Module):
    """That of the original's first experiments: a logit for each of 3x3 patches, given the label.

    The label scales the input pixel by pixel (T1), or the logits of the patches (T14).
    """

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        self.label_input = spec.label
        widths = [spec.width * 2**i for i in range(4)]
        layers: list[nn.Module] = []
        for i, (c_in, c_out) in enumerate(zip([1, *widths], widths, strict=False)):
            layers += [nn.Conv2d(c_in, c_out, 4, 2, 1), nn.LeakyReLU(0.2)]
            if i:
                layers.append(nn.GroupNorm(1, c_out))
        self.body = nn.Sequential(*layers)
        self.validity = nn.Conv2d(widths[3], 1, 4)
        places = {"none": 0, "input": SIZE * SIZE, "latent": 9}[spec.label]
        self.label = nn.Linear(NUM_CLASSES, places, bias=False) if places else None
        self.head = nn.Linear(9 * widths[3], spec.head) if spec.head else None
        keras_init(self)

    def forward(self, x: Tensor, classes: Tensor) -> DiscriminatorOutput:
        """Return logits [N,1,3,3] of being real faces of `classes`, and class logits if any."""
        scale = self.label(F.one_hot(classes, NUM_CLASSES).to(x.dtype)) if self.label else None
        if scale is not None and self.label_input == "input":
            x = x * scale.view_as(x)
        h = self.body(x)
        real = self.validity(F.pad(h, (1, 2, 1, 2)))
        if scale is not None and self.label_input == "latent":
            real = real * scale.view_as(real)
        expression = self.head(h.flatten(1)).float() if self.head else None
        return DiscriminatorOutput(real=real.float(), expression=expression)


class ResNetDiscriminator(nn.Module):
    """T7's: the pooled features of ResNet50 and the label, joined, through one hidden layer."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        self.frozen = spec.frozen
        self.body = Backbone()
        self.label = nn.Linear(NUM_CLASSES, 100, bias=False)
        self.validity = nn.Sequential(
            nn.Linear(FEATURES + 100, 1024), nn.ReLU(inplace=True), nn.Linear(1024, 1)
        )
        # A frozen body keeps the statistics of its training.
        self.body.train(not spec.frozen)
        self.requires_grad_(True)

    def requires_grad_(self, requires_grad: bool = True) -> "ResNetDiscriminator":
        """Set `requires_grad` as `nn.Module` does, but never for a frozen body."""
        super().requires_grad_(requires_grad)
        self.body.requires_grad_(requires_grad and not self.frozen)
        return self

    def forward(self, x: Tensor, classes: Tensor) -> DiscriminatorOutput:
        """Return a logit [N,1] of being a real face of `classes`."""
        label = self.label(F.one_hot(classes, NUM_CLASSES).to(x.dtype))
        features = self.body(x).mean((2, 3))
        real = self.validity(torch.cat([features, label.to(features.dtype)], 1))
        return DiscriminatorOutput(real=real.float(), expression=None)


class ResidualDiscriminator(nn.Module):
    """Ours: residual blocks without norms; one real-or-fake logit a class (StarGAN v2), or one."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        w = spec.width
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4, w, 3, 1, 1),
            _Down(w, 2 * w),
            _Down(2 * w, 3 * w),
            _Down(3 * w, 4 * w),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
        )
        self.head = nn.Linear(4 * w * 9, NUM_CLASSES if spec.conditional else 1)
        for layer in self.modules():
            # Torch's default has a third of this gain: without norms, signals would fade.
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, a=0.2)

    def forward(self, x: Tensor, classes: Tensor) -> DiscriminatorOutput:
        """Return a logit of being a real face, or one for each class; there is no class head."""
        return DiscriminatorOutput(real=self.head(self.body(x)).float(), expression=None)


class _Down(nn.Module):
    """Residual block that halves the side."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_in, 3, 1, 1)
        self.conv2 = nn.Conv2d(c_in, c_out, 3, 1, 1)
        self.shortcut = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2)
        h = self.conv2(F.avg_pool2d(h, 2))
        return (h + self.shortcut(F.avg_pool2d(x, 2))) * 0.7071


def _head(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(c_in, c_in), nn.LeakyReLU(0.2), nn.Linear(c_in, c_out))


Discriminator = (
    StridedDiscriminator | PatchDiscriminator | ResNetDiscriminator | ResidualDiscriminator
)

_DISCRIMINATORS: dict[DiscriminatorKind, Callable[[DiscriminatorSpec], Discriminator]] = {
    "strided": StridedDiscriminator,
    "patch": PatchDiscriminator,
    "resnet50": ResNetDiscriminator,
    "residual": ResidualDiscriminator,
}


def build_discriminator(spec: DiscriminatorSpec) -> Discriminator:
    """Build the discriminator of a recipe."""
    return _DISCRIMINATORS[spec.kind](spec)
