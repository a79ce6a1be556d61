"""Make the trainer for each kind of recipe, with what earlier runs give it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import BaseRecipe
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.student import MouthStudentRecipe, StudentRecipe
from cctranslate.recipes.teacher import MouthTeacherRecipe, TeacherRecipe
from cctranslate.training import checkpoint
from cctranslate.training.data import landmarks
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.data.ferplus import Votes
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.loop import Trainer
from cctranslate.training.losses.teachers import TeacherNetworks
from cctranslate.training.networks import identity_eraser
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.networks.pretrained.face_recognizer import FaceRecognizer
from cctranslate.training.pairs import store
from cctranslate.training.pairs.draw import DrawNetworks
from cctranslate.training.run_folder import (
    load_classifier,
    load_denoiser,
    load_generator,
    mouth_teacher_recipe,
    pairs_recipe,
    student_discriminators,
)
from cctranslate.training.trainers.classifier import ClassifierTrainer
from cctranslate.training.trainers.flow_matching import FlowMatchingTrainer
from cctranslate.training.trainers.gan import GanTrainer
from cctranslate.training.trainers.mouths.student import MouthStudentTrainer
from cctranslate.training.trainers.mouths.teacher import MouthTeacherTrainer
from cctranslate.training.trainers.pair_maker import PairMaker
from cctranslate.training.trainers.student import StudentTrainer


@dataclass(frozen=True, kw_only=True)
class TrainerInputs:
    """The inputs of trainers besides the recipe."""

    faces: Faces
    votes: Votes | None
    device: torch.device
    seed: int
    folder: Path
    """The run's folder."""
    prerequisites: Path
    """The folder with the runs that it builds on, by the names of their recipes."""


def make_trainer(recipe: BaseRecipe, inputs: TrainerInputs) -> Trainer:
    """Return the trainer for a kind of recipe.

    Raises:
        RunError, CheckpointError: A run that it builds on cannot be read.
        BundleError: The face recognizer that it needs is missing or altered.
    """
    return _TRAINERS[type(recipe)](recipe, inputs)


def _classifier(recipe: ClassifierRecipe, inputs: TrainerInputs) -> Trainer:
    return ClassifierTrainer(
        recipe, faces=inputs.faces, votes=inputs.votes, device=inputs.device, seed=inputs.seed
    )


def _gan(recipe: GanRecipe, inputs: TrainerInputs) -> Trainer:
    runs, final = inputs.prerequisites, recipe.final_recipe
    trainer = GanTrainer(
        recipe,
        faces=inputs.faces,
        votes=inputs.votes,
        networks=TeacherNetworks(
            guides=_classifiers(runs, final.guides),
            encoders=_classifiers(runs, final.encoders),
            face_recognizer=face_recognizer.load() if final.needs_face_recognizer else None,
        ),
        device=inputs.device,
        seed=inputs.seed,
    )
    if recipe.earlier_stages:
        earlier = recipe.earlier_stages[-1]
        state = checkpoint.load(runs / earlier.name, earlier)["trainer"]
        with checkpoint.explain_mismatch(runs / earlier.name):
            g = checkpoint.final_generator_weights(state, earlier.last_stage.blend)
            trainer.start_from(g, state["d"])
    return trainer


def _teacher(recipe: TeacherRecipe, inputs: TrainerInputs) -> Trainer:
    return FlowMatchingTrainer(
        recipe,
        faces=inputs.faces,
        votes=inputs.votes,
        face_landmarks=_landmarks(inputs.folder, inputs),
        embeddings=_embeddings(inputs.folder, face_recognizer.load(), inputs),
        device=inputs.device,
        seed=inputs.seed,
    )


def _mouth_teacher(recipe: MouthTeacherRecipe, inputs: TrainerInputs) -> Trainer:
    teacher = inputs.prerequisites / recipe.started_by
    trainer = MouthTeacherTrainer(
        recipe,
        faces=inputs.faces,
        votes=inputs.votes,
        face_landmarks=_landmarks(teacher, inputs),
        embeddings=_embeddings(teacher, face_recognizer.load(), inputs),
        device=inputs.device,
        seed=inputs.seed,
    )
    with checkpoint.explain_mismatch(teacher):
        trainer.start_from(load_denoiser(teacher).state_dict())
    return trainer


def _mouth_student(recipe: MouthStudentRecipe, inputs: TrainerInputs) -> Trainer:
    runs = inputs.prerequisites
    mouth_teacher, translator = runs / recipe.mouth_teacher, runs / recipe.translator
    trainer = MouthStudentTrainer(
        recipe,
        faces=inputs.faces,
        votes=inputs.votes,
        face_landmarks=_landmarks(runs / mouth_teacher_recipe(mouth_teacher).started_by, inputs),
        teacher=load_denoiser(mouth_teacher),
        device=inputs.device,
        seed=inputs.seed,
    )
    with checkpoint.explain_mismatch(translator):
        trainer.start_from(load_generator(translator).state_dict())
    return trainer


def _pairs(recipe: PairsRecipe, inputs: TrainerInputs) -> Trainer:
    runs, recognizer = inputs.prerequisites, face_recognizer.load()
    teacher = runs / recipe.teacher
    return PairMaker(
        recipe,
        folder=inputs.folder,
        faces=inputs.faces,
        votes=inputs.votes,
        face_landmarks=_landmarks(teacher, inputs),
        embeddings=_embeddings(teacher, recognizer, inputs),
        networks=DrawNetworks(
            teacher=load_denoiser(teacher),
            guides=_classifiers(runs, recipe.guides),
            recognizer=recognizer,
            generator=load_generator(runs / recipe.translator),
        ),
        device=inputs.device,
        seed=inputs.seed,
    )


def _student(recipe: StudentRecipe, inputs: TrainerInputs) -> Trainer:
    runs = inputs.prerequisites
    pairs, translator = runs / recipe.pairs, runs / recipe.translator
    trainer = StudentTrainer(
        recipe,
        faces=inputs.faces,
        votes=inputs.votes,
        face_landmarks=_landmarks(runs / pairs_recipe(pairs).teacher, inputs),
        draws=store.read(pairs / store.KEPT),
        networks=TeacherNetworks(
            guides=_classifiers(runs, recipe.guides), face_recognizer=face_recognizer.load()
        ),
        device=inputs.device,
        seed=inputs.seed,
    )
    g, d = load_generator(translator).state_dict(), student_discriminators(translator)
    with checkpoint.explain_mismatch(translator):
        trainer.start_from(g, d)
    return trainer


def _classifiers(runs: Path, names: tuple[str, ...]) -> tuple[Classifier, ...]:
    return tuple(load_classifier(runs / name) for name in names)


def _landmarks(teacher: Path, inputs: TrainerInputs) -> Landmarks:
    """Return the faces' landmarks, which the teacher's run stores."""
    return landmarks.load_or_find(teacher / landmarks.FILE, inputs.faces.images)


def _embeddings(
    teacher: Path, recognizer: FaceRecognizer, inputs: TrainerInputs
) -> NDArray[np.float32]:
    """Return the faces' embeddings [N,128], which the teacher's run stores."""
    path, device = teacher / identity_eraser.FILE, inputs.device
    return identity_eraser.load_or_embed(path, recognizer.to(device), inputs.faces.images, device)


_TRAINERS: dict[type[BaseRecipe], Callable[[Any, TrainerInputs], Trainer]] = {
    ClassifierRecipe: _classifier,
    GanRecipe: _gan,
    TeacherRecipe: _teacher,
    PairsRecipe: _pairs,
    StudentRecipe: _student,
    MouthTeacherRecipe: _mouth_teacher,
    MouthStudentRecipe: _mouth_student,
}
