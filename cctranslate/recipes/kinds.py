"""All kinds of recipes. A new kind also needs a trainer (`training/trainers/registry.py`)."""

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.student import MouthStudentRecipe, StudentRecipe
from cctranslate.recipes.teacher import MouthTeacherRecipe, TeacherRecipe

AnyRecipe = (
    GanRecipe
    | StudentRecipe
    | ClassifierRecipe
    | TeacherRecipe
    | PairsRecipe
    | MouthTeacherRecipe
    | MouthStudentRecipe
)
GENERATOR_RECIPES = (GanRecipe, StudentRecipe, MouthStudentRecipe)
"""The kinds whose runs end with a generator."""
