"""What every runner takes and gives."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cctranslate.batch.inputs.items import Item
from cctranslate.batch.interrupt import InterruptHandler
from cctranslate.batch.options import Options
from cctranslate.batch.outputs.layout import Names
from cctranslate.batch.report.journal import Journal
from cctranslate.batch.report.row import Row
from cctranslate.faces.detector import FaceDetector


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a call of `batch` hands to its runner."""

    options: Options
    detector: FaceDetector
    journal: Journal
    """The report, which has the rows of earlier calls."""
    names: Names
    """The names of results that earlier calls gave."""
    items: Callable[[], Iterator[Item | None]]
    """Returns the call's inputs, until a signal or too many failures end them. At a None the next
    one may be long in coming."""
    interrupt: InterruptHandler
    too_many_failed: Callable[[], bool]
    """Returns whether too many inputs failed to go on."""
    on_done: Callable[[int], object]
    """Called with a number of inputs that ended."""
    on_rows: Callable[[Sequence[Row]], None]
    """Called with the rows of an input that must be shown."""
    save: Callable[[], None]
    """Saves the report where OUT is in a store, which else has it at the end."""
    echo: Callable[[str], None]


class Runner(Protocol):
    """Translates a call's inputs."""

    @property
    def provider(self) -> str:
        """What inference runs on."""

    @property
    def engine(self) -> str:
        """What runs the models."""

    def prepare(self, options: Options, requested: dict[str, Any]) -> None:
        """Get OUT ready, before its report is read.

        `requested` is what two calls must share to be one run.

        Raises:
            OptionError: Another runner's work in OUT is not finished.
            OutputError: OUT cannot be written.
        """

    def translate(self, call: Call) -> bool:
        """Take every input to its rows; return whether none is left to do.

        Raises:
            OutputError: Results or rows cannot be written any more; what has a row is done.
            WorkersError: Workers were killed; what has a row is done.
        """
