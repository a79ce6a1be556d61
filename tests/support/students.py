"""Students of a few pairs of drawn faces, for tests of their training."""

from typing import Any

import numpy as np
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import derive
from cctranslate.recipes.registry import find
from cctranslate.recipes.student import STUDENT, STUDENT_START, StudentRecipe
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.losses.teachers import TeacherNetworks
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.pairs.store import Draws
from cctranslate.training.trainers.student import StudentTrainer
from tests.support import pictures

COUNT = 14
BRIGHTER = 40
TINY: dict[str, Any] = {"d_widths": (8, 8, 8, 8), "batch_size": 4, "epochs": 8.0, "warm_up": 2}
FIRST, SECOND = derive(STUDENT_START, same=0.3, **TINY), derive(STUDENT, same=0.3, **TINY)


def draws() -> Draws:
    """Two results of each face for the expression after its own: a brighter one, then noise."""
    sources = np.repeat(np.arange(COUNT), 2)
    images = np.stack([pictures.draw_face(i % 7, i) for i in sources.tolist()])
    noise = np.random.default_rng(0).integers(0, 255, images.shape, np.uint8)
    images[::2] = (images[::2].astype(int) + BRIGHTER).clip(max=255)
    images[1::2] = noise[1::2]
    return Draws(
        images=images,
        sources=sources,
        targets=(sources + 1) % 7,
        spec_indices=np.zeros(len(sources), np.int64),
        target_probabilities=np.ones(len(sources), np.float32),
        cosines=np.ones(len(sources), np.float32),
    )


def make(
    recipe: StudentRecipe = FIRST,
    kept: Draws | None = None,
    face_landmarks: Landmarks | None = None,
    **changes: object,
) -> StudentTrainer:
    faces = pictures.drawn_faces([i % 7 for i in range(COUNT)])
    face_landmarks = face_landmarks or Landmarks(
        points=np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1)),
        has_landmarks=np.arange(COUNT) % 3 > 0,
    )
    guide = find("guide-plain")
    assert isinstance(guide, ClassifierRecipe)
    torch.manual_seed(0)
    networks = TeacherNetworks(
        guides=(Classifier(derive(guide, widths=(8, 8, 8))),),
        face_recognizer=face_recognizer.load(),
    )
    return StudentTrainer(
        derive(recipe, **changes),
        faces=faces,
        votes=None,
        face_landmarks=face_landmarks,
        draws=draws() if kept is None else kept,
        networks=networks,
        device=torch.device("cpu"),
        seed=0,
    )


def train(trainer: StudentTrainer, steps: range) -> list[dict[str, float]]:
    terms = []
    for step in steps:
        torch.manual_seed(step)
        terms.append({name: float(value) for name, value in trainer.step(step).items()})
    return terms
