"""The interface of runners, and what a call hands to them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cctranslate.batch.call.options import Options
from cctranslate.batch.interrupt import InterruptHandler
from cctranslate.batch.items import Item
from cctranslate.batch.outputs.layout import Names
from cctranslate.batch.report.counts import FailureLimit
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
    """The reserved names of results."""
    items: Callable[[], Iterator[Item | None]]
    """Returns the call's inputs, until a signal or too many failures. At a None the next input may
    take long to come."""
    interrupt: InterruptHandler
    limit: FailureLimit
    """Whether more inputs failed than `--max-failures` allows."""
    on_done: Callable[[int], object]
    """Called with a number of inputs that are finished."""
    on_rows: Callable[[Sequence[Row]], None]
    """Called with the rows of an input that may have to be printed."""
    save: Callable[[], None]
    """Uploads the report now, if OUT is in a store."""
    echo: Callable[[str], None]


class Runner(Protocol):
    """Translates a call's inputs."""

    @property
    def provider(self) -> str:
        """The provider or device that the models run on."""

    @property
    def engine(self) -> str:
        """The engine that runs the models."""

    def prepare(self, options: Options, requested: dict[str, Any]) -> None:
        """Prepare OUT, before its report is read.

        `requested` are the options that two calls of one run must share.

        Raises:
            OptionError: OUT holds an unfinished run of another runner.
            OutputError: OUT cannot be written.
        """

    def translate(self, call: Call) -> bool:
        """Translate every input; return whether none is left.

        Raises:
            OutputError: Results or rows cannot be written any more; inputs with a row are done.
            WorkersError: Workers were killed; inputs with a row are done.
        """
