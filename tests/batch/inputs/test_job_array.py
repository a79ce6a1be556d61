"""`--shard` and `report merge`: a job array's shards make up the run, their reports one."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cctranslate.batch.inputs.job_array import AllShards, choose, parse
from cctranslate.batch.items import Item
from cctranslate.cli import cli
from tests.support.cli import Run
from tests.support.reports import rows, tree


@pytest.fixture
def faces(faces: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Named from beside them: a shard goes by names, and tmp_path's differs from run to run."""
    monkeypatch.chdir(faces.parent)
    return Path(faces.name)


def merge(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["report", "merge", *map(str, words)])


def shards(run: Run, faces: Path, out: Path, count: int) -> list[Path]:
    folders = [out / str(number + 1) for number in range(count)]
    for number, folder in enumerate(folders):
        result = run(faces, "--to", "sad", "-o", folder, "--shard", f"{number + 1}/{count}")
        assert result.exit_code in (0, 3), result.output
    return folders


def test_the_shards_make_up_the_run(run: Run, faces: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    assert run(faces, "--to", "sad", "-o", whole).exit_code == 0
    parts = shards(run, faces, tmp_path, 3)
    assert [n for n, part in enumerate(parts) if len(tree(part)) == 7] == []
    together = {name: content for part in parts for name, content in tree(part).items()}
    assert together == tree(whole)

    joined = tmp_path / "joined.csv"
    result = merge(*parts, "-o", joined)
    assert result.exit_code == 0, result.output
    assert "7 inputs: 7 done" in result.output
    with joined.open(newline="", encoding="utf-8") as file:
        found = {row["source"]: row for row in csv.DictReader(file)}
    expected = {row["source"]: row for row in rows(whole)}
    assert found.keys() == expected.keys()
    for source, row in found.items():
        assert (tmp_path / row["output"]).read_bytes() == tree(whole)[expected[source]["output"]]
        for column in row.keys() - {"output", "ms"}:
            assert row[column] == expected[source][column]


def test_a_joined_report_as_json_lines(run: Run, faces: Path, tmp_path: Path) -> None:
    parts = shards(run, faces, tmp_path, 2)
    assert merge(*parts, "-o", tmp_path / "all.jsonl").exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert len(lines) == 7
    assert all(isinstance(line["confidence"], float) for line in lines)


def test_what_cannot_be_joined_is_one_line(run: Run, faces: Path, tmp_path: Path) -> None:
    parts = shards(run, faces, tmp_path, 2)
    joined = tmp_path / "report.csv"
    other = tmp_path / "other"
    run(faces, "--to", "happy", "-o", other, "--shard", "2/2")
    link, copy, whole, third = (tmp_path / name for name in ("link", "copy", "whole", "third"))
    link.symlink_to(parts[0], target_is_directory=True)
    shutil.copytree(parts[0], copy)
    run(faces, "--to", "sad", "-o", whole)
    run(faces, "--to", "sad", "-o", third, "--shard", "3/3")
    for words, reason in (
        ([parts[0]], "shard 2/2 is missing"),
        ([*parts, parts[0]], f"{parts[0]}: named twice: name each shard's folder once"),
        ([*parts, link], f"{link}: named twice, first as {parts[0]}: "),
        ([*parts, copy], "shard 1/2 is there twice"),
        ([parts[0], whole], f"{whole}: its run had no --shard, "),
        ([parts[0], third], f"{third}: its run is one of 3 shards, that of {parts[0]} one of 2"),
        ([parts[0], other], "another --to"),
        ([parts[0], faces], "holds no run of batch"),
    ):
        result = merge(*words, "-o", joined)
        assert result.exit_code == 2
        assert reason in result.output
    assert not joined.exists()
    manifest = json.loads((parts[1] / "run.json").read_text())
    (parts[1] / "run.json").write_text(json.dumps(manifest | {"finished": False}))
    assert "not finished" in merge(*parts, "-o", joined).output
    joined.write_text("mine")
    assert merge(*parts, "-o", joined).exit_code == 2
    assert joined.read_text() == "mine"


def test_another_shard_in_the_same_out_is_refused(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(faces, "--to", "sad", "-o", out, "--shard", "1/2").exit_code == 0
    result = run(faces, "--to", "sad", "-o", out, "--shard", "2/2")
    assert result.exit_code == 2
    assert "another --shard" in result.output


def test_a_name_is_in_one_shard_and_shards_are_alike_in_size() -> None:
    items = [
        Item(path=Path(f"faces/{number}.png"), relative="", named=True) for number in range(4000)
    ]
    found = [list(choose((number, 4), items, AllShards())) for number in (1, 2, 3, 4)]
    assert sorted(item.source for part in found for item in part if item) == sorted(
        item.source for item in items
    )
    assert min(map(len, found)) > 900


def slurm(task: int, *tasks: int, step: int | None = None) -> dict[str, str]:
    """Return what SLURM sets for a task of an array."""
    values = {"ID": task, "MIN": min(tasks), "MAX": max(tasks), "COUNT": len(tasks)}
    if step is not None:
        values["STEP"] = step
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


def test_a_slurm_array_says_which_shard() -> None:
    assert parse("slurm", slurm(3, 1, 2, 3, 4, step=1)) == (3, 4)
    assert parse("slurm", slurm(0, 0, 1, 2)) == (1, 3)
    assert [parse("slurm", slurm(task, 1, 3, 5, 7, step=2)) for task in (1, 3, 5, 7)] == [
        (1, 4),
        (2, 4),
        (3, 4),
        (4, 4),
    ]
    array = slurm(3, 1, 2, 3, 4)
    del array["SLURM_ARRAY_TASK_COUNT"]
    with pytest.raises(ValueError, match="SLURM_ARRAY_TASK_COUNT is not set"):
        parse("slurm", array)


@pytest.mark.parametrize(
    ("tasks", "fault"),
    [
        ((3,), "has one task"),
        ((1,), "has one task"),
        ((2, 5, 7), "begins at 2"),
        ((3, 4), "begins at 3"),
        ((1, 2, 5), "has gaps"),
        ((1, 3, 4, 6), "has gaps"),
    ],
)
def test_a_slurm_array_that_may_be_a_part_says_what_to_pass(
    tasks: tuple[int, ...], fault: str
) -> None:
    for task in tasks:
        with pytest.raises(ValueError, match=fault) as refused:
            parse("slurm", slurm(task, *tasks, step=1))
        assert str(refused.value).endswith("as --shard $SLURM_ARRAY_TASK_ID/N")
    with pytest.raises(ValueError, match=r"as --shard \$\(\(SLURM_ARRAY_TASK_ID \+ 1\)\)/N"):
        parse("slurm", slurm(0, 0, 2, 5, step=1))


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4", ""])
def test_a_text_that_is_no_shard_is_exit_2(
    run: Run, faces: Path, tmp_path: Path, text: str
) -> None:
    result = run(faces, "--to", "sad", "-o", tmp_path / "out", "--shard", text)
    assert result.exit_code == 2
    assert "--shard" in result.output


def test_a_joined_report_takes_no_place_of_a_run(run: Run, faces: Path, tmp_path: Path) -> None:
    parts = shards(run, faces, tmp_path, 2)
    before = (parts[0] / "report.csv").read_bytes()
    for name in ("report.csv", "all.csv"):
        result = merge(*parts, "-o", parts[0] / name, "--overwrite")
        assert result.exit_code == 2
        assert "holds nothing but a run's results: name another place" in result.output
    assert (parts[0] / "report.csv").read_bytes() == before
    result = merge(*parts, "-o", "-")
    assert result.exit_code == 2
    assert "'-': name a .csv, .jsonl or .parquet file" in result.output


@pytest.mark.parametrize("damage", ["gone", "cut", "a folder"])
def test_a_shard_whose_report_lost_rows_is_named(
    run: Run, faces: Path, tmp_path: Path, damage: str
) -> None:
    parts = shards(run, faces, tmp_path, 2)
    report = max((part / "report.csv" for part in parts), key=lambda path: path.stat().st_size)
    content = report.read_bytes()
    report.unlink()
    if damage == "cut":
        report.write_bytes(content[:-9])
    elif damage == "a folder":
        report.mkdir()
    joined = tmp_path / "joined.csv"
    joined.write_text("what was joined before")
    result = merge(*parts, "-o", joined, "--overwrite")
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: {report}")
    assert len(result.output.splitlines()) == 1
    assert joined.read_text() == "what was joined before"


def test_an_input_that_failed_after_it_had_results_is_counted_once(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = (faces, "--to", "sad", "-o", out)
    assert run(*words).exit_code == 0
    first = sorted(faces.rglob("*.png"))[0]
    first.write_bytes(b"no picture any more")
    assert run(*words).exit_code == 1
    result = merge(out, "-o", tmp_path / "joined.csv")
    assert result.exit_code == 1
    assert "7 inputs: 6 done, 0 skipped, 1 failed" in result.output
