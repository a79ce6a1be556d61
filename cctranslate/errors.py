"""Errors that a user can mend, each with the exit code of a command that it ends."""

from typing import ClassVar


class UserError(Exception):
    """An error with a message of one line, which names the file or option and what to do."""

    exit_code: ClassVar[int] = 1


class InputError(UserError):
    """An input, or a list of inputs, is missing or cannot be read."""

    exit_code = 2


class PictureError(InputError):
    """A picture cannot be read."""


class NoFaceError(PictureError):
    """A picture shows no face to translate."""


class OptionError(UserError):
    """Options contradict one another, or the run that is in the output folder."""

    exit_code = 2


class TargetError(OptionError, ValueError):
    """A word names no expression."""


class BusyError(UserError):
    """Another run holds the output folder."""

    exit_code = 2


class UnusableError(UserError):
    """The bundle or the device cannot be used."""

    exit_code = 4


class BundleError(UnusableError):
    """The bundle is missing, altered or of another format."""


class DeviceError(UnusableError):
    """The device cannot be used."""


class OutputError(UserError):
    """Results cannot be written. The run ends, and finished results stay."""


class WorkersError(UserError):
    """The worker processes died; inputs that have a row are finished."""


class DataError(UserError):
    """The dataset cannot be used; the message names the file, the line and what to do."""


class MissingDataError(DataError, InputError):
    """The dataset, or a table that goes with it, is missing or cannot be opened."""


class RunError(UserError):
    """A run folder cannot be used; the message names it and what to do."""


class WrongRunError(RunError, OptionError):
    """A run folder is missing, or is not of the kind that the options need."""


class CheckpointError(UserError):
    """A checkpoint is missing, damaged or of another recipe; the message names it."""


class DivergedError(UserError):
    """A loss is no longer finite; the message names the run and the loss."""


class BackboneError(UserError):
    """The weights of a pretrained backbone cannot be loaded; the message says what to do."""


class ExportError(UserError):
    """The exported models do not compute what torch computes."""


class Float16Error(ExportError):
    """An exported model gives other results in float16."""
