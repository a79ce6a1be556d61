"""`doctor` finds what is wrong in environments that really have it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cctranslate
from tests.support.cli import command

ROOT = Path(cctranslate.__file__).parent.parent


def doctor(*words: str | Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it, with the packages in `path` before all others."""
    found = [str(place) for place in (path, ROOT) if place]
    return subprocess.run(
        command("doctor", *words),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(found)},
    )


def pretend(folder: Path, package: str) -> Path:
    """What an installer leaves of a package: enough for importlib.metadata."""
    info = folder / f"{package.replace('-', '_')}-1.31.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.31.1\n")
    return folder


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {line[:24].strip(): line[24:] for line in done.stdout.splitlines() if line[:1] != " "}


def advice(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.strip() for line in done.stdout.splitlines() if line.startswith(" ")]


def test_a_sound_machine_has_nothing_to_mend(weights: Path) -> None:
    done = doctor("--weights", weights, "--device", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    found = findings(done)
    assert found["python"] == sys.version.split()[0]
    assert found["cctranslate"] == cctranslate.__version__
    assert found["generator"].startswith("sha256 ")
    assert re.search(r" faces a second on \w+, \w+ in f32$", found["self-test"])
    assert done.stderr == ""


def test_both_onnxruntime_packages_together_are_named_with_advice(
    weights: Path, tmp_path: Path
) -> None:
    path = pretend(pretend(tmp_path, "onnxruntime"), "onnxruntime-gpu")
    done = doctor("--weights", weights, "--device", "cpu", path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "overwrite each other" in findings(done)["packages"]
    assert advice(done)[0].startswith("! pip uninstall -y onnxruntime onnxruntime-gpu")


def test_an_onnxruntime_with_missing_files_is_exit_4(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "__init__.py").write_text("")
    done = doctor("--weights", weights, path=tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "onnxruntime cannot be used" in findings(done)["import"]
    assert len(advice(done)) == 1
    assert "Traceback" not in done.stderr


def test_a_tampered_bundle_is_exit_4(weights: Path, tmp_path: Path) -> None:
    bad = shutil.copytree(weights, tmp_path / "bad")
    (bad / "judge.onnx").write_bytes(b"x")
    done = doctor("--weights", bad)
    assert done.returncode == 4
    (line,) = advice(done)
    assert "altered since export" in line


def test_a_device_that_cannot_be_used_is_exit_4(weights: Path) -> None:
    done = doctor("--weights", weights, "--device", "cuda:99")
    assert done.returncode == 4, done.stdout
    assert "--device cuda:99" in advice(done)[-1]


def test_torch_is_named_and_not_imported(weights: Path) -> None:
    words = ["doctor", "--weights", str(weights), "--device", "cpu"]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['torch'] = sys.modules['onnx'] = None\n"
            f"sys.argv = ['cctranslate', *{words}]\n"
            "from cctranslate.cli import main; main()",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "torch" in findings(done)
