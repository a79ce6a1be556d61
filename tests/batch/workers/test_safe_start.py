"""Worker processes run no Python files of the folder in which a run is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cctranslate
from tests.support import pictures
from tests.support.reports import rows

NAMES = ("random", "tempfile", "queue", "selectors", "numpy", "onnxruntime", "signal")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a shell with ulimit, and a fork server")
@pytest.mark.parametrize("descriptors", [1024, 60])  # with few, no server forks the workers
def test_modules_in_the_working_directory_are_not_imported(
    weights: Path, tmp_path: Path, descriptors: int
) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 40), tmp_path / "out"
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'a').write('{name} ')")
    script = tmp_path / "script" / "cctranslate_script.py"  # as an installed command has it
    script.parent.mkdir()
    script.write_text(
        "from cctranslate.cli import main\n\nif __name__ == '__main__':\n    main()\n"
    )
    program = (sys.executable, script, "batch", ".")
    words = ("--to", "happy", "--weights", weights, "-o", out, "--processes", "--workers", "2")
    done = subprocess.run(
        ["bash", "-c", f'ulimit -n {descriptors}; exec "$@"', "bash", *program, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(cctranslate.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "run").exists(), (tmp_path / "run").read_text()
    assert [row["status"] for row in rows(out)].count("done") == 40
