"""Generators: encode a face once, decode each target."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import SIZE
from cctranslate.recipes.spec import GeneratorKind, GeneratorSpec

CLASSES = len(EMOTIONS)
Code = tuple[Tensor, ...]
"""What a face is encoded to: itself, then feature maps [N,C,H,W] from fine to coarse."""


def keras_init(network: nn.Module) -> None:
    """Keras's default weights (Glorot and Bengio 2010), zero biases: what the seed began from.

    Torch's own default for transposed convolutions drives the seed's tanh into saturation,
    which it never leaves.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A translation [N,1,48,48] and its parts: it is the face warped by `flow`, plus `paint`.

    `flow` [N,2,48,48] is in pixels, x then y, from each place to where it is fetched from.
    A generator that draws the face anew has a flow of zeros and paints the difference.
    """

    image: Tensor
    flow: Tensor
    paint: Tensor


class Generator(nn.Module):
    """A translator of faces [N,1,48,48] in [-1,1] by label rows [N,7]."""

    def encode(self, x: Tensor) -> Code:
        """The face's code, which does not depend on the target."""
        raise NotImplementedError

    def edit(self, code: Code, labels: Tensor) -> Edit:
        """The code's face with the expression of `labels` [N,7]."""
        raise NotImplementedError

    def partial(self, x: Tensor, edit: Edit, strength: Tensor) -> Tensor:
        """The face [N,1,48,48] with so much [N] of an edit: 0 leaves it as it was, 1 is all."""
        return (x + strength[:, None, None, None] * edit.paint).clamp(-1, 1)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Encode and decode once: [N,1,48,48]."""
        return self.edit(self.encode(x), labels).image


class UNet(Generator):
    """The seed's generator (its models.py): four 4x4 stride-2 convolutions without padding.

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
        joined = widths[3] + CLASSES
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
        """The face and its four scales."""
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
    """The generator of the seed's first experiments (its ccyclegan_t1.py to ccyclegan_t17.py).

    Padded 4x4 convolutions halve 48 to 3; the way up resizes, then convolves. The label scales
    the input (T1) or the latent (T11) place by place, or joins the latent as 8 channels (T5).
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        a, b, c, d = (spec.width * 2**i for i in range(4))
        self.place = spec.label
        joined = 8 if spec.label == "joined" else 0
        places = {"input": SIZE * SIZE, "latent": 9 * d, "joined": 9 * joined}
        self.label = nn.Linear(CLASSES, places[spec.label], bias=False)
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
        """The face and its four scales; the face alone where the label scales the input."""
        return (x,) if self.place == "input" else (x, *self._scales(x))

    def edit(self, code: Code, labels: Tensor) -> Edit:
        """Draw the face anew."""
        x = code[0]
        label = self.label(labels.to(x.dtype))
        scales = code[1:] or self._scales(x * label.view(-1, 1, SIZE, SIZE))
        h = scales[3]
        if self.place == "latent":
            h = h * label.unflatten(1, (-1, 3, 3))
        elif self.place == "joined":
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
    """As Keras pads for a 4x4 convolution that keeps the side: one before, two after."""
    return F.pad(x, (1, 2, 1, 2))


class _Modulated(nn.Module):
    """Residual block, its features scaled and shifted by the label (FiLM, Perez et al. 2018)."""

    def __init__(self, width: int, style: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.film = nn.Linear(style, 2 * width)
        self.conv1 = nn.Conv2d(width, width, 3, 1, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        scale, shift = self.film(style)[:, :, None, None].chunk(2, 1)
        h = F.silu(self.norm(x) * (1 + scale) + shift)
        return x + self.conv2(F.silu(self.conv1(h)))


class Flow(Generator):
    """Ours: a smooth warp moves what is there, what is to go is wiped, light adds what is to come.

    The result is warp(x, flow) + paint, both about zero at the start of training, so that the
    face's own texture and identity stay by default. Part of the paint takes the warped face to its
    own blur where a mask says so: light alone cannot close a smile, whose teeth shine through.
    Resizing instead of transposed convolution keeps checkerboards out (Odena et al. 2016); the
    pixel-unshuffle stem keeps 48x48 convolutions few.
    """

    REACH = 6.0
    """The farthest a pixel is fetched from, in pixels."""
    KEPT = 5.0
    """Training starts from a mask of sigmoid(-5), which wipes next to nothing."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        w, style = spec.width, 64
        self.style = nn.Sequential(nn.Linear(CLASSES, style), nn.SiLU(), nn.Linear(style, style))
        self.stem = nn.Conv2d(4, w, 3, 1, 1)
        self.down = nn.Conv2d(w, 2 * w, 3, 2, 1)
        self.core_in = _Plain(2 * w)
        self.core = nn.ModuleList(_Modulated(2 * w, style) for _ in range(spec.blocks))
        self.up = nn.Conv2d(2 * w, w, 3, 1, 1)
        self.fine = _Modulated(w, style)
        self.flow = nn.Conv2d(w, 2, 3, 1, 1, bias=False)
        self.wipe = nn.Conv2d(w, 1, 3, 1, 1, bias=False)
        self.light = nn.Conv2d(w, 16, 3, 1, 1)
        self.touch = nn.Conv2d(17, 16, 3, 1, 1)
        self.paint = nn.Conv2d(16, 1, 3, 1, 1, bias=False)
        for head in (self.flow, self.wipe, self.paint):
            nn.init.normal_(head.weight, std=1e-3)
        line = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
        grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)  # [48,48,2] as x, y
        self.register_buffer("grid", grid, persistent=False)

    grid: Tensor

    def encode(self, x: Tensor) -> Code:
        """The face at 48x48, 24x24 and 12x12."""
        fine = F.silu(self.stem(F.pixel_unshuffle(x, 2)))
        return x, fine, self.core_in(F.silu(self.down(fine)))

    def edit(self, code: Code, labels: Tensor) -> Edit:
        """Move what is there, wipe what is to go, paint what is to come."""
        x, fine, h = code
        style = self.style(labels.to(x.dtype))
        for block in self.core:
            h = block(h, style)
        h = F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)
        h = self.fine(F.silu(self.up(h)) + fine, style)
        flow = _double(self.flow(h)).float().tanh() * self.REACH
        warped = self._warp(x, flow)
        mask = (_double(self.wipe(h)).float() - self.KEPT).sigmoid()
        wiped = mask * (_blurred(warped) - warped)
        touched = torch.cat([_double(self.light(h)), (warped + wiped).to(h.dtype)], 1)
        paint = wiped + self.paint(F.silu(self.touch(touched))).float()
        return Edit(image=(warped + paint).clamp(-1, 1), flow=flow, paint=paint)

    def partial(self, x: Tensor, edit: Edit, strength: Tensor) -> Tensor:
        """Less strength warps less far and paints fainter."""
        share = strength[:, None, None, None]
        return (self._warp(x, share * edit.flow) + share * edit.paint).clamp(-1, 1)

    def _warp(self, x: Tensor, flow: Tensor) -> Tensor:
        grid = self.grid + flow.permute(0, 2, 3, 1) * (2 / SIZE)
        return F.grid_sample(x.float(), grid, padding_mode="border", align_corners=False)


class _Plain(nn.Module):
    """Residual block without a label."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, 1, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(self.norm(x)))))


def _blurred(x: Tensor) -> Tensor:
    """Two box filters of 9 pixels: wider than a row of teeth is high."""
    for _ in range(2):
        x = F.avg_pool2d(x, 9, 1, 4, count_include_pad=False)
    return x


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


_GENERATORS: dict[GeneratorKind, Callable[[GeneratorSpec], Generator]] = {
    "unet": UNet,
    "padded-unet": PaddedUNet,
    "flow": Flow,
}


def build_generator(spec: GeneratorSpec) -> Generator:
    """The generator that a recipe asks for."""
    return _GENERATORS[spec.kind](spec)
