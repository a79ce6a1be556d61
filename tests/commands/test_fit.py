"""`cctranslate fit` as a user types it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click import Context

from cctranslate.cli import cli
from cctranslate.commands.figures import measure_and_print
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.pairs import PAIRS
from cctranslate.recipes.registry import GROUPS, OUR_TRANSLATOR, RECIPES, find, stage_names
from cctranslate.training.fit import TrainingRun
from cctranslate.training.run_folder import MEASURED, RunManifest, write_json, write_manifest
from tests.support import pictures
from tests.support.cli import child, invoke, wait_until


def test_fit_lists_every_recipe_in_its_group() -> None:
    result = invoke("fit", "--list")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line[:-1] for line in lines if line and not line.startswith(" ")] == list(GROUPS)
    named = [line.split()[0] for line in lines if line.startswith("  ") and line[:10].strip()]
    staged = (recipe for recipe in RECIPES.values() if isinstance(recipe, GanRecipe))
    stages = {name for recipe in staged for name in stage_names(recipe)}
    assert "flow-apart" in stages
    assert [name for name in named if name not in stages] == list(RECIPES)
    assert stages < set(named)
    assert all(len(line) <= 120 for line in lines)
    at = lines.index(next(line for line in lines if line.startswith("  pairs ")))
    assert lines[at + 1].split("builds on ")[1] == ", ".join(PAIRS.prerequisites)


@pytest.mark.parametrize(
    ("option", "incomplete", "complete"),
    [
        ("recipe", "t26-s", ["t26-slow"]),
        ("recipe", "flow-la", ["flow-late"]),
        ("stage", "teach", ["teacher"]),
        ("sweep", "", ["t27"]),
        ("device", "c", ["cpu", "cuda"]),
    ],
)
def test_values_complete(option: str, incomplete: str, complete: list[str]) -> None:
    command = cli.get_command(Context(cli), "fit")
    assert command is not None
    (parameter,) = (each for each in command.params if each.name == option)
    items = parameter.shell_complete(Context(command), incomplete)
    assert [item.value for item in items] == complete


def test_dry_run_shows_the_resolved_recipe_and_writes_nothing(tmp_path: Path) -> None:
    result = invoke("fit", "--recipe", "t26", "--lr", "0.001", "--dry-run", "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["procedure"]["lr"] == 0.001
    assert "generator: 6,703,801 parameters" in result.stderr
    assert not (tmp_path / "run").exists()


def test_the_default_is_what_ships_after_all_its_stages() -> None:
    result = invoke("fit", "--dry-run")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["name"] == OUR_TRANSLATOR[-1].name == "mouth-student"
    (order,) = (line for line in result.stderr.splitlines() if line.startswith("trained first: "))
    before = order.removeprefix("trained first: ").split(", ")
    stages = [recipe.name for recipe in OUR_TRANSLATOR[:-1]]
    assert [name for name in before if name in stages] == stages
    assert len(set(before)) == len(before) == 12 + 7 + len(stages)  # classifiers, flow's parts


def test_a_dry_run_of_a_stage_shows_the_stage() -> None:
    stage = invoke("fit", "--stage", "flow-late", "--dry-run")
    assert stage.exit_code == 0, stage.output
    assert json.loads(stage.stdout)["name"] == "flow-late"
    assert stage.stderr.splitlines()[0].endswith(", flow-start, flow-middle")
    last = invoke("fit", "--stage", "mouth-student", "--lr", "0.1", "--dry-run")
    assert last.exit_code == 0, last.output
    assert json.loads(last.stdout)["lr"] == 0.1


def test_missing_data_is_one_line(tmp_path: Path) -> None:
    result = invoke("fit", "--data", tmp_path / "none.csv")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "Kaggle" in result.stderr


def test_missing_votes_are_one_line(tmp_path: Path) -> None:
    data = pictures.write_csv(tmp_path / "fer2013.csv", 14)
    for votes, reason in ((tmp_path / "none.csv", "not found"), (tmp_path, "cannot be read: ")):
        result = invoke("fit", "--data", data, "--votes", votes)
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith(f"Error: {votes}: {reason}")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "already holds a run: add --resume"),
        (("--resume",), "has another recipe: resume it with the same"),
    ],
)
def test_a_folder_of_another_run_is_a_usage_error(
    tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    data = pictures.write_csv(tmp_path / "fer2013.csv", 14)
    write_manifest(tmp_path / "run", RunManifest(recipe=find("t26"), seed=0, data={}))
    result = invoke("fit", "--data", data, "--recipe", "judge", "-o", tmp_path / "run", *words)
    assert result.exit_code == 2, result.output
    assert reason in result.stderr


def test_pictures_that_are_left_out_are_told(tmp_path: Path) -> None:
    for split in ("train", "more"):
        (tmp_path / "faces" / split / "sad").mkdir(parents=True)
        (tmp_path / "faces" / split / "sad" / "1.png").write_bytes(pictures.png(4))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").touch()
    result = invoke("fit", "--data", tmp_path / "faces", "--recipe", "c1", "-o", tmp_path / "run")
    assert result.exit_code == 2, result.output
    assert "faces: 1 pictures in more/sad/ left out" in result.stderr


def test_figures_of_pairs_are_left_in_their_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(tmp_path / MEASURED, {"draws": 3, "kept": 1})
    run = TrainingRun(
        recipe=PAIRS, folder=tmp_path, splits={}, votes=None, device=torch.device("cpu")
    )
    measure_and_print(run)
    assert capsys.readouterr() == ("", "")


def test_an_unknown_recipe_is_a_usage_error() -> None:
    result = invoke("fit", "--recipe", "t99")
    assert result.exit_code == 2
    assert "did you mean" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sweep", "t28"), "no sweep 't28': did you mean t27?"),
        (("--sweep", "t27", "--recipe", "t1"), "leave --recipe out"),
        (("--sweep", "t27", "--max-minutes", "1"), "leave --max-minutes out"),
        (("--recipe", "t26", "--backbone", "random"), "t26 has no backbone"),
        (("--sweep", "t27", "--stage", "t26"), "leave --stage out"),
        (("--recipe", "t26", "--stage", "flow"), "t26 does not build on flow: it has no stages"),
        (("--stage", "judge"), "student does not build on judge: choose from guide-"),
        (("--stage", "flow", "--lr", "0.1"), "train flow by --recipe flow"),
    ],
)
def test_contradictory_options_are_usage_errors(words: tuple[str, ...], message: str) -> None:
    result = invoke("fit", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_what_cannot_be_written_is_one_line(trained_runs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = ("--data", trained_runs / "fer2013.csv")
    short = ("--batch-size", "8", "--epochs", "0.02", "--recipe", "judge")
    for words in (
        ("fit", *data, *short, "-o", tmp_path / "file" / "run"),
        (
            "export",
            trained_runs / "t26",
            "--judge",
            trained_runs / "judge",
            "-o",
            tmp_path / "file" / "bundle",
        ),
    ):
        result = invoke(*words)
        assert result.exit_code == 1, result.output
        assert isinstance(result.exception, SystemExit)
        assert "file" in result.stderr.splitlines()[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_device_or_a_bundle_that_cannot_be_used_is_exit_4(
    trained_runs: Path, tmp_path: Path
) -> None:
    data = ("--data", trained_runs / "fer2013.csv")
    for words in (
        ("fit", *data, "--device", "cuda:99"),
        ("evaluate", *data, "--weights", tmp_path),
    ):
        result = invoke(*words)
        assert result.exit_code == 4, result.output
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "--seed", "-1"),
        ("fit", "--epochs", "nan"),
        ("fit", "--lr", "inf"),
        ("fit", "--device", "gpu"),
        ("evaluate", "--sheet", "sheet.txt"),
        ("evaluate", "--worst", "worst.png"),
        ("evaluate", "--worst", "worst.txt", "--critics"),
    ],
    ids=lambda w: w[0],
)
def test_unusable_values_are_usage_errors(words: tuple[str, ...]) -> None:
    result = invoke(*words)
    assert result.exit_code == 2, result.output
    assert words[1] in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child there")
def test_ctrl_c_exits_130_and_says_how_to_go_on(trained_runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ("fit", "--data", trained_runs / "fer2013.csv", "--recipe", "judge", "-o", folder)
    started = child(*words, "--batch-size", "2", "--device", "cpu", stderr=subprocess.PIPE)
    wait_until(started, (folder / "recipe.json").exists)
    started.send_signal(signal.SIGINT)
    _, messages = started.communicate()
    # Where it comes while a string is executed, Python dies of it: 130 in a shell, too.
    assert started.returncode in (130, -signal.SIGINT), messages
    assert f"-o {folder} --resume goes on" in messages.decode()
    assert b"Traceback" not in messages
