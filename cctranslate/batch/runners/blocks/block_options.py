"""Refuse options that a run in blocks cannot have."""

from cctranslate.batch.call.options import Options
from cctranslate.errors import OptionError


def check_blocks(options: Options) -> None:
    """Check that no option needs the inputs in order, or a single machine.

    Raises:
        OptionError: One does.
    """
    on_ray = options.runner == "ray"
    why = "--runner ray" if on_ray else "an --out in a store"
    for option, given, reason in (
        ("--per-class", options.per_class, "counts results in the order of the inputs"),
        ("-o - or FILE", on_ray and options.stream, "is for one machine: name a folder"),
        ("--processes", options.processes, "needs one machine and its disk"),
        (f"--device {options.device}", on_ray and ":" in options.device, "is of one machine"),
    ):
        if given:
            raise OptionError(f"{option} {reason}: {why} cannot have it")
