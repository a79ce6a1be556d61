"""Filling the classes of a dataset up to its largest."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.batch.stages.classes import MISSING, made
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, timeless, tree


@pytest.mark.parametrize("layout", ["imagefolder", "tree", "webdataset", "fer-csv"])
def test_classes_fill_up_to_the_largest(run: Run, train: Path, tmp_path: Path, layout: str) -> None:
    out = tmp_path / "out"
    result = run(train, "--to", "all", "--balance", "--layout", layout, "-o", out)
    assert result.exit_code == 0, result.output
    assert "class: 12 angry, 12 disgust, 9 fear, 5 sad, 12 surprise, 12 neutral" in result.stderr
    assert made(out) == MISSING
    assert all(row["source_label"] != row["target"] for row in rows(out))
    labels = {row["source_label"] for row in rows(out) if row["target"] in ("angry", "neutral")}
    assert {"happy", "sad"} <= labels, "a class is filled from all others"


def test_results_come_from_many_faces(run: Run, train: Path, tmp_path: Path) -> None:
    run(train, "--to", "all", "--balance", "-o", tmp_path / "out")
    chosen = {(row["target"], row["source"]) for row in rows(tmp_path / "out")}
    assert len(chosen) == sum(MISSING.values())
    assert len({source for _, source in chosen}) >= 14  # of 22: which ones depends on their paths


def test_another_folder_gives_the_same_choice(run: Run, train: Path, tmp_path: Path) -> None:
    chosen = []
    for folder in (train, shutil.copytree(train, tmp_path / "elsewhere" / "faces")):
        out = folder.parent / "out"
        run(folder, "--to", "all", "--balance", "-o", out)
        chosen.append({(r["target"], Path(r["source"]).relative_to(folder)) for r in rows(out)})
    assert chosen[0] == chosen[1]


def test_inputs_of_one_name_are_told_apart(run: Run, train: Path, tmp_path: Path) -> None:
    folders = [train / emotion for emotion in ("happy", "sad", "fear")]  # each has its 00.png
    run(*folders, "--to", "all", "--balance", "-o", tmp_path / "out")
    assert made(tmp_path / "out") == MISSING


def test_a_run_that_goes_on_chooses_alike(run: Run, train: Path, tmp_path: Path) -> None:
    words = (train, "--to", "all", "--balance")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(*words, "-o", whole, "--workers", "1", "--batch-size", "2")
    run(*words, "-o", parts, "--limit", "9", "--processes")
    assert 0 < sum(made(parts).values()) < sum(MISSING.values())
    result = run(*words, "-o", parts)
    assert result.exit_code == 0, result.output
    assert tree(parts) == tree(whole)
    assert timeless(parts) == timeless(whole)
    again = run(*words, "-o", parts)
    assert again.exit_code == 0
    assert timeless(parts) == timeless(whole)


def test_shards_share_the_work(run: Run, train: Path, tmp_path: Path) -> None:
    words = (train, "--to", "all", "--balance")
    total: Counter[str] = Counter()
    for shard in ("1/2", "2/2"):
        out = tmp_path / shard[0]
        run(*words, "--shard", shard, "-o", out)
        total += made(out)
    assert total == MISSING


def test_several_results_of_a_face_count_each(run: Run, train: Path, tmp_path: Path) -> None:
    words = ("--to", "fear,sad", "--balance", "--samples", "2", "-o", tmp_path / "out")
    assert run(train, *words).exit_code == 0
    assert made(tmp_path / "out") == {"fear": 8, "sad": 4}, "never above the largest class"


def test_a_second_target_adds_its_class(run: Run, train: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(train, "--to", "sad", "--balance", "-o", out)
    result = run(train, "--to", "fear", "--balance", "-o", out)
    assert result.exit_code == 0, result.output
    assert made(out) == {"sad": 5, "fear": 9}


def test_faces_for_tests_are_left_out_and_bad_rows_reported(run: Run, tmp_path: Path) -> None:
    data = pictures.write_csv(tmp_path / "fer2013.csv")
    lines = data.read_text().splitlines()
    unhappy = [line for number, line in enumerate(lines) if number % 7 != 4 or number < 15]
    data.write_text("\n".join([*unhappy, "9,1 2 3,Training"]) + "\n")
    out = tmp_path / "out"
    result = run(data, "--to", "happy", "--balance", "--layout", "fer-csv", "-o", out)
    assert result.exit_code == 1, result.output  # the bad row
    found = rows(out)
    assert [row["reason"] for row in found if row["status"] == "failed"]
    usages = {line.rpartition(",")[2] for line in (out / "fer2013.csv").read_text().split()[1:]}
    assert {usage for usage in usages if usage.isalpha()} == {"Training"}
    counts = Counter(line[0] for line in unhappy[1:] if line.endswith("Training"))
    assert made(out) == {"happy": max(counts.values()) - counts["3"]}


def test_a_dry_run_lists_what_would_be_made(run: Run, train: Path, tmp_path: Path) -> None:
    words = (train, "--to", "all", "--balance", "-o", tmp_path / "out")
    listed = run(*words, "--dry-run")
    assert listed.exit_code == 0, listed.output
    run(*words)
    would = {line.split("\t")[1] for line in listed.stdout.splitlines()}
    assert would == {str(tmp_path / "out" / row["output"]) for row in rows(tmp_path / "out")}
    assert "62 results" in listed.stderr


def test_a_run_without_balance_is_refused_where_one_had_it(
    run: Run, train: Path, tmp_path: Path
) -> None:
    run(train, "--to", "sad", "--balance", "-o", tmp_path / "out")
    other = run(train, "--to", "sad", "-o", tmp_path / "out")
    assert other.exit_code == 2
    assert "another --balance" in other.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--per-class", "3"), "--balance and --per-class: name one of them"),
        (("--to", "happy"), "no expression of --to has fewer inputs than the largest class"),
        (
            ("--to", "fear", "--samples", "10"),  # fear lacks 9
            "no expression of --to lacks 10 inputs, and each input gives 10 results",
        ),
    ],
)
def test_options_and_inputs_that_balance_cannot_have_are_refused(
    run: Run, train: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    to = () if "--to" in words else ("--to", "all")
    result = run(train, *to, "--balance", "-o", tmp_path / "out", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out" / "run.json").exists()


def test_without_labels_there_is_nothing_to_count(run: Run, train: Path, tmp_path: Path) -> None:
    flat = shutil.copytree(train / "sad", tmp_path / "flat")
    result = run(flat, "--to", "all", "--balance", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "no input's folder names an expression" in result.stderr


def test_standard_input_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("-", "--to", "all", "--balance", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "- can be read only once" in result.stderr
