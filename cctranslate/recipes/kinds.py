"""All kinds of recipes. A new kind also needs a trainer (`training/trainers/registry.py`)."""

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.student import StudentRecipe
from cctranslate.recipes.teacher import TeacherRecipe

AnyRecipe = GanRecipe | StudentRecipe | ClassifierRecipe | TeacherRecipe | PairsRecipe
GENERATOR_RECIPES = (GanRecipe, StudentRecipe)
"""The kinds whose runs end with a generator."""
