"""Which classifiers `cctranslate export` takes as a judge."""

from pathlib import Path

import pytest

from cctranslate.errors import RunError
from cctranslate.recipes.registry import find
from cctranslate.training.exporting.classifiers import check_judge
from cctranslate.training.run_folder import RunManifest, write_json, write_manifest
from tests.support.cli import invoke


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("t26", "a run of t26, which is no judge"),
        ("encoder", "a run of encoder, which is no judge"),
        ("guide-plain", "not measured and calibrated"),
    ],
)
def test_export_refuses_what_is_no_judge(
    name: str, reason: str, trained_runs: Path, tmp_path: Path
) -> None:
    judge = trained_runs / name
    if not judge.exists():
        write_manifest(judge, RunManifest(recipe=find(name), seed=0, data={}))
    result = invoke("export", trained_runs / "t26", "--judge", judge, "-o", tmp_path / "bundle")
    assert result.exit_code == 2, result.output
    assert reason in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("translator", ["flow", "flow-start", "student"])
def test_a_classifier_cannot_judge_what_it_taught(translator: str, tmp_path: Path) -> None:
    write_json(tmp_path / "measured.json", {})
    with pytest.raises(RunError, match="which taught the translator"):
        check_judge(tmp_path, find("guide-plain"), find(translator))
