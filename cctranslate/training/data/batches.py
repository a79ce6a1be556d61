"""Batches for a GAN's steps: faces, targets, and the real faces that D compares with."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cctranslate.emotions import EMOTIONS, NUM_CLASSES
from cctranslate.pixels import Gray
from cctranslate.recipes.components import Procedure
from cctranslate.training.data.device_cache import DeviceDataset
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.data.ferplus import Votes, soft_labels
from cctranslate.training.data.sampler import Indices, Sampler


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A step's N faces and M translations (M = N, or 6N with all other expressions as targets)."""

    x: Tensor  # [N,1,48,48]
    classes: Tensor  # [N]
    labels: Tensor  # [N,7]
    source: Tensor  # [M] which face each translation starts from
    targets: Tensor  # [M] class ids
    real: Tensor  # [R,1,48,48] what D sees as real
    real_classes: Tensor  # [R]
    real_labels: Tensor  # [R,7]

    @property
    def target_labels(self) -> Tensor:
        """Targets one-hot [M,7]."""
        return F.one_hot(self.targets, NUM_CLASSES).float()

    def parts(self, count: int) -> "list[Batch]":
        """Split the translations into `count` parts, with one target of each face in each."""
        if count == 1:
            return [self]
        return [
            replace(self, source=self.source[k::count], targets=self.targets[k::count])
            for k in range(count)
        ]


class Batches:
    """Draws batches by a procedure, from the faces whose labels are certain enough."""

    def __init__(
        self,
        procedure: Procedure,
        faces: Faces,
        votes: Votes | None,
        device: torch.device,
        seed: int,
    ) -> None:
        labels = soft_labels(faces, votes, procedure.vote_share)
        # A row of zeros: most voters called it no face.
        usable = labels.max(1) >= max(procedure.certainty, 1e-6)
        named = [EMOTIONS.index(emotion) for emotion in procedure.domains]
        self._domains = np.array(sorted(named) or range(NUM_CLASSES))
        # Allocated up front: nothing may be copied to the device while a step is captured.
        self._device_domains = torch.from_numpy(self._domains).to(device)
        usable &= np.isin(labels.argmax(1), self._domains)
        self._dataset, self._labels = DeviceDataset(faces.images[usable], device), labels[usable]
        self._classes = self._labels.argmax(1).astype(np.int64)
        self._procedure, self._device, self._seed = procedure, device, seed
        self._sampler = Sampler(
            self._classes,
            procedure.batch_size,
            procedure.class_balance,
            seed,
            shuffle=procedure.shuffle,
        )

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass over the faces."""
        return self._sampler.steps_per_epoch

    def draw(self, step: int) -> Batch:
        """Draw the batch of a step; torch's generator must be seeded for the step."""
        chosen = self._sampler.batch(step)
        classes = self._classes[chosen]
        targets, source = self._targets(classes)
        x, real = self._faces(chosen), chosen
        real_x = x
        if self._procedure.targets == "one" and not self._procedure.paired:
            real = self._sampler.partners(step, targets)
            real_x = self._faces(real)
        return Batch(
            x=x,
            classes=self._tensor(classes),
            labels=self._tensor(self._labels[chosen]),
            source=self._tensor(source),
            targets=self._tensor(targets),
            real=real_x,
            real_classes=self._tensor(self._classes[real]),
            real_labels=self._tensor(self._labels[real]),
        )

    def _targets(self, classes: Indices) -> tuple[Indices, Indices]:
        """Return targets [M] for faces of `classes` [N], and the index [M] of each one's face."""
        sources = np.arange(len(classes))
        if self._procedure.targets == "one":
            drawn = torch.randint(len(self._domains), (len(classes),)).numpy()
            return self._domains[drawn], sources
        if self._procedure.targets == "one-other":
            return self.others(self._tensor(classes)).cpu().numpy(), sources
        others = [self._domains[self._domains != c] for c in classes]
        return np.concatenate(others), np.repeat(sources, len(self._domains) - 1)

    def others(self, classes: Tensor) -> Tensor:
        """Draw a class other than each of `classes` [N], evenly from the domains."""
        domains = self._device_domains
        shift = torch.randint(1, len(domains), classes.shape, device=classes.device)
        return domains[(torch.searchsorted(domains, classes) + shift) % len(domains)]

    def spread(self, count: int) -> Gray:
        """Return faces for the sheet, the same number of each class."""
        random = np.random.default_rng([self._seed, 3])
        pools = [np.flatnonzero(self._classes == c) for c in self._domains]
        size = count // len(pools)
        chosen = [random.choice(pool, min(size, len(pool)), replace=False) for pool in pools]
        return self._dataset.levels(np.concatenate(chosen))

    def _faces(self, chosen: Indices) -> Tensor:
        """Return the chosen faces; half of them are mirrored if the procedure flips."""
        x = self._dataset.scaled(chosen)
        if not self._procedure.flip:
            return x
        return torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x, x.flip(3))

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self._device)
