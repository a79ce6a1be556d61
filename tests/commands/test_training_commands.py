"""fit, export and evaluate as a user types them, on drawn faces."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from click import Context
from click.testing import CliRunner, Result
from PIL import Image

from cctranslate import bundle
from cctranslate.cli import cli
from cctranslate.commands.evaluate import table
from cctranslate.errors import BundleError, HalfError, RunError
from cctranslate.pixels import to_scaled
from cctranslate.recipes import original_log
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.registry import GROUPS, RECIPES, find
from cctranslate.training.export import _place
from cctranslate.training.fp16 import halve
from cctranslate.training.metrics import realism
from cctranslate.training.run_folder import RunManifest, write_json, write_manifest
from tests.support import bundles, pictures
from tests.support.cli import child


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, runs of judge, witness and t26, and the bundle of all three."""
    root = tmp_path_factory.mktemp("made")
    data = pictures.write_csv(root / "fer2013.csv", count=252)
    short = ("--batch-size", "8", "--epochs", "0.02", "--device", "cpu")
    for name in ("judge", "witness", "t26"):
        result = run("fit", "--data", data, "--recipe", name, "-o", root / name, *short)
        assert result.exit_code == 0, result.output
    words = ("--judge", root / "judge", "--witness", root / "witness")
    result = run("export", root / "t26", *words, "-o", root / "bundle")
    assert result.exit_code == 0, result.output
    return root


def test_fit_lists_every_recipe_in_its_group() -> None:
    result = run("fit", "--list")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line[:-1] for line in lines if line and not line.startswith(" ")] == list(GROUPS)
    named = [line.split()[0] for line in lines if line.startswith("  ")]
    stages = {f"flow-{stage.name}" for stage in FLOW.stages}
    assert [name for name in named if name not in stages] == list(RECIPES)
    assert stages < set(named)
    assert all(len(line) <= 120 for line in lines)


@pytest.mark.parametrize(
    ("option", "incomplete", "complete"),
    [
        ("recipe", "t26-s", ["t26-slow"]),
        ("recipe", "flow-la", ["flow-late"]),
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
    result = run("fit", "--recipe", "t26", "--lr", "0.001", "--dry-run", "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["procedure"]["lr"] == 0.001
    assert "generator: 6,703,801 parameters" in result.stderr
    assert not (tmp_path / "run").exists()


def test_missing_data_is_one_line(tmp_path: Path) -> None:
    result = run("fit", "--data", tmp_path / "none.csv")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "Kaggle" in result.stderr


def test_an_unknown_recipe_is_a_usage_error() -> None:
    result = run("fit", "--recipe", "t99")
    assert result.exit_code == 2
    assert "did you mean" in result.stderr


def test_a_sweep_ends_in_a_table_by_frechet_distance_and_resumes(tmp_path: Path) -> None:
    data = pictures.write_csv(tmp_path / "fer2013.csv", count=252)
    words = ("fit", "--data", data, "--sweep", "t27", "-o", tmp_path / "t27", "--device", "cpu")
    short = ("--batch-size", "8", "--epochs", "0.02")
    result = run(*words, *short)
    assert result.exit_code == 0, result.output
    head, _, *rows = ([cell.strip() for cell in r.split("|")[1:-1]] for r in _table(result.stdout))
    column = head.index("fid")
    distances = [float(row[column]) for row in rows]
    assert distances == sorted(distances)
    assert {row[0] for row in rows} == {recipe.name for recipe in original_log.SWEEPS["t27"]}
    logs = {path: path.stat().st_mtime_ns for path in (tmp_path / "t27").glob("*/log.jsonl")}
    again = run(*words, *short)
    assert again.stdout == result.stdout
    assert all(path.stat().st_mtime_ns == at for path, at in logs.items())
    other = run(*words, "--batch-size", "8", "--epochs", "0.04")
    assert other.exit_code == 1
    assert "holds a row of another budget" in other.stderr


def _table(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sweep", "t28"), "no sweep 't28': did you mean t27?"),
        (("--sweep", "t27", "--recipe", "t1"), "leave --recipe out"),
        (("--sweep", "t27", "--max-minutes", "1"), "leave --max-minutes out"),
        (("--recipe", "t26", "--backbone", "random"), "t26 has no backbone"),
    ],
)
def test_what_fit_cannot_mean_is_a_usage_error(words: tuple[str, ...], said: str) -> None:
    result = run("fit", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_export_writes_a_bundle_that_loads(made: Path) -> None:
    found = bundle.load(made / "bundle")
    assert found.card["recipe"]["name"] == "t26"
    assert found.card["largest_difference"] < 2e-3
    assert found.card["judge"]["recipe"]["name"] == "judge"


def test_the_graphs_take_any_number_of_faces_and_targets(made: Path) -> None:
    found = bundle.load(made / "bundle")
    generator = onnxruntime.InferenceSession(found.generator, providers=["CPUExecutionProvider"])
    faces = to_scaled(np.stack([pictures.draw_face(k, 0) for k in range(7)]))[:, None]
    labels, in_full = np.eye(7, dtype=np.float32), np.ones(7, np.float32)
    everything = generator.run(None, {"faces": faces, "labels": labels, "strength": in_full})[0]
    assert everything.shape == (7, 7, 1, 48, 48)
    some = {"faces": faces[3:4], "labels": labels[5:6], "strength": in_full[:1]}
    one = generator.run(None, some)[0]
    np.testing.assert_allclose(one[0, 0], everything[3, 5], atol=1e-4)
    judge = onnxruntime.InferenceSession(found.judge, providers=["CPUExecutionProvider"])
    probabilities, features = judge.run(None, {"faces": faces})
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert features.shape == (7, 116)


def test_gain_is_how_far_strength_1_goes(made: Path, tmp_path: Path) -> None:
    words = ("export", made / "t26", "--judge", made / "bundle", "-o", tmp_path / "far")
    result = run(*words, "--gain", "1.5", "--gain", "happy=2")
    assert result.exit_code == 0, result.output
    gains = bundle.load(tmp_path / "far").card["gain"]
    assert (gains["happy"], gains["sad"]) == (2, 1.5)
    assert run(*words, "--gain", "happy=9").exit_code == 2
    faces = to_scaled(pictures.draw_face(0, 0))[None, None]
    happy = np.eye(7, dtype=np.float32)[3:4]
    half_of_far, all_of_near = (
        onnxruntime.InferenceSession(
            bundle.load(folder).generator, providers=["CPUExecutionProvider"]
        ).run(
            None, {"faces": faces, "labels": happy, "strength": np.array([strength], np.float32)}
        )[0]
        for folder, strength in ((tmp_path / "far", 0.5), (made / "bundle", 1.0))
    )
    np.testing.assert_allclose(half_of_far, all_of_near, atol=1e-4)


def test_half_is_the_same_to_a_few_gray_levels_in_half_the_size(
    made: Path, tmp_path: Path, faces: Path
) -> None:
    whole, half = made / "bundle", tmp_path / "half"
    result = run("export", made / "t26", "--judge", whole, "--half", "-o", half)
    assert result.exit_code == 0, result.output
    assert "float16 and float32 by" in result.stderr
    for name in ("generator", "judge"):
        sizes = [bundle.load(folder).file(name).stat().st_size for folder in (half, whole)]
        assert sizes[0] < 0.6 * sizes[1]
        assert 0 < bundle.load(half).card["float16"][name] < 3e-2
    pictures = []
    for folder in (half, whole):
        out = tmp_path / "out" / folder.name
        words = ("batch", faces, "--to", "sad", "--device", "cpu", "-o", out, "--weights", folder)
        assert run(*words).exit_code == 0
        found = [Image.open(path) for path in sorted((out / "sad").iterdir())]
        pictures.append(np.stack([np.asarray(picture, np.int64) for picture in found]))
    assert 0 < np.abs(pictures[0] - pictures[1]).max() <= 4
    # Taken from a bundle that is halved, a judge is left as it is.
    again = run("export", made / "t26", "--judge", half, "--half", "-o", tmp_path / "again")
    assert again.exit_code == 0, again.output
    assert bundle.load(tmp_path / "again").card["float16"]["judge"] == 0


def test_what_float16_makes_another_thing_of_is_refused(tmp_path: Path) -> None:
    folder = bundles.write_bundle(tmp_path)
    x = np.full((1, 1, 48, 48), 1e9, np.float32)
    labels, strength = np.eye(7, dtype=np.float32), np.ones(7, np.float32)
    with pytest.raises(HalfError, match="leave out --half"):
        halve(folder / "generator.onnx", faces=x, labels=labels, strength=strength)


def test_an_altered_bundle_is_refused(made: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(made / "bundle", tmp_path / "bundle"))
    with (copied / "judge.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match="altered since export"):
        bundle.load(copied)


def test_export_of_no_run_is_one_line(tmp_path: Path) -> None:
    result = run("export", tmp_path)
    assert result.exit_code == 1
    assert "name a run folder" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("t26", "a run of t26, which is no judge"),
        ("encoder", "a run of encoder, which is no judge"),
        ("guide-plain", "not measured and calibrated"),
    ],
)
def test_export_refuses_a_judge_that_is_none(
    name: str, reason: str, made: Path, tmp_path: Path
) -> None:
    judge = made / name
    if not judge.exists():
        write_manifest(judge, RunManifest(recipe=find(name), seed=0, data={}))
    result = run("export", made / "t26", "--judge", judge, "-o", tmp_path / "bundle")
    assert result.exit_code == 1, result.output
    assert reason in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_teacher_is_no_judge_of_what_it_taught(tmp_path: Path) -> None:
    write_manifest(tmp_path, RunManifest(recipe=find("guide-plain"), seed=0, data={}))
    write_json(tmp_path / "measured.json", {})
    with pytest.raises(RunError, match="which taught the translator"):
        _place(
            tmp_path, find("flow"), tmp_path / "judge.onnx", np.zeros((1, 1, 48, 48), np.float32)
        )


def test_a_run_that_is_not_finished_is_exported_and_said_to_be_so(
    made: Path, tmp_path: Path
) -> None:
    cut = Path(shutil.copytree(made / "t26", tmp_path / "cut"))
    saved = torch.load(cut / "checkpoint.pt", weights_only=True)
    torch.save({**saved, "steps": saved["step"] + 8}, cut / "checkpoint.pt")
    result = run("export", cut, "--judge", made / "judge")
    assert result.exit_code == 0, result.output
    assert f"not finished: exported after step {saved['step']} of {saved['step'] + 8}" in (
        result.stderr
    )
    assert result.stdout == f"{cut / 'bundle'}\n"


def test_what_cannot_be_written_is_one_line(made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = ("--data", made / "fer2013.csv")
    short = ("--batch-size", "8", "--epochs", "0.02", "--recipe", "judge")
    for words in (
        ("fit", *data, *short, "-o", tmp_path / "file" / "run"),
        ("export", made / "t26", "--judge", made / "judge", "-o", tmp_path / "file" / "bundle"),
    ):
        result = run(*words)
        assert result.exit_code == 1, result.output
        assert isinstance(result.exception, SystemExit)
        assert "file" in result.stderr.splitlines()[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_device_or_a_bundle_that_cannot_be_used_is_exit_4(made: Path, tmp_path: Path) -> None:
    data = ("--data", made / "fer2013.csv")
    for words in (
        ("fit", *data, "--device", "cuda:99"),
        ("evaluate", *data, "--weights", tmp_path),
    ):
        result = run(*words)
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
def test_words_that_cannot_be_meant_are_usage_errors(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert words[1] in result.stderr


def test_evaluate_of_data_without_a_class_leaves_its_figures_out(
    made: Path, tmp_path: Path
) -> None:
    lines = (made / "fer2013.csv").read_text().splitlines()
    data = tmp_path / "fer2013.csv"
    data.write_text("\n".join(line for line in lines if line[0] != "1") + "\n")
    common = ("evaluate", "--weights", made / "bundle", "--data", data)
    result = run(*common, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout, parse_constant=pytest.fail)
    assert figures["targets"]["disgust"]["fid"] is None
    assert figures["targets"]["disgust"]["own_change"] is None
    assert figures["targets"]["disgust"]["confirmed"] is not None
    assert figures["mean"]["fid"] is not None
    shown = table(figures)
    assert "None" not in shown
    assert "nan" not in shown


def test_evaluate_needs_faces_that_are_not_trained_on(made: Path, tmp_path: Path) -> None:
    lines = (made / "fer2013.csv").read_text().splitlines()
    trained = [line for line in lines[1:] if line.endswith(",Training")][:20]
    copies = [line.replace(",Training", ",PublicTest") for line in trained]
    data = tmp_path / "fer2013.csv"
    data.write_text("\n".join([lines[0], *trained, *copies]) + "\n")
    result = run("evaluate", "--weights", made / "bundle", "--data", data)
    assert result.exit_code == 1, result.output
    assert "PublicTest faces that are not also in Training" in result.stderr


def test_evaluate_tells_the_same_of_a_run_and_its_bundle(made: Path, tmp_path: Path) -> None:
    common = ("--data", made / "fer2013.csv", "--json")
    sheet = tmp_path / "sheet.png"
    by_bundle = run("evaluate", "--weights", made / "bundle", *common, "--sheet", sheet)
    assert by_bundle.exit_code == 0, by_bundle.output
    by_run = run("evaluate", "--run", made / "t26", "--judge", made / "bundle", *common)
    assert by_run.exit_code == 0, by_run.output
    figures = json.loads(by_bundle.stdout)
    assert json.loads(by_run.stdout) == figures
    assert set(figures["targets"]["happy"]) >= {"confirmed", "fid", "kid", "identity", "roughness"}
    assert sheet.exists()
    assert figures["witness"].keys() == figures["judge"].keys()
    assert all("witnessed" in target for target in figures["targets"].values())


def test_evaluate_tells_how_strength_and_styles_act(made: Path) -> None:
    words = ("--weights", made / "bundle", "--data", made / "fer2013.csv", "--json")
    figures = json.loads(run("evaluate", *words).stdout)
    nothing, *_, full = figures["strengths"]
    assert (nothing["strength"], nothing["change"], nothing["identity"]) == (0, 0, 1)
    changes = [line["change"] for line in figures["strengths"]]
    assert changes == sorted(changes)
    assert full["change"] > 0
    styles = figures["diversity"]
    assert styles["apart"] > 0
    assert len(styles["confirmed"]) == styles["samples"] == 4


def test_a_bundle_without_a_witness_is_evaluated_without(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    shutil.copytree(made / "bundle", out)
    assert run("export", made / "t26", "--judge", made / "judge", "-o", out).exit_code == 0
    assert not (out / "witness.onnx").exists()
    words = ("--weights", out, "--data", made / "fer2013.csv", "--json")
    figures = json.loads(run("evaluate", *words).stdout)
    assert figures["witness"] is None
    assert "witnessed" not in figures["targets"]["happy"]
    refused = run("export", made / "t26", "--witness", out, "-o", tmp_path / "other")
    assert refused.exit_code == 4
    assert "a bundle without a witness" in refused.stderr


def test_evaluate_prints_a_table(made: Path) -> None:
    result = run("evaluate", "--weights", made / "bundle", "--data", made / "fer2013.csv")
    assert result.exit_code == 0, result.output
    assert "confirmed" in result.stdout
    assert "judge by fer2013 labels" in result.stdout
    assert "critics" not in result.stdout


def test_evaluate_trains_critics_and_draws_what_they_are_surest_of(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realism, "SOURCES", 70)
    words = ("--weights", made / "bundle", "--data", made / "fer2013.csv")
    worst = tmp_path / "worst.png"
    result = run("evaluate", *words, "--critics", "--worst", worst, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout, parse_constant=pytest.fail)
    critics = figures["critics"]
    assert list(critics) == ["learned_from", "whole", "mouth", "eyes"]
    assert critics["learned_from"] == 70
    for region in ("whole", "mouth", "eyes"):
        assert critics[region]["targets"].keys() == figures["targets"].keys()
        assert all(0 <= row["auc"] <= 1 for row in critics[region]["targets"].values())
    with Image.open(worst) as picture:
        assert picture.size == (2000, 728)
    lines = table(figures).splitlines()
    head = next(i for i, line in enumerate(lines) if line.split()[:2] == ["target", "whole"])
    assert lines[head + 8].split()[0] == "mean"
    assert f"{critics['whole']['auc']:.3f}" in lines[head + 8]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child there")
def test_ctrl_c_exits_130_and_says_how_to_go_on(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ("fit", "--data", made / "fer2013.csv", "--recipe", "judge", "-o", folder)
    started = child(*words, "--batch-size", "2", "--device", "cpu", stderr=subprocess.PIPE)
    for _ in range(600):
        if (folder / "recipe.json").exists():
            break
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=60)
    assert started.returncode == 130, told
    assert f"-o {folder} --resume goes on" in told.decode()
    assert b"Traceback" not in told
