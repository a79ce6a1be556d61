"""Draw candidates for pairs: each face in every other expression, in each way of the recipe."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cctranslate.emotions import EMOTIONS
from cctranslate.faces.hardness import are_hard
from cctranslate.pixels import Gray, to_levels
from cctranslate.recipes.pairs import DrawSpec, PairsRecipe
from cctranslate.training.data import face_masks, landmarks
from cctranslate.training.data.device_cache import scaled
from cctranslate.training.data.fer2013 import Faces, Splits
from cctranslate.training.data.ferplus import Votes, likeliest, soft_labels
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.data.sampler import evenly
from cctranslate.training.device import autocast
from cctranslate.training.networks import identity_eraser
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.generator import Generator
from cctranslate.training.networks.pretrained.face_recognizer import FaceRecognizer
from cctranslate.training.networks.sampling import Start, fill
from cctranslate.training.pairs import results, selection, store
from cctranslate.training.pairs.selection import DrawnPairs
from cctranslate.training.pairs.sheet import draw_sheet
from cctranslate.training.pairs.store import Draws
from cctranslate.training.run_folder import load_classifier, load_denoiser, load_generator


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The networks that make draws, and those that measure them."""

    teacher: Denoiser
    guides: tuple[Classifier, ...]
    recognizer: FaceRecognizer
    generator: Generator
    """The translator, whose results are candidates and are repaired by the teacher."""


class PairMaker:
    """Draws candidates as a training does steps: a step is a few faces, stored in one file."""

    def __init__(
        self,
        recipe: PairsRecipe,
        folder: Path,
        faces: Faces,
        votes: Votes | None,
        face_landmarks: Landmarks,
        embeddings: NDArray[np.float32],
        networks: Networks,
        device: torch.device,
        seed: int,
    ) -> None:
        """Prepare for Training faces with their landmarks and embeddings [N,128]."""
        self.recipe, self.device, self.seed = recipe, device, seed
        self.folder, self.faces = folder, faces
        labels = soft_labels(faces, votes, recipe.vote_share)
        self.classes = likeliest(labels)
        self.order = evenly(self.classes, seed)
        hard = are_hard(face_landmarks.points, face_landmarks.has_landmarks)
        self.strengths = np.where(hard, recipe.hard_strength, 1).astype(np.float32)
        self._points = torch.from_numpy(face_landmarks.points)
        self._has_landmarks = torch.from_numpy(face_landmarks.has_landmarks)
        self._teacher = networks.teacher.to(device).eval().requires_grad_(False)
        with torch.inference_mode():
            self._identity = self._teacher.erase(torch.from_numpy(embeddings).to(device))
        self._guides = [guide.to(device).eval() for guide in networks.guides]
        self._recognizer = networks.recognizer.to(device).eval()
        self._generator = networks.generator.to(device).eval()
        self._last: Draws | None = None

    @classmethod
    def for_run(
        cls,
        recipe: PairsRecipe,
        folder: Path,
        teachers: Path,
        faces: Faces,
        votes: Votes | None,
        recognizer: FaceRecognizer,
        device: torch.device,
        seed: int,
    ) -> "PairMaker":
        """Return a maker with the networks whose runs lie in the folder `teachers`.

        Raises:
            RunError, CheckpointError, BundleError: a run or the detector cannot be used.
        """
        teacher = teachers / recipe.teacher
        networks = Networks(
            teacher=load_denoiser(teacher),
            guides=tuple(load_classifier(teachers / name) for name in recipe.guides),
            recognizer=recognizer.to(device),
            generator=load_generator(teachers / recipe.translator),
        )
        face_landmarks = landmarks.load_or_find(teacher / landmarks.FILE, faces.images)
        embeddings = identity_eraser.load_or_embed(
            teacher / identity_eraser.FILE, networks.recognizer, faces.images, device
        )
        return cls(recipe, folder, faces, votes, face_landmarks, embeddings, networks, device, seed)

    @property
    def steps_per_epoch(self) -> int:
        """Steps for one pass over the faces."""
        return -(-len(self.order) // self.recipe.batch_size)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, round(self.recipe.epochs * self.steps_per_epoch))

    def step(self, step: int) -> dict[str, Tensor]:
        """Draw, measure and store the candidates of a step, unless its file exists."""
        path = store.path_of(self.folder, step)
        if path.exists():
            draws = store.read(path)
        else:
            draws = self._drawn_batch(step)
            store.write(path, draws)
        self._last = draws
        passing = self.passing(draws)
        return {
            "chance": torch.tensor(float(draws.target_probabilities.mean())),
            "cosine": torch.tensor(float(draws.cosines.mean())),
            "passing": torch.tensor(float(passing.mean())),
        }

    def passing(self, draws: Draws) -> NDArray[np.bool_]:
        """Return which draws [M] the guides and the recognizer accept."""
        least = self.recipe.target_chance * self.strengths[draws.sources]
        return (draws.target_probabilities >= least) & (draws.cosines >= self.recipe.cosine)

    def _drawn_batch(self, step: int) -> Draws:
        size = self.recipe.batch_size
        chosen = self.order[np.arange(step * size, (step + 1) * size) % len(self.order)]
        targets = np.stack([np.delete(np.arange(len(EMOTIONS)), self.classes[i]) for i in chosen])
        sources, flat = np.repeat(chosen, targets.shape[1]), targets.flatten()
        easy = self.strengths[sources] == 1
        flow_results = results.translate(
            self._generator,
            self._scaled(self.faces.images[chosen]),
            torch.from_numpy(targets).to(self.device),
            torch.from_numpy(self.strengths[chosen]).to(self.device),
            {spec.strength for spec in self.recipe.draws},
        )
        parts = []
        for spec_index, spec in enumerate(self.recipe.draws):
            drawn = np.ones_like(easy) if spec.kind == "result" else easy
            if not drawn.any():
                continue
            for draw in range(spec.count):
                seeds = np.random.SeedSequence([self.seed, step, spec_index, draw])
                images = flow_results[spec.strength][drawn]
                if spec.kind != "result":
                    images = self._filled(spec, sources[drawn], flat[drawn], images, seeds)
                parts.append(self._measured(images, sources[drawn], flat[drawn], spec_index))
        return store.joined(parts)

    def _filled(
        self,
        spec: DrawSpec,
        sources: NDArray[np.int64],
        targets: NDArray[np.int64],
        flow_results: Gray,
        seeds: np.random.SeedSequence,
    ) -> Gray:
        source = self._scaled(self.faces.images[sources])
        points = self._points[sources].to(self.device)
        has_landmarks = self._has_landmarks[sources].to(self.device)
        start = Start(
            x=self._scaled(flow_results) if spec.kind == "repair" else source,
            source=source,
            mask=face_masks.fixed(points, has_landmarks, face_masks.WHOLE_EXPRESSION),
            points=points,
            has_landmarks=has_landmarks,
        )
        filled = fill(
            self._teacher,
            start,
            torch.eye(len(EMOTIONS), device=self.device)[targets],
            self._identity[sources],
            generator=torch.Generator().manual_seed(int(seeds.generate_state(1)[0])),
            steps=spec.steps,
            guidance=spec.guidance,
            start_time=spec.begin,
        )
        return to_levels(filled[:, 0].cpu().numpy())

    @torch.inference_mode()
    def _measured(
        self, images: Gray, sources: NDArray[np.int64], targets: NDArray[np.int64], spec_index: int
    ) -> Draws:
        x, source = self._scaled(images), self._scaled(self.faces.images[sources])
        with autocast(self.device):
            probabilities = torch.stack(
                [guide(x).float().softmax(1) for guide in self._guides]
            ).mean(0)
            embeddings, source_embeddings = (
                self._recognizer(faces).float() for faces in (x, source)
            )
        target_probabilities = probabilities.gather(
            1, torch.from_numpy(targets).to(self.device)[:, None]
        )[:, 0]
        return Draws(
            images=images,
            sources=sources,
            targets=targets,
            spec_indices=np.full(len(images), spec_index, np.int64),
            target_probabilities=target_probabilities.cpu().numpy(),
            cosines=F.cosine_similarity(embeddings, source_embeddings).cpu().numpy(),
        )

    def _scaled(self, images: Gray) -> Tensor:
        return scaled(torch.from_numpy(images).to(self.device))

    def state(self) -> dict[str, Any]:
        """Return nothing: the draws are in the run's folder."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Do nothing: there is no state."""

    def conclude(self, splits: Splits, votes: Votes | None) -> dict[str, Any]:
        """Select among all draws, and return figures on how many are kept."""
        return selection.select(self.drawn_pairs())

    def drawn_pairs(self) -> DrawnPairs:
        """Return all draws of the run, for their selection."""
        steps = range(self.steps)
        draws = store.joined([store.read(store.path_of(self.folder, step)) for step in steps])
        return DrawnPairs(
            recipe=self.recipe,
            folder=self.folder,
            faces=self.faces,
            classes=self.classes,
            is_easy=self.strengths == 1,
            draws=draws,
            is_passing=self.passing(draws),
            device=self.device,
            seed=self.seed,
        )

    def sheet(self) -> Image.Image | None:
        """Draw some faces of the last step, each before its draws by target and spec."""
        return None if self._last is None else draw_sheet(self._last, self.faces.images)
