"""What every refusal that a user can mend descends from."""


class UserError(Exception):
    """One line that names the file or option and what to do: shown without a traceback."""


class UnusableError(UserError):
    """The bundle or the device cannot be used: exit code 4."""
