"""Which clusters a run takes, and with how many workers."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.cli import Run, child, invoke

pytest.importorskip("ray", reason="needs the extra `ray`")
from cctranslate.batch.runners import ray_blocks

RAY = ("--runner", "ray")


@pytest.mark.parametrize(
    ("address", "exit_code", "message"),
    [
        (
            "ray://127.0.0.1:10001",
            2,
            "start the command on the cluster with `ray job submit`",
        ),
        ("abc", 1, "Error: Ray cannot be reached: Invalid address format: abc\n"),
    ],
    ids=["of a Ray client", "that is none"],
)
def test_an_address_that_cannot_be_used_is_one_line(
    run: Run,
    faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    exit_code: int,
    message: str,
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    refused = run(faces, "--to", "happy", "-o", tmp_path / "out", *RAY)
    assert refused.exit_code == exit_code
    assert message in refused.output


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Ray has them elsewhere there")
def test_temporary_files_whose_path_ray_cannot_use_are_one_line(
    weights: Path, faces: Path, tmp_path: Path
) -> None:
    # The paths of sockets, which begin so, may not be long.
    folder = Path(tempfile.mkdtemp(prefix="\u00f6", dir="/tmp"))
    try:
        words = ("batch", faces, "--to", "happy", "--weights", weights, "-o", tmp_path / "out")
        environment = os.environ | {"TMPDIR": str(folder), "RAY_TMPDIR": str(folder)}
        process = child(*words, *RAY, "-q", stderr=subprocess.PIPE, env=environment)
        _, messages = process.communicate()
    finally:
        shutil.rmtree(folder)
    assert process.returncode == 1
    (line,) = messages.decode().splitlines()
    assert line.startswith(f"Error: Ray cannot use {folder}")
    assert line.endswith(": set TMPDIR to a folder whose path is ASCII")


@pytest.mark.parametrize(
    ("words", "provider", "workers"),
    [
        ((), "CUDA", 3),
        (("--workers", "2"), "CUDA", 2),
        (("--engine", "openvino"), "OpenVINO", 40),
    ],
)
def test_a_cluster_with_gpus_has_a_worker_for_each(
    words: tuple[str, ...],
    provider: str,
    workers: int,
    faces: Path,
    in_process: SimpleNamespace,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if provider == "OpenVINO":
        pytest.importorskip("openvino")
    gpus = ray_blocks.Resources(cpus=40, gpus=3, cpus_of_a_gpu=8)
    monkeypatch.setattr(ray_blocks, "resources", lambda: gpus)
    fixed = ("batch", faces, "--to", "happy", "--weights", weights, "-o", tmp_path / "out")
    result = invoke(*fixed, *RAY, *words)
    assert f"running on {provider}" in result.output
    assert f"at most {workers} workers of a Ray cluster" in result.output


def test_few_processors_are_named(
    run: Run,
    faces: Path,
    in_process: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = ray_blocks.Resources(cpus=2, gpus=0, cpus_of_a_gpu=1)
    monkeypatch.setattr(ray_blocks, "resources", lambda: few)
    result = run(faces, "--to", "happy", "-o", tmp_path / "out", *RAY)
    assert result.exit_code == 0, result.output
    assert "the cluster has 2 CPUs: Ray needs some for itself" in result.output
