"""All options of `cctranslate batch`, in the order of its help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cctranslate.commands.options.batch_inputs import INPUT_OPTIONS
from cctranslate.commands.options.batch_results import RESULT_OPTIONS
from cctranslate.commands.options.batch_running import RUN_OPTIONS


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with the options of `batch`."""
    for option in reversed((*INPUT_OPTIONS, *RESULT_OPTIONS, *RUN_OPTIONS)):
        command = option(command)
    return command
