"""The trainer of the recipe `pairs`: it draws candidates, stores them, and selects among them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cctranslate.emotions import EMOTIONS
from cctranslate.faces.hardness import are_hard
from cctranslate.process import signals
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.training.data.fer2013 import Faces, Splits
from cctranslate.training.data.ferplus import Votes, likeliest, soft_labels
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.data.sampler import evenly
from cctranslate.training.losses.terms import Terms
from cctranslate.training.pairs import selection, store
from cctranslate.training.pairs.draw import CandidateDrawer, DrawNetworks
from cctranslate.training.pairs.selection import DrawnPairs, OutOfTimeError
from cctranslate.training.pairs.sheet import draw_sheet
from cctranslate.training.pairs.store import Draws
from cctranslate.training.run_folder import MEASURED


class PairMaker:
    """Draws candidates as a training does steps: a step is a few faces, stored in one file."""

    def __init__(
        self,
        recipe: PairsRecipe,
        *,
        folder: Path,
        faces: Faces,
        votes: Votes | None,
        face_landmarks: Landmarks,
        embeddings: NDArray[np.float32],
        networks: DrawNetworks,
        device: torch.device,
        seed: int,
    ) -> None:
        """Prepare for Training faces with their landmarks and embeddings [N,128]."""
        self.recipe, self.folder, self.faces = recipe, folder, faces
        self.device, self.seed = device, seed
        self.classes = likeliest(soft_labels(faces, votes, recipe.vote_share))
        self.order = evenly(self.classes, seed)
        hard = are_hard(face_landmarks.points, face_landmarks.has_landmarks)
        self.strengths = np.where(hard, recipe.hard_strength, 1).astype(np.float32)
        self._drawer = CandidateDrawer(
            recipe.draws,
            images=faces.images,
            face_landmarks=face_landmarks,
            embeddings=embeddings,
            networks=networks,
            device=device,
        )
        self._last: Draws | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Steps for one pass over the faces."""
        return -(-len(self.order) // self.recipe.batch_size)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, round(self.recipe.epochs * self.steps_per_epoch))

    def step(self, step: int) -> Terms:
        """Draw, measure and store the candidates of a step, unless its file exists."""
        draws = self._last = self._stored_or_drawn(step)
        return {
            "chance": torch.tensor(float(draws.target_probabilities.mean())),
            "cosine": torch.tensor(float(draws.cosines.mean())),
            "passing": torch.tensor(float(self.passing(draws).mean())),
        }

    def _stored_or_drawn(self, step: int) -> Draws:
        signals.raise_if_received()
        path = store.path_of(self.folder, step)
        if path.exists():
            return store.read(path)
        draws = self._draw(step)
        store.write(path, draws)
        return draws

    def _draw(self, step: int) -> Draws:
        """Draw a step's faces in all expressions but their own."""
        size = self.recipe.batch_size
        chosen = self.order[np.arange(step * size, (step + 1) * size) % len(self.order)]
        targets = np.stack([np.delete(np.arange(len(EMOTIONS)), self.classes[i]) for i in chosen])
        return self._drawer.draw(chosen, targets, self.strengths[chosen], (self.seed, step))

    def passing(self, draws: Draws) -> NDArray[np.bool_]:
        """Return which draws [M] the guides and the recognizer accept."""
        least = self.recipe.target_chance * self.strengths[draws.sources]
        return (draws.target_probabilities >= least) & (draws.cosines >= self.recipe.cosine)

    def state(self) -> dict[str, Any]:
        """Return nothing: the draws are in the run's folder."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Do nothing: there is no state."""

    def conclude(
        self, splits: Splits, votes: Votes | None, is_over: Callable[[], bool]
    ) -> dict[str, Any] | None:
        """Select among all draws, and return figures on how many are kept.

        None if an earlier call has selected them: on one core that takes hours.

        Raises:
            OutOfTimeError: The time is up; what the critics said by then is stored.
        """
        written = self.folder / store.KEPT, self.folder / MEASURED
        if self._last is None and all(path.exists() for path in written):
            return None
        if self._last is not None and is_over():
            raise OutOfTimeError
        return selection.select(self.drawn_pairs(), is_over)

    def drawn_pairs(self) -> DrawnPairs:
        """Return all draws of the run, for their selection; those that are gone are drawn anew."""
        draws = store.joined([self._stored_or_drawn(step) for step in range(self.steps)])
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
