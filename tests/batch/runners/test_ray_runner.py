"""A run in blocks leaves what a run on one machine leaves."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from cctranslate.batch.runners.blocks.block_translator import MOST_ATTEMPTS
from cctranslate.emotions import EMOTIONS
from tests.support import pictures
from tests.support.cli import Run
from tests.support.equality import assert_same, report, results
from tests.support.reports import rows

pytest.importorskip("ray", reason="needs the extra `ray`")

RAY = ("--runner", "ray")


@pytest.mark.parametrize("layout", ["imagefolder", "tree", "webdataset", "fer-csv"])
def test_blocks_leave_what_one_machine_leaves(
    layout: str, run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    words = (*inputs, "--to", "happy,sad", "--layout", layout)
    alone, blocks = tmp_path / "alone", tmp_path / "blocks"
    expected = run(*words, "-o", alone)
    result = run(*words, "-o", blocks, *RAY)
    assert expected.exit_code == result.exit_code == 1, result.output
    assert len(in_process.blocks) > 2
    assert_same(blocks, alone)
    assert not (blocks / ".cluster").exists()
    assert not list(blocks.rglob(".*.partial"))


def test_blocks_balance_as_one_machine_does(
    run: Run, in_process: SimpleNamespace, tmp_path: Path
) -> None:
    for label, count in ((0, 2), (3, 9), (4, 5)):
        folder = tmp_path / "train" / EMOTIONS[label]
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f"{number}.png").write_bytes(pictures.png(label, number))
    words = (tmp_path / "train", "--to", "all", "--balance")
    alone, blocks = tmp_path / "alone", tmp_path / "blocks"
    assert run(*words, "-o", alone).exit_code == 0
    for _ in range(2):  # a second call has nothing left to make
        result = run(*words, "-o", blocks, *RAY)
        assert result.exit_code == 0, result.output
    assert_same(blocks, alone)


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset", "fer-csv"])
def test_a_stopped_run_goes_on_with_its_plan(
    layout: str, run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    words = (*inputs, "--to", "happy", "--layout", layout)
    alone, blocks = tmp_path / "alone", tmp_path / "blocks"
    run(*words, "-o", alone)
    in_process.until = 2
    stopped = run(*words, "-o", blocks, *RAY)
    assert stopped.exit_code == 1  # of Click, as no signal came
    assert (blocks / ".cluster" / "plan.json").exists()
    begun = list(in_process.blocks)
    result = run(*words, "-o", blocks, *RAY)
    assert result.exit_code == 1, result.output
    assert len(in_process.blocks) == len(set(in_process.blocks)) > len(begun) == 2
    assert_same(blocks, alone)


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset", "fer-csv"])
def test_more_inputs_and_expressions_end_the_plan_and_begin_another(
    layout: str, run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    first, *others = inputs
    blocks, alone = tmp_path / "blocks", tmp_path / "alone"
    in_process.until = 1
    run(first, "--to", "happy", "--layout", layout, "-o", blocks, *RAY)
    result = run(first, *others, "--to", "happy,fear", "--layout", layout, "-o", blocks, *RAY)
    assert result.exit_code == 1, result.output
    run(first, *others, "--to", "happy,fear", "--layout", layout, "-o", alone)
    cells = ("source", "target", "status", "face", "predicted", "confidence")
    mine, theirs = (
        sorted([row[cell] for cell in cells] for row in rows(out)) for out in (blocks, alone)
    )
    assert mine == theirs
    outputs = [row["output"] for row in rows(blocks) if row["output"]]
    assert len(outputs) == len(set(outputs))
    if layout == "imagefolder":
        assert sorted(outputs) == sorted(results(blocks))


def test_names_of_earlier_calls_stay_taken(
    run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    first, *others = inputs
    alone, blocks = tmp_path / "alone", tmp_path / "blocks"
    for out, runner in ((alone, ()), (blocks, RAY)):
        run(first, "--to", "happy", "-o", out, *runner)
        result = run(first, *others, "--to", "happy", "-o", out, *runner)
        assert result.exit_code == 1, result.output
    assert_same(blocks, alone)


def test_either_runner_goes_on_after_the_other(
    run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    first, *others = inputs
    alone, mixed = tmp_path / "alone", tmp_path / "mixed"
    for layout in ("webdataset", "fer-csv"):
        for out, runners in ((alone / layout, ((), ())), (mixed / layout, (RAY, ()))):
            for words, runner in zip(((first,), (first, *others)), runners, strict=True):
                run(*words, "--to", "happy", "--layout", layout, "-o", out, *runner)
        assert report(mixed / layout) == report(alone / layout)
        assert results(mixed / layout) == results(alone / layout)


def test_one_machine_refuses_a_plan_that_is_not_finished(
    run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    words = (*inputs, "--to", "happy", "-o", tmp_path / "out")
    in_process.until = 1
    run(*words, *RAY)
    refused = run(*words)
    assert refused.exit_code == 2
    assert "--runner ray that is not finished: the same command goes on" in refused.output
    assert run(*words, "--overwrite").exit_code == 1
    assert not (tmp_path / "out" / ".cluster").exists()


def test_failed_inputs_are_done_again(
    run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(*inputs, "--to", "happy", "-o", out, *RAY)
    failed = [row["source"] for row in rows(out) if row["status"] == "failed"]
    for source in failed:
        Path(source).write_bytes((inputs[0] / "0" / "0.png").read_bytes())
    result = run(*inputs, "--to", "happy", "-o", out, *RAY, "--retry-failed")
    assert result.exit_code == 0, result.output
    done = {row["source"]: row["status"] for row in rows(out)}
    assert failed
    assert {done[source] for source in failed} == {"done"}


def test_too_many_failures_stop_the_run(
    run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    result = run(*inputs, "--to", "happy", "-o", tmp_path / "out", *RAY, "--max-failures", "0")
    assert result.exit_code == 5
    content = json.loads((tmp_path / "out" / "run.json").read_text())
    assert not content["finished"]
    assert content["failed"] > 0


def test_rows_go_to_stdout_in_the_order_of_the_inputs(
    run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = run(*inputs, "--to", "happy", "-o", out, *RAY, "--report", "-", "-q")
    printed = [json.loads(line)["source"] for line in result.stdout.splitlines()]
    assert printed == [row["source"] for row in rows(out)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--per-class", "3"], "--per-class counts results in the order of the inputs"),
        (["-o", "-"], "is for one machine: name a folder"),
        (["--processes"], "--processes needs one machine and its disk"),
        (["--device", "cuda:1"], "--device cuda:1 is of one machine"),
    ],
)
def test_what_needs_one_machine_is_refused_by_name(
    words: list[str], message: str, run: Run, faces: Path, tmp_path: Path
) -> None:
    refused = run(faces, "--to", "happy", "-o", tmp_path / "out", *RAY, *words)
    assert refused.exit_code == 2
    assert message in refused.output
    assert not (tmp_path / "out").exists()


def test_a_cluster_without_a_gpu_is_no_cpu_run(
    run: Run, faces: Path, in_process: SimpleNamespace, tmp_path: Path
) -> None:
    refused = run(faces, "--to", "happy", "-o", tmp_path / "out", *RAY, "--device", "cuda")
    assert refused.exit_code == 4
    assert "no node of the Ray cluster has a GPU" in refused.output


def test_a_block_that_kills_its_workers_does_not_do_so_for_ever(
    run: Run, inputs: list[Path], in_process: SimpleNamespace, tmp_path: Path
) -> None:
    words = (*inputs, "--to", "happy", "-o", tmp_path / "out", *RAY)
    in_process.until = 1
    run(*words)
    attempts = tmp_path / "out" / ".cluster" / "attempts" / "000000"
    attempts.mkdir()
    for number in range(MOST_ATTEMPTS):
        (attempts / str(number)).touch()
    stopped = run(*words)
    assert stopped.exit_code == 1
    assert f"its workers were killed {MOST_ATTEMPTS} times" in stopped.output
    assert len(rows(tmp_path / "out")) > 0


def test_a_list_is_read_and_one_that_is_gone_is_named(
    run: Run, faces: Path, in_process: SimpleNamespace, tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    words = ("-T", listed, "--to", "happy", "-o", tmp_path / "out", *RAY)
    missing = run(*words)
    assert missing.exit_code == 2
    assert "list.txt: cannot be read" in missing.output
    listed.write_text(f"{faces}/sad/4.png\n{faces}/happy/3.png\n")
    assert run(*words).exit_code == 0
    assert len(rows(tmp_path / "out")) == 2
