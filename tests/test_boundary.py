"""The torch-free half stays so, help stays quick, and the command line keeps its promises."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cctranslate.cli import cli
from tests.support.cli import run_python

COMMANDS = sorted(cli.commands)


def test_batch_runs_where_torch_cannot_be_imported(
    weights: Path, faces: Path, tmp_path: Path
) -> None:
    words = ["batch", str(faces), "--to", "happy", "--weights", str(weights)]
    done = run_python(
        "import sys; sys.modules['torch'] = sys.modules['onnx'] = None\n"
        f"sys.argv = ['cctranslate', *{words}, '-o', {str(tmp_path / 'out')!r}]\n"
        "from cctranslate.cli import main; main()"
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out" / "happy").iterdir())) == 7


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)])
def test_help_imports_click_alone(words: list[str]) -> None:
    heavy = ["numpy", "PIL", "onnxruntime", "onnx", "torch", "pandas", "tqdm", "importlib.metadata"]
    done = run_python(
        f"import sys; sys.argv = ['cctranslate', *{words}, '--help']\n"
        "from cctranslate.cli import main\n"
        "try: main()\n"
        "finally: print([m for m in sys.modules if m in "
        f"{heavy}], file=sys.stderr)"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"
    assert "Usage:" in done.stdout


def test_training_without_torch_says_what_to_install(tmp_path: Path) -> None:
    done = run_python(
        "import sys; sys.modules['torch'] = None\n"
        f"sys.argv = ['cctranslate', 'export', {str(tmp_path)!r}]\n"
        "from cctranslate.cli import main; main()"
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "Error: torch is not installed: pip install 'cctranslate[train]'"


def test_parquet_without_pyarrow_says_what_to_install(faces: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    done = run_python(
        "import sys; sys.modules['pyarrow'] = None\n"
        f"sys.argv = ['cctranslate', 'batch', {str(faces)!r}, '--to', 'sad', '-o', {out!r}, "
        "'--report', 'r.parquet']\n"
        "from cctranslate.cli import main; main()"
    )
    assert done.returncode == 2
    assert "needs pyarrow: pip install 'cctranslate[parquet]'" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("runner", "code"), [("local", 0), ("ray", 2)])
def test_ray_is_imported_for_its_runner_alone(
    runner: str, code: int, faces: Path, tmp_path: Path, weights: Path
) -> None:
    words = ["batch", str(faces), "--to", "sad", "-o", str(tmp_path / "out")]
    words += ["--weights", str(weights), "--runner", runner]
    done = run_python(
        "import sys; sys.modules['ray'] = None\n"
        f"sys.argv = ['cctranslate', *{words}]\n"
        "from cctranslate.cli import main; main()"
    )
    assert done.returncode == code
    message = "Error: --runner ray needs Ray: pip install 'cctranslate[ray]'"
    assert (message in done.stderr) is (runner == "ray")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples_and_every_option_a_word(name: str) -> None:
    command = cli.commands[name]
    text = CliRunner().invoke(cli, [name, "-h"])
    assert text.exit_code == 0, text.output
    assert f"cctranslate {name}" in text.output
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent == []


def test_options_come_from_the_environment_too(faces: Path, tmp_path: Path, weights: Path) -> None:
    environment = {
        "CCTRANSLATE_BATCH_TO": "happy",
        "CCTRANSLATE_BATCH_WEIGHTS": str(weights),
        "CCTRANSLATE_BATCH_OUT": str(tmp_path / "out"),
    }
    result = CliRunner(env=environment).invoke(cli, ["batch", str(faces)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "happy").is_dir()


def test_export_without_onnx_says_what_to_install(tmp_path: Path) -> None:
    done = run_python(
        "import sys; sys.modules['onnx'] = None\n"
        "import click, numpy, torch\n"
        "from pathlib import Path\n"
        "from cctranslate.cli import cli, main\n"
        "from cctranslate.training.exporting.onnx_files import CLASSIFIER, write_graph\n"
        f"write = lambda: write_graph(torch.nn.Identity(), Path({str(tmp_path / 'x')!r}), "
        "CLASSIFIER, numpy.zeros((1, 1, 48, 48), 'float32'))\n"
        "cli.add_command(click.Command('write', callback=write))\n"
        "sys.argv[1:] = ['write']; main()"
    )
    assert done.returncode == 1
    expected = "Error: onnx is not installed: pip install 'cctranslate[train]'"
    assert done.stderr.strip() == expected
