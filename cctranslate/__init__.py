"""Batch face-expression translation with a conditional cycle-consistent GAN."""

from importlib import metadata

__version__ = metadata.version("cctranslate")
