"""Our generator: warps what moves, wipes what is to go, paints what appears."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import SIZE
from cctranslate.recipes.components import GeneratorSpec
from cctranslate.training.networks.generator import Code, Edit, Generator
from cctranslate.training.networks.modulated_block import ModulatedBlock
from cctranslate.training.networks.mouths.redrawer import MouthRedrawer


class FlowGenerator(Generator):
    """Ours: a smooth warp moves what is there, what is to go is wiped, light adds what is to come.

    The result is warp(x, flow) + paint, both about zero at the start of training, so that the
    face's own texture and identity stay by default. Part of the paint takes the warped face to its
    own blur where a mask says so: light alone cannot close a smile, whose teeth shine through.
    Resizing instead of transposed convolution keeps checkerboards out (Odena et al. 2016); the
    pixel-unshuffle stem keeps 48x48 convolutions few.

    If the spec says so, another network then redraws the mouth of the result. It sees the result at
    the spec's strengths. What it adds is fainter where less is asked for, as paint is.
    """

    REACH = 6.0
    """The farthest a pixel is fetched from, in pixels."""
    WIPE_BIAS = 5.0
    """What the mask's logits are lowered by: sigmoid(-5) wipes next to nothing at the start."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        w, style = spec.width, 64
        self.style = nn.Sequential(
            nn.Linear(NUM_CLASSES, style), nn.SiLU(), nn.Linear(style, style)
        )
        self.stem = nn.Conv2d(4, w, 3, 1, 1)
        self.down = nn.Conv2d(w, 2 * w, 3, 2, 1)
        self.core_in = _Plain(2 * w)
        self.core = nn.ModuleList(ModulatedBlock(2 * w, style) for _ in range(spec.blocks))
        self.up = nn.Conv2d(2 * w, w, 3, 1, 1)
        self.fine = ModulatedBlock(w, style)
        self.flow = nn.Conv2d(w, 2, 3, 1, 1, bias=False)
        self.wipe = nn.Conv2d(w, 1, 3, 1, 1, bias=False)
        self.light = nn.Conv2d(w, 16, 3, 1, 1)
        self.touch = nn.Conv2d(17, 16, 3, 1, 1)
        self.paint = nn.Conv2d(16, 1, 3, 1, 1, bias=False)
        for head in (self.flow, self.wipe, self.paint):
            nn.init.normal_(head.weight, std=1e-3)
        self.mouth: MouthRedrawer | None = None
        if spec.redrawn_at:
            self.mouth = MouthRedrawer(spec.guidance, spec.opacity)
            self.register_buffer("redrawn_at", torch.tensor(spec.redrawn_at), persistent=False)
        line = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
        grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)  # [48,48,2] as x, y
        self.register_buffer("grid", grid, persistent=False)

    grid: Tensor
    redrawn_at: Tensor

    def encode(self, x: Tensor) -> Code:
        """Encode the face as `encode_face` does, and what its mouth is redrawn by."""
        code = self.encode_face(x)
        return code if self.mouth is None else (*code, *self.mouth.encode(x))

    def encode_face(self, x: Tensor) -> Code:
        """Encode the face at 48x48, 24x24 and 12x12, which is all that `first_edit` needs."""
        fine = F.silu(self.stem(F.pixel_unshuffle(x, 2)))
        return x, fine, self.core_in(F.silu(self.down(fine)))

    def edit(self, code: Code, labels: Tensor) -> Edit:
        """Move what is there, wipe what is to go, paint what is to come; then redraw the mouth."""
        edit = self.first_edit(code, labels)
        if self.mouth is None:
            return edit
        strength = (labels * self.redrawn_at).sum(1)
        result = self._applied(code[0], edit, strength)
        mouth = self.mouth(result, code[3:], labels) / strength[:, None, None, None]
        return replace(edit, image=(edit.image + mouth).clamp(-1, 1), mouth=mouth)

    def first_edit(self, code: Code, labels: Tensor) -> Edit:
        """Return the edit before the mouth is redrawn."""
        x, fine, h = code[:3]
        style = self.style(labels.to(x.dtype))
        for block in self.core:
            h = block(h, style)
        h = F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)
        h = self.fine(F.silu(self.up(h)) + fine, style)
        light, flow, wipe = self._heads(h)
        flow = flow.float().tanh() * self.REACH
        warped = self._warp(x, flow)
        mask = (wipe.float() - self.WIPE_BIAS).sigmoid()
        wiped = mask * (_blurred(warped) - warped)
        paint = wiped + self.paint(F.silu(self._touched(light, warped + wiped))).float()
        return Edit(image=(warped + paint).clamp(-1, 1), flow=flow, paint=paint)

    def apply_edit(self, x: Tensor, edit: Edit, strength: Tensor) -> Tensor:
        """Warp less far and paint fainter with less strength."""
        return self._applied(x, edit, strength).clamp(-1, 1)

    def _applied(self, x: Tensor, edit: Edit, strength: Tensor) -> Tensor:
        factor = strength[:, None, None, None]
        paint = edit.paint if edit.mouth is None else edit.paint + edit.mouth
        return self._warp(x, factor * edit.flow) + factor * paint

    def _heads(self, h: Tensor) -> tuple[Tensor, ...]:
        """Compute light [N,16,48,48], flow [N,2,48,48] and mask [N,1,48,48] in one convolution.

        With three of few channels a CPU's generator takes 1.04 times as long.
        """
        heads = (self.light, self.flow, self.wipe)
        weight = torch.cat([head.weight for head in heads])
        assert self.light.bias is not None
        without_bias = self.flow.out_channels + self.wipe.out_channels
        bias = torch.cat([self.light.bias, self.light.bias.new_zeros(without_bias)])
        outputs = F.conv2d(h, weight, bias, padding=1)
        return torch.split(_double(outputs), [head.out_channels for head in heads], 1)

    def _touched(self, light: Tensor, wiped: Tensor) -> Tensor:
        """Convolve light [N,16,48,48] and the wiped face [N,1,48,48] to [N,16,48,48].

        They are apart because onnxruntime computes 17 channels as 24, or as 32.
        """
        of_light, of_face = self.touch.weight[:, :-1], self.touch.weight[:, -1:]
        return F.conv2d(light, of_light, self.touch.bias, padding=1) + F.conv2d(
            wiped.to(light.dtype), of_face, padding=1
        )

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
    """Blur by two box filters of 9 pixels: wider than a row of teeth is high."""
    for _ in range(2):
        x = F.avg_pool2d(x, 9, 1, 4, count_include_pad=False)
    return x


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
