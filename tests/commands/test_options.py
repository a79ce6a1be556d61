"""Option values: lists, aliases, suggestions and completion."""

import shutil
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from click.shell_completion import ShellComplete

from cctranslate.batch.call.options import ResultKind
from cctranslate.batch.inputs.decoding import FaceMode
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


def test_a_path_may_begin_with_the_users_folder(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(faces, tmp_path / "home" / "faces")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    result = run("~/faces/**/*.png", "--to", "sad", "--out=~/out", "--report=~/r.csv")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "home" / "r.csv").is_file()
    assert (tmp_path / "home" / "out" / "report.csv").is_file()
    assert not (tmp_path / "~").exists()
    shutil.copytree(faces, "~")  # is there, and is meant
    assert run("~", "--to", "sad", "-o", "here").exit_code == 0
    assert all(row["source"].startswith("~/") for row in rows(tmp_path / "here"))


def test_a_short_option_with_an_equals_sign_makes_no_folder_of_that_name(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(faces, "--to", "sad", "-o=out")
    assert result.exit_code == 2
    assert "=out: write it without `=`, or after --out=" in result.stderr
    assert list(tmp_path.iterdir()) == [faces]


def test_a_second_list_is_not_dropped_without_a_word(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one 1", tmp_path / "two"
    for path in (one, two):
        path.write_text("".join(f"{face}\n" for face in faces.rglob("*.png")))
    result = run("-T", one, "-T", two, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "given more than once: join the lists" in result.stderr
    monkeypatch.setenv("CCTRANSLATE_BATCH_FILES_FROM", str(one))
    assert run("--to", "sad", "-o", tmp_path / "out").exit_code == 0
