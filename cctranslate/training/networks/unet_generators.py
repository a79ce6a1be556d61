"""The original's generators, which draw the whole face."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import SIZE
from cctranslate.recipes.components import GeneratorSpec
from cctranslate.training.networks.generator import Code, Edit, Generator


def keras_init(network: nn.Module) -> None:
    """Set Keras's default weights (Glorot and Bengio 2010) and zero biases, as the original did.

    Torch's default for transposed convolutions drives the original's tanh into saturation,
    which it never leaves.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class UNet(Generator):
    """The original's generator (its models.py): four 4x4 stride-2 convolutions without padding.

    Its "instance norm" (keras-contrib, axis=None) takes one mean and deviation over all of a
    sample's channels and places: group norm of one group. True instance norm would erase the
    1x1 latent. Sides: 48, 23, 10, 4, 1.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        widths = [spec.width * 2**i for i in range(4)]
        self.down = nn.ModuleList(
            nn.Conv2d(c_in, c_out, 4, 2) for c_in, c_out in zip([1, *widths], widths, strict=False)
        )
        self.down_norm = nn.ModuleList(nn.GroupNorm(1, width) for width in widths)
        joined = widths[3] + NUM_CLASSES
        self.transform = nn.Linear(joined, joined) if spec.transform else None
        self.mix = nn.Conv2d(joined, widths[3], 1)
        ups = [
            (widths[3], widths[2], 0),
            (2 * widths[2], widths[1], 0),
            (2 * widths[1], widths[0], 1),
        ]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(c_in, c_out, 4, 2, output_padding=extra)
            for c_in, c_out, extra in ups
        )
        self.up_norm = nn.ModuleList(nn.GroupNorm(1, c_out) for _, c_out, _ in ups)
        self.out = nn.ConvTranspose2d(2 * widths[0], 1, 4, 2)
        keras_init(self)

    def encode(self, x: Tensor) -> Code:
        """Return the face and its four scales."""
        code = [x]
        for conv, norm in zip(self.down, self.down_norm, strict=True):
            x = norm(F.leaky_relu(conv(x), 0.2))
            code.append(x)
        return tuple(code)

    def edit(self, code: Code, labels: Tensor) -> Edit:
        """Draw the face anew."""
        h = torch.cat([code[4].flatten(1), labels.to(code[4].dtype)], 1)
        if self.transform is not None:
            h = F.leaky_relu(self.transform(h), 0.2)
        h = self.mix(h[:, :, None, None])
        for conv, norm, skip in zip(self.up, self.up_norm, code[3:0:-1], strict=True):
            h = torch.cat([norm(F.relu(conv(h))), skip], 1)
        image = self.out(h).float().tanh()
        return Edit(
            image=image, flow=torch.zeros_like(image).expand(-1, 2, -1, -1), paint=image - code[0]
        )


class PaddedUNet(Generator):
    """The generator of the original's first experiments (its ccyclegan_t1.py to ccyclegan_t17.py).

    Padded 4x4 convolutions halve 48 to 3; the way up resizes, then convolves. The label scales
    the input (T1) or the latent (T11) pixel by pixel, or joins the latent as 8 channels (T5).
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        a, b, c, d = (spec.width * 2**i for i in range(4))
        self.label_input = spec.label
        joined = 8 if spec.label == "joined" else 0
        places = {"input": SIZE * SIZE, "latent": 9 * d, "joined": 9 * joined}
        self.label = nn.Linear(NUM_CLASSES, places[spec.label], bias=False)
        downs = ((1, a), (a, b), (b, c), (c, d))
        self.down = nn.ModuleList(nn.Conv2d(c_in, c_out, 4, 2, 1) for c_in, c_out in downs)
        self.down_norm = nn.ModuleList(nn.GroupNorm(1, width) for _, width in downs)
        self.deep = nn.ModuleList(nn.Conv2d(d, d, 4) for _ in range(spec.blocks))
        self.deep_norm = nn.ModuleList(nn.GroupNorm(1, d) for _ in range(spec.blocks))
        ups = ((d + joined, c), (2 * c, b), (2 * b, a))
        self.up = nn.ModuleList(nn.Conv2d(c_in, c_out, 4) for c_in, c_out in ups)
        self.up_norm = nn.ModuleList(nn.GroupNorm(1, width) for _, width in ups)
        self.dropout = nn.Dropout(spec.dropout)
        self.out = nn.Conv2d(2 * a, 1, 4)
        keras_init(self)

    def encode(self, x: Tensor) -> Code:
        """Return the face and its four scales; the face alone where the label scales the input."""
        return (x,) if self.label_input == "input" else (x, *self._scales(x))

    def edit(self, code: Code, labels: Tensor) -> Edit:
        """Draw the face anew."""
        x = code[0]
        label = self.label(labels.to(x.dtype))
        scales = code[1:] or self._scales(x * label.view(-1, 1, SIZE, SIZE))
        h = scales[3]
        if self.label_input == "latent":
            h = h * label.unflatten(1, (-1, 3, 3))
        elif self.label_input == "joined":
            h = torch.cat([h, label.unflatten(1, (-1, 3, 3))], 1)
        for conv, norm, skip in zip(self.up, self.up_norm, scales[2::-1], strict=True):
            h = F.relu(conv(_padded(F.interpolate(h, scale_factor=2.0))))
            h = torch.cat([norm(self.dropout(h)), skip], 1)
        image = self.out(_padded(F.interpolate(h, scale_factor=2.0))).float().tanh()
        return Edit(
            image=image, flow=torch.zeros_like(image).expand(-1, 2, -1, -1), paint=image - x
        )

    def _scales(self, x: Tensor) -> Code:
        scales = []
        for conv, norm in zip(self.down, self.down_norm, strict=True):
            x = norm(F.leaky_relu(conv(x), 0.2))
            scales.append(x)
        for conv, norm in zip(self.deep, self.deep_norm, strict=True):
            x = norm(F.leaky_relu(conv(_padded(x)), 0.2))
        return (*scales[:3], x)


def _padded(x: Tensor) -> Tensor:
    """Pad as Keras does for a 4x4 convolution that preserves the side: one before, two after."""
    return F.pad(x, (1, 2, 1, 2))
