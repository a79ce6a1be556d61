"""Option values: lists, aliases, suggestions and completion."""

from pathlib import Path
from typing import Any, get_args

import click
import pytest
from click.shell_completion import ShellComplete

from cctranslate.batch.inputs.decoding import FaceMode
from cctranslate.batch.options import ResultKind
from cctranslate.batch.outputs.layout import LayoutName
from cctranslate.cli import cli
from cctranslate.inference.engines import Engine
from cctranslate.inference.openvino_graphs import Precision
from tests.support.cli import Run
from tests.support.reports import rows


def completed(*words: str) -> list[str]:
    complete = ShellComplete(cli, {}, "cctranslate", "_CCTRANSLATE_COMPLETE")
    *args, incomplete = words
    return [item.value for item in complete.get_completions(list(args), incomplete)]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("batch", "--to", "s"), ["sad", "surprise"]),
        (("batch", "--to", "sad,s"), ["sad,surprise"]),
        (("batch", "--to", "happy,a"), ["happy,angry", "happy,all"]),
        (("batch", "--device", "c"), ["cpu", "cuda"]),
        (("doctor", "--device", ""), ["auto", "cpu", "cuda"]),
        (("batch", "--format", "j"), ["jpeg"]),
    ],
)
def test_values_are_completed(words: tuple[str, ...], values: list[str]) -> None:
    assert completed(*words) == values


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("hapy", "did you mean happy?"),
        ("happy,suprise", "did you mean surprise?"),
        ("sadnes", "did you mean sadness?"),
        ("meh", "choose from angry,"),
        ("", "choose from angry,"),
    ],
)
def test_a_misspelled_expression_gets_a_suggestion(
    run: Run, faces: Path, word: str, hint: str
) -> None:
    result = run(faces, "--to", word)
    assert result.exit_code == 2
    assert hint in result.stderr


def test_strengths_come_by_commas_and_by_repeating(run: Run, faces: Path, tmp_path: Path) -> None:
    words = ("--strength", "0.5,1", "--strength", "0.25")
    assert run(faces, "--to", "sad", "-o", tmp_path / "out", *words).exit_code == 0
    assert {row["strength"] for row in rows(tmp_path / "out")} == {"0.25", "0.5", "1"}


@pytest.mark.parametrize("word", ["0.5,2", "0.5,", "half", "nan", "0.5;1"])
def test_what_is_no_strength_is_refused(run: Run, faces: Path, word: str) -> None:
    assert run(faces, "--to", "sad", "--strength", word).exit_code == 2


@pytest.mark.parametrize("word", ["jpg", "JPG", "jpeg", ".jpg"])
def test_jpg_is_jpeg(run: Run, faces: Path, tmp_path: Path, word: str) -> None:
    run(faces, "--to", "sad", "-o", tmp_path / "out", "--format", word, "--limit", "1")
    (row,) = rows(tmp_path / "out")
    assert row["output"].endswith(".jpg")


@pytest.mark.parametrize("word", ["gpu", "cuda:", "cuda:x", "CPU"])
def test_what_is_no_device_is_refused(run: Run, faces: Path, word: str) -> None:
    result = run(faces, "--to", "sad", "--device", word)
    assert result.exit_code == 2
    assert "auto, cpu or cuda[:N]" in result.stderr


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("layout", LayoutName),
        ("faces", FaceMode),
        ("result", ResultKind),
        ("engine", Engine),
        ("precision", Precision),
    ],
)
def test_choices_are_those_of_their_type(name: str, literal: Any) -> None:
    (option,) = (each for each in cli.commands["batch"].params if each.name == name)
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == get_args(literal)
