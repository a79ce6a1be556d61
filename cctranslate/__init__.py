"""Give faces another expression, in bulk, and have a classifier check each result."""

import os
from typing import TYPE_CHECKING, Any

# onnxruntime 1.29 and newer sends usage events unless this is set before its first import.
# Worker processes inherit it. A value that the user has set stays.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from cctranslate.errors import (
    BundleError,
    DeviceError,
    InputError,
    NoFaceError,
    OptionError,
    OutputError,
    PictureError,
    TargetError,
    UnusableError,
    UserError,
)

if TYPE_CHECKING:
    from cctranslate.translator import FaceTranslation, Translation, Translator

__version__ = "0.1.0"
__all__ = [
    "BundleError",
    "DeviceError",
    "FaceTranslation",
    "InputError",
    "NoFaceError",
    "OptionError",
    "OutputError",
    "PictureError",
    "TargetError",
    "Translation",
    "Translator",
    "UnusableError",
    "UserError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import the translator, and with it onnxruntime, only when it is asked for."""
    if name in ("FaceTranslation", "Translation", "Translator"):
        from cctranslate import translator

        return getattr(translator, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
