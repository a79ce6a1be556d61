"""What the guide shows of shells is run as it stands there, by the programs it is for."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "cctranslate" / "batch" / "README.md"
SECTION = GUIDE.read_text(encoding="utf-8").partition("## In a shell")[2].partition("\n## ")[0]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="shells of POSIX")


@pytest.fixture
def shell(faces: Path, weights: Path, tmp_path: Path) -> dict[str, str]:
    """An environment with `cctranslate` on the path, beside a folder `faces`."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "cctranslate"
    # As pip writes it where Python's path has spaces.
    python = f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''\n"
    program.write_text(f"{python}from cctranslate.cli import main\n\nmain()\n")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    tiny = {"CCTRANSLATE_BATCH_WEIGHTS": str(weights), "CCTRANSLATE_BATCH_DEVICE": "cpu"}
    return os.environ | tiny | {"PATH": path, "HOME": str(tmp_path)}


def lines(word: str) -> str:
    """The block's lines that call a program."""
    (block,) = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    parts: list[str] = [part for part in block.split("\n\n") if word in part]
    assert len(parts) == 1
    return parts[0]


def ran(
    words: list[str], shell: dict[str, str], folder: Path, codes: tuple[int, ...] = (0,)
) -> str:
    done = subprocess.run(words, cwd=folder, env=shell, capture_output=True, text=True, check=False)
    assert done.returncode in codes, done.stderr
    return done.stdout


def bash(script: str, shell: dict[str, str], folder: Path) -> str:
    return ran(["bash", "-euo", "pipefail", "-c", script], shell, folder)


def needs(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"no {program} here")


def sources(report: Path) -> list[str]:
    with report.open(newline="", encoding="utf-8") as file:
        return sorted(row["source"] for row in csv.DictReader(file))


EVERY = sorted(
    f"faces/{emotion}/{label}.png"
    for label, emotion in enumerate(
        ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    )
)


def test_find_and_jq(shell: dict[str, str], tmp_path: Path) -> None:
    needs("find", "jq")
    printed = bash(lines("jq"), shell, tmp_path).split()
    with (tmp_path / "translated" / "report.csv").open(newline="") as file:
        confirmed = [row["output"] for row in csv.DictReader(file) if row["confirmed"] == "true"]
    assert printed == confirmed
    assert printed


def test_gnu_parallel(shell: dict[str, str], tmp_path: Path) -> None:
    needs("parallel")
    bash(lines("parallel"), shell, tmp_path)
    assert sources(tmp_path / "report.csv") == EVERY


def test_a_slurm_array(shell: dict[str, str], tmp_path: Path) -> None:
    (first, last, wrapped) = re.findall(r"--array=(\d+)-(\d+) --wrap '(.*)'", lines("sbatch"))[0]
    for task in range(int(first), int(last) + 1):
        array = {"SLURM_ARRAY_TASK_MIN": first, "SLURM_ARRAY_TASK_MAX": last}
        array |= {"SLURM_ARRAY_TASK_COUNT": last}
        array |= {"SLURM_ARRAY_TASK_ID": str(task)}
        ran(["bash", "-c", wrapped], shell | array, tmp_path, (0, 3))  # a share can be empty
    bash(lines("sbatch").splitlines()[-1], shell, tmp_path)
    assert len(sources(tmp_path / "report.csv")) == len(EVERY)


def test_make(shell: dict[str, str], tmp_path: Path) -> None:
    needs("make")
    (rule,) = re.findall(r"```make\n(.*?)```", SECTION, re.DOTALL)
    (tmp_path / "Makefile").write_text(rule)
    bash("make", shell, tmp_path)
    assert sources(tmp_path / "translated" / "report.csv") == EVERY
    assert "up to date" in bash("make", shell, tmp_path)
    picture = tmp_path / "faces" / "happy" / "3.png"
    shutil.copy(tmp_path / "faces" / "sad" / "4.png", picture.with_name("9.png"))
    bash("make", shell, tmp_path)
    assert len(sources(tmp_path / "translated" / "report.csv")) == len(EVERY) + 1


def test_completion_in_bash(shell: dict[str, str], tmp_path: Path) -> None:
    (setup,) = re.findall(r"`(eval .*?bash_source.*?)`", GUIDE.read_text(encoding="utf-8"))
    ask = "COMP_WORDS=({words}); COMP_CWORD={n}; _cctranslate_completion cctranslate; "
    ask += 'echo "${{COMPREPLY[@]}}"'
    script = f"{setup}; {ask.format(words='cctranslate rep', n=1)}"
    assert bash(script, shell, tmp_path).split() == ["report"]
    script = f"{setup}; {ask.format(words='cctranslate batch --layout t', n=3)}"
    assert bash(script, shell, tmp_path).split() == ["tree"]


def test_completion_in_zsh(shell: dict[str, str], tmp_path: Path) -> None:
    needs("zsh")
    setup = 'eval "$(_CCTRANSLATE_COMPLETE=zsh_source cctranslate)"'
    script = f"autoload -U compinit; compinit -u; {setup}; print $_comps[cctranslate]"
    assert ran(["zsh", "-c", script], shell, tmp_path) == "_cctranslate_completion\n"


def test_completion_in_fish(shell: dict[str, str], tmp_path: Path) -> None:
    needs("fish")
    (setup,) = re.findall(r"`(_CCTRANSLATE_COMPLETE=fish_source .*?)`", GUIDE.read_text("utf-8"))
    (tmp_path / ".config" / "fish" / "completions").mkdir(parents=True)
    completed = ran(["fish", "-c", f"{setup}; complete -C 'cctranslate rep'"], shell, tmp_path)
    assert completed.split()[0] == "report"
