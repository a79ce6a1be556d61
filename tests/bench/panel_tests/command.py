"""The panel's command, run in this process."""

from pathlib import Path

from click.testing import CliRunner, Result

from tests.bench import panel


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(panel.main, [str(word) for word in words])
