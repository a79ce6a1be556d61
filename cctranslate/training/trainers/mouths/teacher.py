"""The trainer of the teacher of mouths: flow matching on crops about them."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cctranslate.emotions import EMOTIONS
from cctranslate.training.data import augment
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.networks.denoiser import Context, Denoiser
from cctranslate.training.networks.inpainting import GuidedVelocity, context_of_mouths
from cctranslate.training.networks.mouths import crops
from cctranslate.training.trainers.flow_matching import (
    SHEET_GUIDANCE,
    SHEET_STEPS,
    FlowMatchingTrainer,
    TeacherBatch,
)
from cctranslate.training.trainers.sheet import to_picture

BRIGHTNESS, CONTRAST = 0.15, 0.15
"""How much the light of crops varies: a third of a face has less variation of its own."""
FARTHEST = 2
"""Pixels by which crops are off the mouth, at most."""


class MouthTeacherTrainer(FlowMatchingTrainer):
    """Trains a teacher's network further, on the mouths of faces whose landmarks were found."""

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Start from another teacher's weights.

        Raises:
            RuntimeError: They are of another network.
        """
        self.network.load_state_dict(weights)
        self.average.module.load_state_dict(weights)

    @staticmethod
    def usable(labels: NDArray[np.float32], face_landmarks: Landmarks) -> NDArray[np.bool_]:
        """Return which faces [N] have a label and landmarks."""
        return FlowMatchingTrainer.usable(labels, face_landmarks) & face_landmarks.has_landmarks

    def _shown(self, batch: TeacherBatch) -> tuple[Tensor, Context]:
        n, device = len(batch.x), self.device
        place = crops.places(batch.points)
        corner = crops.corners(place)
        corner = corner + torch.randint(-FARTHEST, FARTHEST + 1, (n, 2), device=device)
        size, softness = torch.rand(2, n, 1, 1, device=device)
        mask = crops.masks(crops.shifted(place), corner, 0.88 + 0.26 * size, 0.04 + 0.26 * softness)
        faces = augment.light(batch.x, brightness=BRIGHTNESS, contrast=CONTRAST)
        x = crops.cut(faces, corner)
        return x, context_of_mouths(x, mask)

    @torch.inference_mode()
    def sheet(self) -> Image.Image:
        """Draw a column for each face: the mouth, then redrawn from noise for each expression."""
        average = self.average.module
        assert isinstance(average, Denoiser)
        place = crops.places(self._points[torch.from_numpy(self._sheet_faces)])
        corner = crops.corners(place)
        x = crops.cut(self.dataset.scaled(self._sheet_faces), corner)
        context = context_of_mouths(x, crops.masks(place, corner))
        rows = [x]
        for target in range(len(EMOTIONS)):
            labels = torch.eye(len(EMOTIONS), device=self.device)[target].expand(len(x), -1)
            velocity = GuidedVelocity(average, context, labels, None, SHEET_GUIDANCE)
            state = torch.randn(x.shape, generator=torch.Generator().manual_seed(target)).to(x)
            for step in range(SHEET_STEPS):
                state = state + velocity(state, step / SHEET_STEPS) / SHEET_STEPS
            rows.append(velocity.filled(state).clamp(-1, 1))
        return to_picture(torch.cat([torch.cat(list(row[:, 0]), 1) for row in rows]))
