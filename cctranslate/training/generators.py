"""The generators by the recipes' names for them."""

from collections.abc import Callable

from cctranslate.recipes.spec import GeneratorKind, GeneratorSpec
from cctranslate.training.edit import Generator
from cctranslate.training.flow import Flow
from cctranslate.training.unets import PaddedUNet, UNet

_GENERATORS: dict[GeneratorKind, Callable[[GeneratorSpec], Generator]] = {
    "unet": UNet,
    "padded-unet": PaddedUNet,
    "flow": Flow,
}


def build_generator(spec: GeneratorSpec) -> Generator:
    """The generator that a recipe asks for."""
    return _GENERATORS[spec.kind](spec)
