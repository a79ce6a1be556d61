"""Classifiers and encoders of faces: judge, witness, guides and encoders."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import Gray, to_scaled
from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import ClassifierKind, Objective
from cctranslate.training.networks.pretrained.resnet50 import Backbone

OUTPUTS: dict[Objective, int] = {"expression": NUM_CLASSES, "identity": 128}


class Classifier(nn.Module):
    """Faces [N,1,48,48] in [-1,1] -> logits [N,7], divided by the fitted temperature.

    With objective `identity` the outputs are embeddings [N,128], to be compared by cosine.
    """

    temperature: Tensor

    def __init__(self, recipe: ClassifierRecipe) -> None:
        super().__init__()
        self.body = _BODIES[recipe.kind](recipe.widths)
        self.mirrored = recipe.mirrored
        self.dropout = nn.Dropout(recipe.dropout)
        self.head = nn.Linear(recipe.widths[-1], OUTPUTS[recipe.objective])
        self.register_buffer("temperature", torch.ones(()))

    def features(self, x: Tensor) -> Tensor:
        """Return the pooled features [N,C] before the class head."""
        pooled: Tensor = self.body(x).mean((2, 3))
        if self.mirrored and not self.training:
            pooled = (pooled + self.body(x.flip(3)).mean((2, 3))) / 2
        return pooled

    def forward(self, x: Tensor) -> Tensor:
        """Return calibrated logits [N,7], or embeddings [N,128]."""
        return self.head(self.dropout(self.features(x))) / self.temperature


class _Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.shortcut = (
            nn.Identity()
            if c_in == c_out and stride == 1
            else nn.Conv2d(c_in, c_out, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(h)) + self.shortcut(x), inplace=True)


class _Smooth(nn.Module):
    """Pre-activation residual block of group norm and SiLU: no batch statistics, no kinks."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(8, c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1)
        self.norm2 = nn.GroupNorm(8, c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1)
        self.shortcut = (
            nn.Identity()
            if c_in == c_out and stride == 1
            else nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(c_in, c_out, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        return self.conv2(F.silu(self.norm2(h))) + self.shortcut(x)


def _residual(widths: tuple[int, ...]) -> nn.Sequential:
    a, b, c = widths
    return nn.Sequential(
        nn.Conv2d(1, a, 5, 2, 2, bias=False),
        nn.BatchNorm2d(a),
        nn.ReLU(inplace=True),
        *(_Residual(a, a), _Residual(a, a)),
        *(_Residual(a, b, 2), _Residual(b, b)),
        *(_Residual(b, c, 2), _Residual(c, c)),
    )


def _plain(widths: tuple[int, ...]) -> nn.Sequential:
    """Build a body of convolutions and pooling alone, as VGG's."""
    layers: list[nn.Module] = [nn.Conv2d(1, 16, 3, 1, 1), nn.ReLU(inplace=True), nn.AvgPool2d(2)]
    c_in = 16
    for scale, width in enumerate(widths):
        if scale:
            layers.append(nn.AvgPool2d(2))
        for _ in range(2):
            layers += [
                nn.Conv2d(c_in, width, 3, 1, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            c_in = width
    return nn.Sequential(*layers)


def _smooth(widths: tuple[int, ...]) -> nn.Sequential:
    a, b, c = widths
    return nn.Sequential(
        nn.PixelUnshuffle(2),
        nn.Conv2d(4, a, 3, 1, 1),
        _Smooth(a, a),
        *(_Smooth(a, b, 2), _Smooth(b, b)),
        *(_Smooth(b, c, 2), _Smooth(c, c)),
        nn.GroupNorm(8, c),
        nn.SiLU(),
    )


class _Separable(nn.Module):
    """Depthwise 5x5, then two 1x1 convolutions about a GELU (after ConvNeXt, Liu et al. 2022)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 5, 1, 2, groups=width, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.wide = nn.Conv2d(width, 3 * width, 1)
        self.narrow = nn.Conv2d(3 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.narrow(F.gelu(self.wide(self.norm(self.depthwise(x)))))


def _separable(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for scale, (c_in, c_out) in enumerate(zip([1, *widths], widths, strict=False)):
        layers += [nn.Conv2d(c_in, c_out, 3, 2, 1, bias=False), nn.BatchNorm2d(c_out)]
        layers += [_Separable(c_out) for _ in range(1 if scale == 0 else 2)]
    return nn.Sequential(*layers)


def _strided(widths: tuple[int, ...]) -> nn.Sequential:
    """Build the body of the original's first discriminators."""
    layers: list[nn.Module] = []
    for scale, (c_in, c_out) in enumerate(zip([1, *widths], widths, strict=False)):
        layers += [nn.Conv2d(c_in, c_out, 4, 2, 1), nn.LeakyReLU(0.2)]
        if scale:
            layers.append(nn.GroupNorm(1, c_out))
    return nn.Sequential(*layers)


def _resnet50(widths: tuple[int, ...]) -> nn.Module:
    return Backbone()


_BODIES: dict[ClassifierKind, Callable[[tuple[int, ...]], nn.Module]] = {
    "residual": _residual,
    "plain": _plain,
    "smooth": _smooth,
    "separable": _separable,
    "strided": _strided,
    "resnet50": _resnet50,
}


@torch.inference_mode()
def predict_logits(network: nn.Module, images: Gray, device: torch.device) -> Tensor:
    """Return the logits [N,7] of gray faces [N,48,48] on the CPU, in evaluation mode."""
    network.eval()
    parts = [
        network(torch.from_numpy(to_scaled(images[i : i + 512]))[:, None].to(device)).float().cpu()
        for i in range(0, len(images), 512)
    ]
    return torch.cat(parts)
