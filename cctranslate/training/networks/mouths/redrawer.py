"""The last part of our generator: it redraws the mouth of a result, from noise, in two steps."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.faces.alignment import TEMPLATE
from cctranslate.pixels import SIZE
from cctranslate.training.networks.denoiser import PATCH, Conv3x3, doubled, through
from cctranslate.training.networks.modulated_block import ModulatedBlock
from cctranslate.training.networks.mouths import crops

BEGIN = 0.25
"""Flow time of the first step: the mouth is three parts of noise to one of the result's own."""
STEPS = 2
WIDTHS = (32, 64, 96)
"""Channels at 12x16, 6x8 and 3x4."""
STYLE = 64
"""Length of the vector that tells the target and the guidance."""
NOISE_SEED = 4412
MIDDLE_GUIDANCE = 2.0
"""The guidance that is 0 in the input of the networks."""
FREQUENCIES = 64
"""Cosines that a face's noise is made of."""
TURN = 0.5
"""Standard deviation, in radians, of how far a cosine's phase turns between faces whose means over
4x4 pixels are a distance of 1 apart. Two persons' noise is then unrelated, and that of one face in
a little more light nearly the same."""
SHARPENING = 0.7
"""How much of its fine detail is added to a redrawn mouth. The teacher's guided steps draw it
smoother than real mouths are, and networks that learn them by squared error smoother still."""
GRAIN = 0.8
"""How much of the finest detail of the result before is added: its grain. Redrawn mouths have a
fifth of the energy of real ones there, by which critics tell them at once."""


class MouthRedrawer(nn.Module):
    """Finds the mouth, covers it with noise, and follows the flow from there to a mouth.

    A generator that warps and paints makes teeth and lips that look drawn. A generative model of
    mouths makes natural ones, but takes several passes of a large network. Here a small network for
    each of two steps predicts what that model would. The guidance is one of its inputs.
    """

    guidance: Tensor
    """[7]: the guidance for each target."""
    opacity: Tensor
    """[7]: the opacity of the redrawn mouth over the one before, for each target; 1 hides that one.
    Partly redrawn mouths are read as often, keep more of the person, and are closer to real faces
    in the features of networks that know faces or photographs. In a smile, teeth would show twice.
    """

    def __init__(self, guidance: tuple[float, ...], opacity: tuple[float, ...]) -> None:
        super().__init__()
        self.locator = MouthLocator()
        self.noise = FaceNoise()
        self.velocities = nn.ModuleList(MouthVelocity() for _ in range(STEPS))
        self.register_buffer("guidance", torch.tensor(guidance), persistent=False)
        self.register_buffer("opacity", torch.tensor(opacity), persistent=False)

    def encode(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return what does not depend on the target, for faces [N,1,48,48].

        It is the mouth's place [N,4,1,1], see `crops.places`, and the noise [N,1,24,32].
        """
        return self.locator(face)[:, :, None, None], self.noise(face)

    def forward(self, result: Tensor, code: tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """Return what to add to results [N,1,48,48] so that their mouths are redrawn.

        `code` is what `encode` returned for their sources, `labels` [N,7] are the targets.
        """
        place, noise = code
        place = place.flatten(1)
        corner = crops.corners(place)
        mask = crops.masks(place, corner)
        crop = crops.cut(result, corner)
        return crops.paste(self.redraw(crop, mask, labels, noise) - crop, corner)

    def matrices(self) -> Iterator[nn.Parameter]:
        """Yield the inner weight matrices, which Muon optimizes."""
        for name, module in self.velocities.named_modules():
            if isinstance(module, Conv3x3) and not name.endswith((".stem", ".out")):
                yield module.weight

    def redraw(self, crop: Tensor, mask: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
        """Return crops [N,1,24,32] over which mouths lie that are drawn from noise, for labels."""
        shown = crop.clamp(-1, 1)
        guidance = (labels * self.guidance).sum(1)
        state = torch.lerp(noise, shown, BEGIN)
        for velocity in self.velocities:
            state = state * mask + shown * (1 - mask)
            state = state + (1 - BEGIN) / STEPS * velocity(state, shown, mask, labels, guidance)
        state = state * mask + shown * (1 - mask)
        detail = state - F.avg_pool2d(state, 3, 1, 1, count_include_pad=False)
        added = SHARPENING * detail + GRAIN * _grain(shown)
        redrawn = torch.where(mask > 0, (state + mask * added).clamp(-1, 1), crop)
        opacity = (labels * self.opacity).sum(1)[:, None, None, None]
        return torch.lerp(crop, redrawn, opacity)


class FaceNoise(nn.Module):
    """Gaussian noise that each face has of its own.

    One noise for all faces would draw one mouth with small differences, and noise drawn at run time
    would make results depend on the rest of a batch. So it is computed from the face, by random
    Fourier features (Rahimi and Recht 2007). It changes smoothly: two pictures of one face in
    slightly other light, or with some grain, get nearly the same mouth. If the face lies a pixel
    further aside, the noise correlates by about .8.
    """

    directions: Tensor
    """[144,64]"""
    phases: Tensor
    """[64]"""
    mixing: Tensor
    """[64,768]"""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(NOISE_SEED)
        pixels = (SIZE // 4) ** 2
        directions = TURN * torch.randn(pixels, FREQUENCIES, generator=generator)
        phases = 2 * torch.pi * torch.rand(FREQUENCIES, generator=generator)
        mixing = torch.randn(FREQUENCIES, crops.HEIGHT * crops.WIDTH, generator=generator)
        self.register_buffer("directions", directions)
        self.register_buffer("phases", phases)
        self.register_buffer("mixing", mixing)

    def forward(self, face: Tensor) -> Tensor:
        """Return noise [N,1,24,32] for faces [N,1,48,48]."""
        small = F.avg_pool2d(face.float(), 4).flatten(1)
        waves = F.normalize((small @ self.directions + self.phases).cos())
        return (waves @ self.mixing).float().view(-1, 1, crops.HEIGHT, crops.WIDTH)


class MouthLocator(nn.Module):
    """Tells where the mouth is, as `crops.places` does by landmarks."""

    middle: Tensor
    """[1,4]: the template's place."""
    spread: Tensor
    """[4]: how far places vary, in pixels and in scale."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4, 16, 3, 1, 1),
            nn.SiLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.SiLU(),
            nn.Conv2d(32, 64, 3, 2, 1),
            nn.SiLU(),
            nn.Conv2d(64, 64, 3, 1, 1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(64 * (SIZE // 8) ** 2, 64),
            nn.SiLU(),
        )
        self.out = nn.Linear(64, 4)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        template = torch.tensor(TEMPLATE, dtype=torch.float32)[None]
        self.register_buffer("middle", crops.places(template), persistent=False)
        self.register_buffer("spread", torch.tensor([4.0, 4.0, 0.2, 0.2]), persistent=False)

    def forward(self, face: Tensor) -> Tensor:
        """Return places [N,4] by faces [N,1,48,48]."""
        return self.middle + self.spread * self.out(self.features(face)).float()


class MouthVelocity(nn.Module):
    """A small U-Net: the velocity from noise to a mouth, at one time of the flow."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.style = nn.Linear(NUM_CLASSES + 1, STYLE)
        self.stem = Conv3x3(3 * PATCH**2, fine)
        self.fine = _blocks(fine, 1)
        self.halve = Conv3x3(fine, middle, stride=2)
        self.middle = _blocks(middle, 1)
        self.halve_again = Conv3x3(middle, coarse, stride=2)
        self.coarse = _blocks(coarse, 3)
        self.up_middle = Conv3x3(coarse, middle)
        self.after_middle = _blocks(middle, 1)
        self.up_fine = Conv3x3(middle, fine)
        self.after_fine = _blocks(fine, 2)
        self.out = Conv3x3(fine, PATCH**2)
        nn.init.zeros_(self.out.weight)

    def forward(
        self, state: Tensor, shown: Tensor, mask: Tensor, labels: Tensor, guidance: Tensor
    ) -> Tensor:
        """Return the velocity [N,1,24,32] of states, for labels [N,7] and guidance [N].

        `shown` is the result before, which the noise covers, and `mask` is 1 where it does.
        """
        condition = torch.cat([labels, guidance[:, None] - MIDDLE_GUIDANCE], 1)
        style = F.silu(self.style(condition.to(state.dtype)))
        stem = self.stem(F.pixel_unshuffle(torch.cat([state, shown, mask], 1), PATCH))
        fine = through(self.fine, stem, style)
        middle = through(self.middle, self.halve(F.silu(fine)), style)
        h = through(self.coarse, self.halve_again(F.silu(middle)), style)
        h = through(self.after_middle, F.silu(self.up_middle(doubled(h))) + middle, style)
        h = through(self.after_fine, F.silu(self.up_fine(doubled(h))) + fine, style)
        return F.pixel_shuffle(self.out(F.silu(h)), PATCH).float()


def _grain(x: Tensor) -> Tensor:
    """Return the top octave of pictures [N,1,H,W]: what a small blur takes away, twice."""
    for _ in range(2):
        x = x - _blurred(x)
    return x


def _blurred(x: Tensor) -> Tensor:
    """Blur by a binomial filter of 3x3 pixels."""
    line = x.new_tensor([0.25, 0.5, 0.25])
    kernel = (line[:, None] * line)[None, None]
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel)


def _blocks(width: int, count: int) -> nn.ModuleList:
    return nn.ModuleList(ModulatedBlock(width, STYLE, Conv3x3) for _ in range(count))
