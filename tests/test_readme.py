"""What the README tells people to type is understood, and what it shows is there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from cctranslate.cli import CONTEXT, cli
from tests import tiny

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))


def commands() -> list[list[str]]:
    """The words of each `cctranslate` call in the README's shell blocks."""
    parts = re.findall(r"(?:^|\| *)(cctranslate [^|#\n]*)", SHELL, re.MULTILINE)
    return [shlex.split(part)[1:] for part in parts]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_is_understood(words: list[str]) -> None:
    command: click.Command = cli
    while isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    context = command.make_context(command.name, words, **CONTEXT)
    assert context.params


def test_every_command_is_shown() -> None:
    assert {words[0] for words in commands()} == set(cli.commands)


def test_what_it_links_to_is_there() -> None:
    links = [link.partition("#") for link in re.findall(r"\]\(((?!http)[^)]+)\)", README)]
    assert [file for file, _, _ in links if not (ROOT / file).exists()] == []
    for file, _, anchor in links:
        assert not anchor or anchor in anchors((ROOT / file).read_text(encoding="utf-8"))


def anchors(page: str) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    tiny.write_bundle(tmp_path / "weights")
    code = example.replace("Translator()", f"Translator({str(tmp_path / 'weights')!r})")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "happy.png").exists()
