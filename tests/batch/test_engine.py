"""The engine and the precision are part of what a run is."""

import json
from pathlib import Path

import pytest

from tests.support.cli import Run
from tests.support.reports import rows


def test_another_engine_is_another_run(run: Run, faces: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    out = tmp_path / "out"
    words = (faces / "sad", "--to", "happy", "-o", out, "--device", "cpu", "--engine")
    assert run(*words, "onnxruntime").exit_code == 0
    manifest = json.loads((out / "run.json").read_text())
    assert (manifest["engine"], manifest["precision"]) == ("onnxruntime", "f32")
    other = run(*words, "openvino")
    assert other.exit_code == 2
    assert "another --engine" in other.stderr
    again = run(*words, "openvino", "--overwrite")
    assert again.exit_code == 0, again.output
    assert json.loads((out / "run.json").read_text())["engine"] == "openvino"
    assert [row["confirmed"] for row in rows(out)] == ["true"]


def test_what_onnxruntime_cannot_compute_is_exit_4(run: Run, faces: Path, tmp_path: Path) -> None:
    words = (faces, "--to", "happy", "-o", tmp_path / "out", "--precision", "bf16")
    result = run(*words, "--engine", "onnxruntime", "--device", "cpu")
    assert result.exit_code == 4, result.output
    assert "--precision bf16 needs --engine openvino" in result.stderr
    assert not (tmp_path / "out").exists()
