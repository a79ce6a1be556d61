"""The generators by the recipes' names for them."""

from collections.abc import Callable

from cctranslate.recipes.components import GeneratorKind, GeneratorSpec
from cctranslate.training.networks.flow_generator import Flow
from cctranslate.training.networks.generator import Generator
from cctranslate.training.networks.unet_generators import PaddedUNet, UNet

_GENERATORS: dict[GeneratorKind, Callable[[GeneratorSpec], Generator]] = {
    "unet": UNet,
    "padded-unet": PaddedUNet,
    "flow": Flow,
}


def build_generator(spec: GeneratorSpec) -> Generator:
    """Build the generator of a recipe."""
    return _GENERATORS[spec.kind](spec)
