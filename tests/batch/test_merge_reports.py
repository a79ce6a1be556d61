"""`report merge` of runs that are no shards of one run says which differs, and in what."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.support.cli import Run, invoke
from tests.support.pictures import draw_face
from tests.support.reports import rows


@pytest.fixture
def faces(faces: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Named from beside them: a shard goes by names, and tmp_path's differs from run to run."""
    monkeypatch.chdir(faces.parent)
    shutil.copytree(faces, "others")
    return Path(faces.name)


def make(run: Run, number: int, *words: str | Path, count: int = 2) -> Path:
    out = Path("out", str(number))
    result = run("--to", "sad", "-o", out, "--shard", f"{number}/{count}", *words)
    assert result.exit_code in (0, 3), result.output
    return out


def refusal(*folders: Path) -> str:
    """Return the only line of a merge that is refused and writes nothing."""
    result = invoke("report", "merge", *folders, "-o", "joined.csv")
    assert result.exit_code == 2, result.output
    assert not Path("joined.csv").exists()
    (line,) = result.output.splitlines()
    return line


@pytest.mark.parametrize(
    ("words", "difference"),
    [
        (("others",), "INPUT than out/1 (INPUT others, not faces)"),
        (("faces", "--include", "*.png", "--exclude", "sad/*"), "--exclude sad/*, not none"),
        (("faces", "--limit", "1"), "--limit 1, not none"),
        (("faces", "--strength", "0.5"), "--strength 0.5, not 1.0"),
        (("faces", "--seed", "7", "--samples", "2"), "--samples 2, not 1; --seed 7, not 0"),
    ],
)
def test_the_shard_that_differs_is_named_and_in_what(
    run: Run, faces: Path, words: tuple[str, ...], difference: str
) -> None:
    first, second = make(run, 1, faces), make(run, 2, *words)
    line = refusal(first, second)
    assert line.startswith("Error: out/2 holds a run with another ")
    assert difference in line


def test_the_odd_one_out_is_named_wherever_it_stands(run: Run, faces: Path) -> None:
    parts = [make(run, k, "others" if k == 1 else faces, count=3) for k in (1, 2, 3)]
    assert refusal(*parts).startswith(
        "Error: out/1 holds a run with another INPUT than out/2 (INPUT others, not faces)"
    )


def test_a_file_that_came_between_two_shards_is_noticed_and_made_up_for(
    run: Run, faces: Path
) -> None:
    first = make(run, 1, faces)
    Image.fromarray(draw_face(3, 9)).save(faces / "new.png")
    second = make(run, 2, faces)
    line = refusal(first, second)
    assert "out/2 holds a run with another number of inputs than out/1" in line
    assert "number of inputs 8, not 7" in line
    assert refusal(second, first) != line
    make(run, 1, faces)
    result = invoke("report", "merge", first, second, "-o", "joined.csv")
    assert result.exit_code == 0, result.output
    assert "8 inputs: 8 done" in result.output


def test_a_file_in_the_place_of_another_is_noticed(run: Run, faces: Path) -> None:
    first = make(run, 1, faces)
    next(faces.glob("*/3.png")).rename(faces / "renamed.png")
    assert "another digest of inputs' names" in refusal(first, make(run, 2, faces))


def test_the_same_inputs_may_be_named_in_other_ways(run: Run, faces: Path) -> None:
    first = make(run, 1, faces)
    listed = Path("list.txt")
    listed.write_text("".join(f"{path}\n" for path in sorted(faces.rglob("*.png"), reverse=True)))
    second = make(run, 2, "--files-from", listed)
    result = invoke("report", "merge", first, second, "-o", "joined.csv")
    assert result.exit_code == 0, result.output
    assert len(rows(first)) + len(rows(second)) == 7


def test_runs_of_earlier_versions_go_by_the_options(run: Run, faces: Path) -> None:
    parts = [make(run, 1, f"./{faces}/"), make(run, 2, faces)]
    for part in parts:
        content = json.loads((part / "run.json").read_text())
        del content["inputs_of_all_shards"]
        (part / "run.json").write_text(json.dumps(content))
    assert invoke("report", "merge", *parts, "-o", "joined.csv").exit_code == 0


@pytest.mark.parametrize("damage", [{"options": 5}, {"options": None}])
def test_a_damaged_run_json_is_one_line(run: Run, faces: Path, damage: dict[str, object]) -> None:
    parts = [make(run, 1, faces), make(run, 2, faces)]
    content = json.loads((parts[1] / "run.json").read_text())
    (parts[1] / "run.json").write_text(json.dumps(content | damage))
    assert refusal(*parts) == f"Error: {parts[1] / 'run.json'}: not what a run left"
