"""`cctranslate evaluate` as a user types it."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from cctranslate.commands.figures import table
from cctranslate.training.metrics import realism
from tests.support.cli import invoke


def test_evaluate_of_data_without_a_class_leaves_its_figures_out(
    trained_runs: Path, tmp_path: Path
) -> None:
    lines = (trained_runs / "fer2013.csv").read_text().splitlines()
    data = tmp_path / "fer2013.csv"
    data.write_text("\n".join(line for line in lines if line[0] != "1") + "\n")
    common = ("evaluate", "--weights", trained_runs / "bundle", "--data", data)
    result = invoke(*common, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout, parse_constant=pytest.fail)
    assert figures["targets"]["disgust"]["fid"] is None
    assert figures["targets"]["disgust"]["own_change"] is None
    assert figures["targets"]["disgust"]["confirmed"] is not None
    assert figures["mean"]["fid"] is not None
    shown = table(figures)
    assert "None" not in shown
    assert "nan" not in shown


def test_faces_of_a_single_expression_are_measured(trained_runs: Path, tmp_path: Path) -> None:
    head, *lines = (trained_runs / "fer2013.csv").read_text().splitlines()
    happy = [line for line in lines if line.endswith(",Training") or line[0] == "3"]
    data = tmp_path / "fer2013.csv"
    data.write_text("\n".join([head, *happy]) + "\n")
    result = invoke("evaluate", "--weights", trained_runs / "bundle", "--data", data, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout, parse_constant=pytest.fail)
    assert figures["targets"]["happy"]["confirmed"] is None
    assert figures["targets"]["sad"]["confirmed"] is not None
    assert "None" not in table(figures)


def test_a_sheet_in_no_folder_is_refused_at_once(trained_runs: Path, tmp_path: Path) -> None:
    common = ("evaluate", "--weights", trained_runs / "bundle", "--data", tmp_path / "none.csv")
    result = invoke(*common, "--sheet", tmp_path / "none" / "sheet.png")
    assert result.exit_code == 2, result.output
    assert "none is no folder" in result.stderr


@pytest.mark.parametrize("options", [(), ("--weights", "bundle")])
def test_a_judge_without_a_run_is_refused(options: tuple[str, ...], tmp_path: Path) -> None:
    result = invoke("evaluate", "--judge", tmp_path, *options)
    assert result.exit_code == 2
    assert "--judge goes with --run" in result.stderr


def test_evaluate_needs_faces_that_are_not_trained_on(trained_runs: Path, tmp_path: Path) -> None:
    lines = (trained_runs / "fer2013.csv").read_text().splitlines()
    trained = [line for line in lines[1:] if line.endswith(",Training")][:20]
    copies = [line.replace(",Training", ",PublicTest") for line in trained]
    data = tmp_path / "fer2013.csv"
    data.write_text("\n".join([lines[0], *trained, *copies]) + "\n")
    result = invoke("evaluate", "--weights", trained_runs / "bundle", "--data", data)
    assert result.exit_code == 1, result.output
    assert "PublicTest faces that are not also in Training" in result.stderr


def test_evaluate_measures_a_run_as_its_bundle(trained_runs: Path, tmp_path: Path) -> None:
    common = ("--data", trained_runs / "fer2013.csv", "--json")
    sheet = tmp_path / "sheet.png"
    by_bundle = invoke("evaluate", "--weights", trained_runs / "bundle", *common, "--sheet", sheet)
    assert by_bundle.exit_code == 0, by_bundle.output
    by_run = invoke(
        "evaluate", "--run", trained_runs / "t26", "--judge", trained_runs / "bundle", *common
    )
    assert by_run.exit_code == 0, by_run.output
    figures = json.loads(by_bundle.stdout)
    assert json.loads(by_run.stdout) == figures
    assert set(figures["targets"]["happy"]) >= {"confirmed", "fid", "kid", "identity", "roughness"}
    assert sheet.exists()
    assert figures["witness"].keys() == figures["judge"].keys()
    assert all("witnessed" in target for target in figures["targets"].values())


def test_evaluate_measures_strength_and_samples(trained_runs: Path) -> None:
    words = ("--weights", trained_runs / "bundle", "--data", trained_runs / "fer2013.csv", "--json")
    figures = json.loads(invoke("evaluate", *words).stdout)
    nothing, *_, full = figures["strengths"]
    assert (nothing["strength"], nothing["change"], nothing["identity"]) == (0, 0, 1)
    changes = [line["change"] for line in figures["strengths"]]
    assert changes == sorted(changes)
    assert full["change"] > 0
    styles = figures["diversity"]
    assert styles["apart"] > 0
    assert len(styles["confirmed"]) == styles["samples"] == 4


def test_a_bundle_without_a_witness_is_evaluated_without(
    trained_runs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    shutil.copytree(trained_runs / "bundle", out)
    assert (
        invoke(
            "export", trained_runs / "t26", "--judge", trained_runs / "judge", "-o", out
        ).exit_code
        == 0
    )
    assert not (out / "witness.onnx").exists()
    words = ("--weights", out, "--data", trained_runs / "fer2013.csv", "--json")
    figures = json.loads(invoke("evaluate", *words).stdout)
    assert figures["witness"] is None
    assert "witnessed" not in figures["targets"]["happy"]
    refused = invoke("export", trained_runs / "t26", "--witness", out, "-o", tmp_path / "other")
    assert refused.exit_code == 4
    assert "a bundle without a witness" in refused.stderr


def test_evaluate_prints_a_table(trained_runs: Path) -> None:
    result = invoke(
        "evaluate", "--weights", trained_runs / "bundle", "--data", trained_runs / "fer2013.csv"
    )
    assert result.exit_code == 0, result.output
    assert "confirmed" in result.stdout
    assert "judge by fer2013 labels" in result.stdout
    assert "critics" not in result.stdout


def test_evaluate_trains_critics_and_draws_what_they_are_surest_of(
    trained_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realism, "SOURCES", 70)
    words = ("--weights", trained_runs / "bundle", "--data", trained_runs / "fer2013.csv")
    worst = tmp_path / "worst.png"
    result = invoke("evaluate", *words, "--critics", "--worst", worst, "--json")
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
