"""fit, export and evaluate as a user types them, on drawn faces."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner, Result

from cctranslate import bundle
from cctranslate.cli import cli
from cctranslate.pixels import to_scaled
from tests import drawn


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a judge's run, a t26 run and its bundle."""
    root = tmp_path_factory.mktemp("made")
    data = drawn.write_csv(root / "fer2013.csv", count=1200)
    short = ("--batch-size", "8", "--epochs", "0.02", "--device", "cpu")
    for name in ("judge", "t26"):
        result = run("fit", "--data", data, "--recipe", name, "-o", root / name, *short)
        assert result.exit_code == 0, result.output
    result = run("export", root / "t26", "--judge", root / "judge", "-o", root / "bundle")
    assert result.exit_code == 0, result.output
    return root


def test_fit_lists_every_recipe_on_a_line() -> None:
    result = run("fit", "--list")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()][:2] == ["flow", "t26"]


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
    assert "choose from" in result.stderr


def test_export_writes_a_bundle_that_loads(made: Path) -> None:
    found = bundle.load(made / "bundle")
    assert found.card["recipe"]["name"] == "t26"
    assert found.card["largest_difference"] < 2e-3
    assert found.card["judge"]["recipe"]["name"] == "judge"


def test_the_graphs_take_any_number_of_faces_and_targets(made: Path) -> None:
    found = bundle.load(made / "bundle")
    generator = onnxruntime.InferenceSession(found.generator, providers=["CPUExecutionProvider"])
    faces = to_scaled(np.stack([drawn.face(k, 0) for k in range(7)]))[:, None]
    labels = np.eye(7, dtype=np.float32)
    everything = generator.run(None, {"faces": faces, "labels": labels})[0]
    assert everything.shape == (7, 7, 1, 48, 48)
    one = generator.run(None, {"faces": faces[3:4], "labels": labels[5:6]})[0]
    np.testing.assert_allclose(one[0, 0], everything[3, 5], atol=1e-4)
    judge = onnxruntime.InferenceSession(found.judge, providers=["CPUExecutionProvider"])
    probabilities, features = judge.run(None, {"faces": faces})
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert features.shape == (7, 116)


def test_gain_is_how_far_strength_1_goes(made: Path, tmp_path: Path) -> None:
    words = ("export", made / "t26", "--judge", made / "bundle", "-o", tmp_path / "far")
    result = run(*words, "--gain", "2")
    assert result.exit_code == 0, result.output
    faces = to_scaled(drawn.face(0, 0))[None, None]
    happy = np.eye(7, dtype=np.float32)[3:4]
    half_of_far, all_of_near = (
        onnxruntime.InferenceSession(
            bundle.load(folder).generator, providers=["CPUExecutionProvider"]
        ).run(None, {"faces": faces, "labels": happy * strength})[0]
        for folder, strength in ((tmp_path / "far", 0.5), (made / "bundle", 1.0))
    )
    np.testing.assert_allclose(half_of_far, all_of_near, atol=1e-4)


def test_an_altered_bundle_is_refused(made: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(made / "bundle", tmp_path / "bundle"))
    with (copied / "judge.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(bundle.BundleError, match="altered since export"):
        bundle.load(copied)


def test_export_of_no_run_is_one_line(tmp_path: Path) -> None:
    result = run("export", tmp_path)
    assert result.exit_code == 1
    assert "name a run folder" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_evaluate_tells_the_same_of_a_run_and_its_bundle(made: Path, tmp_path: Path) -> None:
    common = ("--data", made / "fer2013.csv", "--json")
    sheet = tmp_path / "sheet.png"
    by_bundle = run("evaluate", "--weights", made / "bundle", *common, "--sheet", sheet)
    assert by_bundle.exit_code == 0, by_bundle.output
    by_run = run("evaluate", "--run", made / "t26", "--judge", made / "judge", *common)
    assert by_run.exit_code == 0, by_run.output
    figures = json.loads(by_bundle.stdout)
    assert json.loads(by_run.stdout) == figures
    assert set(figures["targets"]["happy"]) >= {"confirmed", "fid", "kid", "identity", "roughness"}
    assert sheet.exists()


def test_evaluate_prints_a_table(made: Path) -> None:
    result = run("evaluate", "--weights", made / "bundle", "--data", made / "fer2013.csv")
    assert result.exit_code == 0, result.output
    assert "confirmed" in result.stdout
    assert "judge by fer2013 labels" in result.stdout
