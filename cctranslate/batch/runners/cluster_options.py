"""Options that a run on a cluster cannot have."""

from cctranslate.batch.inputs.sources import STDIN
from cctranslate.batch.options import Options
from cctranslate.errors import OptionError


def check_cluster(options: Options) -> None:
    """See that the options of a run on a cluster need no order of its inputs and no one machine.

    Raises:
        OptionError: One does.
    """
    for option, given, why in (
        ("--per-class", options.per_class, "counts results in the order of the inputs"),
        ("-o - or FILE", options.stream, "is for one machine: name a folder"),
        ("--processes", options.processes, "is for one machine"),
        ("-", STDIN in (*options.inputs, options.files_from), "can be read only once: name a file"),
        (
            f"--device {options.device}",
            ":" in options.device,
            "is of one machine: name cuda",
        ),
    ):
        if given:
            raise OptionError(f"{option} {why}; --runner ray cannot have it")
