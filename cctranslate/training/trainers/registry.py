"""Make the trainer for each kind of recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import BaseRecipe
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.student import StudentRecipe
from cctranslate.recipes.teacher import TeacherRecipe
from cctranslate.training import checkpoint
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.data.ferplus import Votes
from cctranslate.training.loop import Trainer
from cctranslate.training.losses.teachers import TeacherNetworks
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.pairs.draw import PairMaker
from cctranslate.training.run_folder import load_classifier
from cctranslate.training.trainers.classifier import ClassifierTrainer
from cctranslate.training.trainers.flow_matching import FlowMatchingTrainer
from cctranslate.training.trainers.gan import GanTrainer
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
        RunError, CheckpointError: a run that it builds on cannot be read.
        BundleError: the face recognizer that it needs is missing or altered.
    """
    return _TRAINERS[type(recipe)](recipe, inputs)


def _classifier(recipe: ClassifierRecipe, inputs: TrainerInputs) -> Trainer:
    return ClassifierTrainer(recipe, inputs.faces, inputs.votes, inputs.device, inputs.seed)


def _gan(recipe: GanRecipe, inputs: TrainerInputs) -> Trainer:
    folder, final = inputs.prerequisites, recipe.final_recipe
    networks = TeacherNetworks(
        guides=tuple(load_classifier(folder / name) for name in final.guides),
        encoders=tuple(load_classifier(folder / name) for name in final.encoders),
        face_recognizer=face_recognizer.load() if final.needs_face_recognizer else None,
    )
    trainer = GanTrainer(recipe, inputs.faces, inputs.votes, networks, inputs.device, inputs.seed)
    if recipe.earlier_stages:
        last_stage = recipe.earlier_stages[-1]
        state = checkpoint.load(folder / last_stage.name, last_stage)["trainer"]
        with checkpoint.explain_mismatch(folder / last_stage.name):
            trainer.start_from(
                checkpoint.final_generator_weights(state, last_stage.last_stage.blend), state["d"]
            )
    return trainer


def _teacher(recipe: TeacherRecipe, inputs: TrainerInputs) -> Trainer:
    return FlowMatchingTrainer.for_run(
        recipe,
        inputs.folder,
        inputs.faces,
        inputs.votes,
        face_recognizer.load(),
        inputs.device,
        inputs.seed,
    )


def _pairs(recipe: PairsRecipe, inputs: TrainerInputs) -> Trainer:
    return PairMaker.for_run(
        recipe,
        inputs.folder,
        inputs.prerequisites,
        inputs.faces,
        inputs.votes,
        face_recognizer.load(),
        inputs.device,
        inputs.seed,
    )


def _student(recipe: StudentRecipe, inputs: TrainerInputs) -> Trainer:
    return StudentTrainer.for_run(
        recipe,
        inputs.prerequisites,
        inputs.faces,
        inputs.votes,
        face_recognizer.load(),
        inputs.device,
        inputs.seed,
    )


_TRAINERS: dict[type[BaseRecipe], Callable[[Any, TrainerInputs], Trainer]] = {
    ClassifierRecipe: _classifier,
    GanRecipe: _gan,
    TeacherRecipe: _teacher,
    PairsRecipe: _pairs,
    StudentRecipe: _student,
}
