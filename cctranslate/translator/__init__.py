"""Translate pictures from Python, by the stages that `batch` runs."""

from cctranslate.translator.sources import Source
from cctranslate.translator.translation import FaceTranslation, Settings, Translation
from cctranslate.translator.translator import Translator

__all__ = ["FaceTranslation", "Settings", "Source", "Translation", "Translator"]
