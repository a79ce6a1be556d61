"""Batches of pairs for a student, and the real faces that its discriminators compare with."""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cctranslate.emotions import EMOTIONS, NUM_CLASSES
from cctranslate.errors import RunError
from cctranslate.faces.alignment import MIRRORED_POINTS
from cctranslate.faces.hardness import HARD, hardness
from cctranslate.pixels import SIZE, Gray
from cctranslate.recipes.student import StudentRecipe
from cctranslate.training.data import augment, framing
from cctranslate.training.data.device_cache import DeviceDataset
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.data.ferplus import Votes, likeliest, soft_labels
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.data.sampler import Indices, Sampler, evenly
from cctranslate.training.networks.student.part_discriminators import DiscriminatorInput
from cctranslate.training.pairs import selection
from cctranslate.training.pairs.store import Draws

NEUTRAL = EMOTIONS.index("neutral")
HARDEST = 0.75
"""Faces without a pair are less hard to change than this, which includes tilted ones."""
TURN = 0.2
"""Standard deviation of the angle by which faces are turned, in radians."""


@dataclass(frozen=True, kw_only=True)
class PairBatch:
    """N faces x and the results y that a step trains towards.

    The last ones may be faces without a pair. Their y is their x until they get an anchor.
    """

    x: Tensor  # [N,1,48,48]
    y: Tensor  # [N,1,48,48]
    paired: Tensor  # [N] bool: whether y is a result, or the face that is to stay as it is
    points: Tensor  # [N,5,2]
    has_landmarks: Tensor  # [N] whether a face has landmarks
    targets: Tensor  # [N] class ids
    guided: Tensor  # [N] weight: 0 where the target is not new to the face or the face is hard
    real: DiscriminatorInput  # real faces of the targets' expressions

    @property
    def target_labels(self) -> Tensor:
        """Targets one-hot [N,7]."""
        return F.one_hot(self.targets, NUM_CLASSES).float()

    def discriminator_input(self, image: Tensor) -> DiscriminatorInput:
        """Return results [N,1,48,48] as an input of the discriminators."""
        return DiscriminatorInput(x=image, points=self.points, classes=self.targets)

    def turned(self, fraction: float) -> "PairBatch":
        """Return the batch with a fraction of its faces, and of the real ones, turned."""
        x_and_y, points = _turned(torch.cat([self.x, self.y], 1), self.points, fraction)
        real, real_points = _turned(self.real.x, self.real.points, fraction)
        return replace(
            self,
            x=x_and_y[:, :1],
            y=x_and_y[:, 1:],
            points=points,
            real=replace(self.real, x=real, points=real_points),
        )


class PairBatches:
    """Draws pairs of a face and its best result, and faces without a pair if the recipe has some.

    All targets are drawn equally often, except `neutral` if the recipe says so.
    """

    def __init__(
        self,
        recipe: StudentRecipe,
        *,
        faces: Faces,
        votes: Votes | None,
        face_landmarks: Landmarks,
        draws: Draws,
        device: torch.device,
        seed: int,
    ) -> None:
        """Take Training faces, their landmarks, and the chosen draws, surest first.

        Raises:
            RunError: There are fewer pairs than a batch has.
        """
        labels = soft_labels(faces, votes, recipe.vote_share)
        self._classes = likeliest(labels)
        pairs = draws.take(selection.best(draws))
        if recipe.unpaired:
            # Pairs of misaligned faces are poor, as the translator has hardly seen such faces.
            # Their anchors are better: they are made from the upright face (`anchors.py`).
            frames = framing.align(torch.from_numpy(face_landmarks.points))
            odd = framing.are_misaligned(frames).numpy()
            pairs = pairs.take(~(odd & face_landmarks.has_landmarks)[pairs.sources])
        if len(pairs) < recipe.batch_size:
            raise RunError(
                f"{recipe.name}: {len(pairs)} pairs were kept, fewer than a batch of "
                f"{recipe.batch_size}: draw pairs of more faces"
            )
        self._real = np.flatnonzero(self._classes >= 0)
        self._recipe, self._device, self._seed = recipe, device, seed
        self._sources, self._targets = pairs.sources, pairs.targets
        self._faces = DeviceDataset(faces.images, device)
        self._results = DeviceDataset(pairs.images, device)
        self._points = torch.from_numpy(face_landmarks.points).to(device)
        self._has_landmarks = torch.from_numpy(face_landmarks.has_landmarks).to(device)
        hard = hardness(face_landmarks.points, face_landmarks.has_landmarks)
        self._easy = hard < HARD
        size = recipe.batch_size
        self.unpaired = round(recipe.unpaired * size)
        self._unpaired_faces = np.flatnonzero((hard < HARDEST) & (self._classes >= 0))
        if self.unpaired and not len(self._unpaired_faces):
            raise RunError(f"{recipe.name}: all faces are hard to change: train on others")
        emphasis = np.ones(NUM_CLASSES)
        emphasis[NEUTRAL] = recipe.neutral
        self._emphasis = torch.from_numpy(emphasis)
        self._sampler = Sampler(
            self._targets, size - self.unpaired, balance=1.0, seed=seed, emphasis=emphasis
        )
        self._real_sampler = Sampler(self._classes[self._real], size, balance=0.0, seed=seed)

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass over the pairs."""
        return self._sampler.steps_per_epoch

    def draw(self, step: int) -> PairBatch:
        """Draw the batch of a step; torch's generator must be seeded for the step."""
        chosen = self._sampler.batch(step)
        unpaired_faces, unpaired_targets = self._draw_unpaired()
        sources = np.concatenate([self._sources[chosen], unpaired_faces])
        targets = np.concatenate([self._targets[chosen], unpaired_targets])
        drawn = torch.rand(len(sources)).numpy() < self._recipe.same
        classes = self._classes[sources]
        same = (drawn & (classes >= 0)) | (targets == classes)
        targets = np.where(same, classes, targets)
        real = self._real[self._real_sampler.partners(step, targets)]
        target_tensor = torch.from_numpy(targets).to(self._device)
        x = self._faces.scaled(sources)
        y = torch.cat([self._results.scaled(chosen), x[len(chosen) :]])
        y = torch.where(self._tensor(same)[:, None, None, None], x, y)
        emphasis = np.where(targets == NEUTRAL, self._recipe.weights.neutral_guide, 1.0)
        unpaired = np.arange(len(sources)) >= len(chosen)
        guided = emphasis * (~same & (self._easy[sources] | unpaired))
        x_and_y, points = _mirrored(torch.cat([x, y], 1), self._points_of(sources))
        real_x, real_points = _mirrored(self._faces.scaled(real), self._points_of(real))
        return PairBatch(
            x=x_and_y[:, :1],
            y=x_and_y[:, 1:],
            paired=self._tensor(same | ~unpaired),
            points=points,
            has_landmarks=self._has_landmarks[torch.from_numpy(sources).to(self._device)],
            targets=target_tensor,
            guided=torch.from_numpy(guided).float().to(self._device),
            real=DiscriminatorInput(x=real_x, points=real_points, classes=target_tensor),
        )

    def spread(self, count: int) -> Gray:
        """Return faces for the sheet, the same number of each expression."""
        return self._faces.levels(evenly(self._classes, self._seed)[:count])

    def _draw_unpaired(self) -> tuple[Indices, Indices]:
        """Draw the batch's faces without a pair, and their targets."""
        if not self.unpaired:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        drawn = torch.randint(len(self._unpaired_faces), (self.unpaired,)).numpy()
        targets = torch.multinomial(self._emphasis, self.unpaired, replacement=True).numpy()
        return self._unpaired_faces[drawn], targets

    def _points_of(self, chosen: Indices) -> Tensor:
        return self._points[torch.from_numpy(chosen).to(self._device)]

    def _tensor(self, values: NDArray[np.bool_]) -> Tensor:
        return torch.from_numpy(values).to(self._device)


def _turned(x: Tensor, points: Tensor, fraction: float) -> tuple[Tensor, Tensor]:
    angle, drawn = torch.randn(len(x), device=x.device), torch.rand(len(x), device=x.device)
    return augment.turned(x, points, TURN * angle * (drawn < fraction))


def _mirrored(x: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return faces [N,C,48,48] and landmarks [N,5,2], half of them mirrored."""
    flip = torch.rand(len(x), device=x.device) < 0.5
    mirrored = points[:, MIRRORED_POINTS]
    mirrored = torch.stack([SIZE - 1 - mirrored[..., 0], mirrored[..., 1]], 2)
    return (
        torch.where(flip[:, None, None, None], x.flip(3), x),
        torch.where(flip[:, None, None], mirrored, points),
    )
