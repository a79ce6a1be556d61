"""How large a recipe's networks are."""

from torch import nn

from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.spec import AnyRecipe, ClassifierRecipe
from cctranslate.recipes.teacher import TeacherRecipe
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.discriminators import build_discriminator
from cctranslate.training.networks.registry import build_generator


def sizes(recipe: AnyRecipe) -> dict[str, int]:
    """Count the parameters of each network that the recipe trains."""
    if isinstance(recipe, TeacherRecipe):
        return {"denoiser": _count(Denoiser(recipe))}
    if isinstance(recipe, PairsRecipe):
        return {}
    if isinstance(recipe, ClassifierRecipe):
        return {"classifier": _count(Classifier(recipe))}
    return {
        "generator": _count(build_generator(recipe.generator)),
        "discriminator": _count(build_discriminator(recipe.discriminator)),
    }


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
