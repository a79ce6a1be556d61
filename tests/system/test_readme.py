"""The guides: their commands are understood or run, their links lead somewhere, figures agree."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cctranslate.batch.report.schema import NAMES
from cctranslate.cli import CONTEXT, cli
from cctranslate.emotions import EMOTIONS
from tests.support import bundles, figures

ROOT = Path(__file__).parents[2]
GUIDES = [
    ROOT / name
    for name in (
        "README.md",
        "cctranslate/README.md",
        "cctranslate/batch/README.md",
        "cctranslate/batch/runners/README.md",
        "cctranslate/training/README.md",
        "cctranslate/translator/README.md",
        "datasets/README.md",
        "tests/README.md",
        "weights/EXPERIMENTS.md",
        "weights/README.md",
    )
]
README = GUIDES[0].read_text(encoding="utf-8")


def commands(text: str) -> list[list[str]]:
    """Return the words of each `cctranslate` call in a guide's shell blocks."""
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    parts = re.findall(r"(?:^|\| *)(cctranslate [^|#\n]*)", shell, re.MULTILINE)
    return [shlex.split(part)[1:] for part in parts]


ALL = [words for guide in GUIDES for words in commands(guide.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_is_understood(words: list[str]) -> None:
    command: click.Command = cli
    while isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    context = command.make_context(command.name, words, **CONTEXT)
    assert context.params


def test_every_command_is_shown() -> None:
    assert {words[0] for words in ALL} == set(cli.commands)


@pytest.mark.slow
def test_the_readmes_commands_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    shown = commands(README.partition("\n## Train")[0])
    assert len(shown) == 6
    for words in shown:
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, f"{words}: {result.output}"
    assert len(list((tmp_path / "translated" / "happy").iterdir())) == 6
    assert {path.name for path in (tmp_path / "translated").iterdir() if path.is_dir()} == {
        "happy",
        "sad",
        "surprise",
    }
    assert (tmp_path / "dataset" / "fer2013.csv").exists()


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    for file, _, anchor in (
        link.partition("#") for link in re.findall(r"\]\(((?!http)[^)]+)\)", text)
    ):
        page = guide.parent / file if file else guide
        assert page.exists(), file
        assert not anchor or anchor in anchors(page.read_text(encoding="utf-8"))


def anchors(page: str) -> set[str]:
    """Return GitHub's names for the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "guide", figures.GUIDES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_figures_are_those_of_the_shipped_bundle(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    assert figures.BLOCK.search(text)
    assert figures.filled(text) == text, "run python -m tests.support.figures"


def test_the_guide_names_every_column_of_the_report() -> None:
    guide = (ROOT / "cctranslate/batch/README.md").read_text(encoding="utf-8")
    table = guide.partition("## The report")[2].partition("\n## ")[0]
    first_cells = " ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))
    documented = set(re.findall(r"`(\w+)`", first_cells))
    spread = {f"p_{emotion}" for emotion in EMOTIONS}
    assert documented | spread == set(NAMES)


def test_messages_in_the_troubleshooting_are_those_of_the_code() -> None:
    guide = (ROOT / "cctranslate/batch/README.md").read_text(encoding="utf-8")
    symptoms = re.findall(r"^\| (.*?) \|", guide.partition("## Troubleshooting")[2], re.MULTILINE)
    quoted = re.findall(r"`([^-].*?)`", " ".join(symptoms))
    assert len(quoted) == 7
    files = (ROOT / "cctranslate").rglob("*.py")
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    for message in quoted:
        assert message.removesuffix("...") in code, message


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 1200


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    bundles.write_bundle(tmp_path / "weights")
    code = example.replace("Translator()", f"Translator({str(tmp_path / 'weights')!r})")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "happy.png").exists()
