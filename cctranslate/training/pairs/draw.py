"""Draw candidates for pairs: faces in other expressions, in each way of the recipe."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import Gray, to_levels
from cctranslate.recipes.pairs import DrawSpec
from cctranslate.training.data import face_masks
from cctranslate.training.data.device_cache import scaled
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.device import autocast
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.generator import Generator
from cctranslate.training.networks.inpainting import Start, inpaint
from cctranslate.training.networks.pretrained.face_recognizer import FaceRecognizer
from cctranslate.training.pairs import results, store
from cctranslate.training.pairs.store import Draws


@dataclass(frozen=True, kw_only=True)
class DrawNetworks:
    """The networks that make draws, and those that measure them."""

    teacher: Denoiser
    guides: tuple[Classifier, ...]
    recognizer: FaceRecognizer
    generator: Generator
    """The translator, whose results are candidates and are repaired by the teacher."""


class CandidateDrawer:
    """Draws candidates of faces by the translator and the teacher, and measures them."""

    def __init__(
        self,
        specs: tuple[DrawSpec, ...],
        *,
        images: Gray,
        face_landmarks: Landmarks,
        embeddings: NDArray[np.float32],
        networks: DrawNetworks,
        device: torch.device,
    ) -> None:
        """Prepare for faces [N,48,48] with their landmarks and embeddings [N,128]."""
        self._specs, self._images, self._device = specs, images, device
        self._points = torch.from_numpy(face_landmarks.points)
        self._has_landmarks = torch.from_numpy(face_landmarks.has_landmarks)
        self._teacher = networks.teacher.to(device).eval().requires_grad_(False)
        with torch.inference_mode():
            self._identity = self._teacher.erase(torch.from_numpy(embeddings).to(device))
        self._guides = [guide.to(device).eval() for guide in networks.guides]
        self._recognizer = networks.recognizer.to(device).eval()
        self._generator = networks.generator.to(device).eval()

    def draw(
        self,
        chosen: NDArray[np.int64],
        targets: NDArray[np.int64],
        strengths: NDArray[np.float32],
        seed: tuple[int, ...],
    ) -> Draws:
        """Draw candidates of the faces `chosen` [N] for their targets [N,T], by each spec.

        `strengths` [N] are factors of the specs' strengths. Below 1 they mark hard faces, which get
        the translator's results only.
        """
        numbers, flat = np.repeat(np.arange(len(chosen)), targets.shape[1]), targets.flatten()
        sources, embeddings = chosen[numbers], self._embedded(self._images[chosen])
        is_easy = np.repeat(strengths == 1, targets.shape[1])
        translated = results.translate(
            self._generator,
            self._scaled(self._images[chosen]),
            torch.from_numpy(targets).to(self._device),
            torch.from_numpy(strengths).to(self._device),
            {spec.strength for spec in self._specs},
        )
        parts = []
        for index, spec in enumerate(self._specs):
            drawn = np.ones_like(is_easy) if spec.kind == "result" else is_easy
            if not drawn.any():
                continue
            for repeat in range(spec.count):
                images = translated[spec.strength][drawn]
                if spec.kind != "result":
                    seeds = np.random.SeedSequence([*seed, index, repeat])
                    images = self._filled(spec, sources[drawn], flat[drawn], images, seeds)
                parts.append(
                    self._measured(
                        images, sources[drawn], embeddings[numbers[drawn]], flat[drawn], index
                    )
                )
        return store.joined(parts)

    def _filled(
        self,
        spec: DrawSpec,
        sources: NDArray[np.int64],
        targets: NDArray[np.int64],
        translated: Gray,
        seeds: np.random.SeedSequence,
    ) -> Gray:
        """Return faces that the teacher filled in, from the sources or their translations."""
        source = self._scaled(self._images[sources])
        points = self._points[sources].to(self._device)
        has_landmarks = self._has_landmarks[sources].to(self._device)
        start = Start(
            x=self._scaled(translated) if spec.kind == "repair" else source,
            source=source,
            mask=face_masks.region_masks(points, has_landmarks, face_masks.WHOLE_EXPRESSION),
            points=points,
            has_landmarks=has_landmarks,
        )
        filled = inpaint(
            self._teacher,
            start,
            torch.eye(len(EMOTIONS), device=self._device)[targets],
            self._identity[sources],
            generator=torch.Generator().manual_seed(int(seeds.generate_state(1)[0])),
            steps=spec.steps,
            guidance=spec.guidance,
            start_time=spec.begin,
        )
        return to_levels(filled[:, 0].cpu().numpy())

    @torch.inference_mode()
    def _measured(
        self,
        images: Gray,
        sources: NDArray[np.int64],
        source_embeddings: Tensor,
        targets: NDArray[np.int64],
        spec_index: int,
    ) -> Draws:
        """Return images as draws, with their figures by the guides and the recognizer."""
        x = self._scaled(images)
        with autocast(self._device):
            probabilities = torch.stack([guide(x).float().softmax(1) for guide in self._guides])
        columns = torch.from_numpy(targets).to(self._device)[:, None]
        return Draws(
            images=images,
            sources=sources,
            targets=targets,
            spec_indices=np.full(len(images), spec_index, np.int64),
            target_probabilities=probabilities.mean(0).gather(1, columns)[:, 0].cpu().numpy(),
            cosines=F.cosine_similarity(self._embedded(images), source_embeddings).cpu().numpy(),
        )

    @torch.inference_mode()
    def _embedded(self, images: Gray) -> Tensor:
        """Return the recognizer's embeddings [N,D] of faces."""
        with autocast(self._device):
            return self._recognizer(self._scaled(images)).float()

    def _scaled(self, images: Gray) -> Tensor:
        return scaled(torch.from_numpy(images).to(self._device))
