"""Build the networks that recipes name, and count their parameters."""

from collections.abc import Callable

from torch import nn

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import GeneratorKind, GeneratorSpec
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.student import MouthStudentRecipe, StudentRecipe
from cctranslate.recipes.teacher import TeacherRecipe
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.discriminators import build_discriminator
from cctranslate.training.networks.flow_generator import FlowGenerator
from cctranslate.training.networks.generator import Generator
from cctranslate.training.networks.pretrained.picture_features import PictureFeatures
from cctranslate.training.networks.student.discriminators import StudentDiscriminators
from cctranslate.training.networks.unet_generators import PaddedUNet, UNet

_GENERATORS: dict[GeneratorKind, Callable[[GeneratorSpec], Generator]] = {
    "unet": UNet,
    "padded-unet": PaddedUNet,
    "flow": FlowGenerator,
}


def build_generator(spec: GeneratorSpec) -> Generator:
    """Build the generator of a recipe."""
    return _GENERATORS[spec.kind](spec)


def sizes(recipe: AnyRecipe) -> dict[str, int]:
    """Return the number of parameters of each network that the recipe trains."""
    if isinstance(recipe, TeacherRecipe):
        return {"denoiser": _count(Denoiser(recipe))}
    if isinstance(recipe, PairsRecipe):
        return {}
    if isinstance(recipe, ClassifierRecipe):
        return {"classifier": _count(Classifier(recipe))}
    if isinstance(recipe, StudentRecipe):
        picture_features = PictureFeatures() if recipe.weights.features else None
        return {
            "generator": _count(build_generator(recipe.generator)),
            "discriminators": _count(StudentDiscriminators(recipe.d_widths, picture_features)),
        }
    if isinstance(recipe, MouthStudentRecipe):
        generator = build_generator(recipe.generator)
        return {"mouth redrawer": _count(generator.get_submodule("mouth"))}
    return {
        "generator": _count(build_generator(recipe.generator)),
        "discriminator": _count(build_discriminator(recipe.discriminator)),
    }


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
