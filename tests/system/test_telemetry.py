"""Nothing is sent anywhere, and nothing is written outside the output folder.

onnxruntime's telemetry writes a device id and a database under HOME when a session opens, and looks
up a host some nine seconds later. OpenVINO's writes an ID and sends an event when it is imported.
What is written is looked for everywhere, what is sent where strace is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import command

LOOK_UP_SECONDS = 11
"""How long a process is kept after its first session; the look-ups come after nine."""

TRANSLATOR = """
import sys
from PIL import Image
from cctranslate import Translator
Translator(sys.argv[1], device="cpu").translate(Image.open(sys.argv[2]), "happy")
"""

EVERYTHING = """
import sys, time
weights, faces, out = sys.argv[1:]
from cctranslate.cli import cli
fixed = ["--weights", weights, "--device", "cpu"]
for kind in ("threads", "processes"):
    words = ["batch", faces, "--to", "happy", "-o", f"{out}/{kind}", f"--{kind}", "-q", *fixed]
    assert cli.main(words, standalone_mode=False) == 0
assert cli.main(["doctor", *fixed], standalone_mode=False) == 0
from cctranslate import Translator
from PIL import Image
translator = Translator(weights, device="cpu")
ends = time.monotonic() + float(LOOK_UP_SECONDS)
while time.monotonic() < ends:
    translator.translate(Image.new("L", (48, 48)), "happy")
    time.sleep(0.1)
""".replace("LOOK_UP_SECONDS", str(LOOK_UP_SECONDS))


def as_a_user(home: Path) -> dict[str, str]:
    """Return the environment of a user who set nothing: importing the package here set it."""
    unset = ("ORT_DISABLE_TELEMETRY", "CI", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
    inherited = {name: value for name, value in os.environ.items() if name not in unset}
    return inherited | {"HOME": str(home), "USERPROFILE": str(home), "LOCALAPPDATA": str(home)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def ran(words: list[str], home: Path) -> None:
    done = subprocess.run(
        words, env=as_a_user(home), cwd=home.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_batch_writes_nothing_to_home(weights: Path, faces: Path, home: Path, kind: str) -> None:
    fixed = ("--weights", weights, "--device", "cpu")
    ran(command("batch", faces, "--to", "happy", "-o", "out", f"--{kind}", *fixed), home)
    assert list(home.rglob("*")) == []


def test_doctor_writes_nothing_to_home(weights: Path, home: Path) -> None:
    ran(command("doctor", "--weights", weights, "--device", "cpu"), home)
    assert list(home.rglob("*")) == []


def test_the_translator_writes_nothing_to_home(weights: Path, faces: Path, home: Path) -> None:
    ran([sys.executable, "-c", TRANSLATOR, str(weights), str(faces / "sad" / "4.png")], home)
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("module", ["training.evaluate", "training.export"])
def test_the_training_half_writes_nothing_to_home(weights: Path, home: Path, module: str) -> None:
    """`evaluate` and `export` open graphs in their process; a graph is opened as they would."""
    code = (
        f"import sys, cctranslate.{module}, onnxruntime; onnxruntime.InferenceSession(sys.argv[1])"
    )
    ran([sys.executable, "-c", code, str(weights / "judge.onnx")], home)
    assert list(home.rglob("*")) == []


def test_openvino_writes_nothing_to_home(weights: Path, home: Path) -> None:
    pytest.importorskip("openvino")
    code = (
        "import sys; from pathlib import Path; "
        "from cctranslate.inference.openvino_graphs import OpenVinoGraph; "
        "OpenVinoGraph(Path(sys.argv[1]), 'f32', 1)"
    )
    ran([sys.executable, "-c", code, str(weights / "judge.onnx")], home)
    assert list(home.rglob("*")) == []


OPENVINO = """
import sys, time
weights, faces, out = sys.argv[1:]
from cctranslate.cli import cli
words = ["batch", faces, "--to", "happy", "-o", out, "-q", "--weights", weights]
assert cli.main([*words, "--engine", "openvino"], standalone_mode=False) == 0
time.sleep(2)
"""


@pytest.mark.skipif(not shutil.which("strace"), reason="no strace here")
def test_openvino_makes_no_internet_socket(
    weights: Path, faces: Path, home: Path, tmp_path: Path
) -> None:
    pytest.importorskip("openvino")
    log = tmp_path / "sockets.txt"
    traced = ["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", str(log)]
    script = [sys.executable, "-c", OPENVINO, str(weights), str(faces), str(tmp_path / "out")]
    ran([*traced, *script], home)
    assert "AF_INET" not in log.read_text(errors="replace")
    assert list(home.rglob("*")) == []


@pytest.mark.skipif(not shutil.which("strace"), reason="no strace here")
def test_no_internet_socket_is_made(weights: Path, faces: Path, home: Path, tmp_path: Path) -> None:
    log = tmp_path / "sockets.txt"
    traced = ["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", str(log)]
    script = [sys.executable, "-c", EVERYTHING, str(weights), str(faces), str(tmp_path / "out")]
    ran([*traced, *script], home)
    lines = log.read_text(errors="replace").splitlines()
    assert [line for line in lines if "AF_INET" in line] == []
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("value", ["0", "1"])
def test_what_the_user_set_stays(value: str) -> None:
    code = "import cctranslate, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ORT_DISABLE_TELEMETRY": value},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == value
