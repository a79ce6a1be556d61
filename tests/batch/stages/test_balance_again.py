"""`--balance` on datasets that grew, that have parts for tests, or whose inputs failed before."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from cctranslate.emotions import EMOTIONS
from tests.batch.stages.classes import MISSING, grow, made, totals, write_class
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows


@pytest.mark.parametrize("layout", ["imagefolder", "fer-csv"])
def test_more_inputs_of_a_dataset_fill_what_is_missing_then(
    run: Run, train: Path, tmp_path: Path, layout: str
) -> None:
    out = tmp_path / "out"
    words = (train, "--to", "all", "--balance", "--layout", layout, "-o", out)
    run(*words)
    before = {row["output"] for row in rows(out)}
    grow(train, "happy", range(12, 18))
    grow(train, "sad", range(7, 10))
    listed = run(*words, "--dry-run")
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "class: 6 angry, 6 disgust, 6 fear, 3 sad, 6 surprise, 6 neutral" in result.stderr
    assert totals(train, out) == dict.fromkeys(EMOTIONS, 18)
    if layout == "imagefolder":
        assert before <= {row["output"] for row in rows(out)}
    assert len(listed.stdout.splitlines()) == sum(made(out).values())
    again = run(*words)
    assert "largest class: none" in again.stderr
    assert totals(train, out) == dict.fromkeys(EMOTIONS, 18)


def test_a_class_that_grew_by_itself_gets_no_more(run: Run, train: Path, tmp_path: Path) -> None:
    words = (train, "--to", "all", "--balance", "-o", tmp_path / "out")
    run(*words)
    grow(train, "sad", range(7, 14))  # which is the largest class now, with 5 results besides
    assert run(*words).exit_code == 0
    found = totals(train, tmp_path / "out")
    assert found == dict.fromkeys(EMOTIONS, 14) | {"sad": 19}


def test_inputs_that_are_named_by_themselves_are_balanced_too(
    run: Run, train: Path, tmp_path: Path
) -> None:
    more, out = tmp_path / "more", tmp_path / "out"
    run(train, "--to", "all", "--balance", "-o", out)
    write_class(more, "fear", 9)
    write_class(more, "happy", 4)
    assert run(more, "--to", "all", "--balance", "-o", out).exit_code == 0
    both = totals(train, out) + Counter(path.parent.name for path in more.rglob("*.png"))
    assert both == dict.fromkeys(EMOTIONS, 12 + 9)


def test_shards_of_a_dataset_that_grew_fill_it_together(
    run: Run, train: Path, tmp_path: Path
) -> None:
    for size in (12, 18):
        grow(train, "happy", range(12, size))
        total: Counter[str] = Counter()
        for shard in ("1/2", "2/2"):
            out = tmp_path / shard[0]
            run(train, "--to", "all", "--balance", "--shard", shard, "-o", out)
            total += made(out)
        labels = Counter(path.parent.name for path in train.rglob("*.png"))
        # A shard does not see the results of the other: it may have made more than its part.
        assert all(size <= (total + labels)[emotion] <= size + 6 for emotion in EMOTIONS)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_folders_for_validation_and_tests_are_left_out(
    run: Run, train: Path, tmp_path: Path, packed: bool
) -> None:
    write_class(tmp_path / "data" / "Test", "happy", 20)
    write_class(tmp_path / "data" / "val", "sad", 15)
    data = shutil.copytree(train, tmp_path / "data" / "train").parent
    if packed:
        data = Path(shutil.make_archive(str(data), "tar", tmp_path, "data"))
    out = tmp_path / "out"
    result = run(data, "--to", "all", "--balance", "-o", out)
    assert result.exit_code == 0, result.output
    assert "35 inputs for validation or tests left out" in result.stderr
    assert made(out) == MISSING
    assert {Path(row["source"]).parent.parent.name for row in rows(out)} == {"train"}


def test_only_faces_for_tests_are_refused(run: Run, tmp_path: Path) -> None:
    write_class(tmp_path / "test", "happy", 2)
    result = run(tmp_path / "test", "--to", "all", "--balance", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "(left out, for validation or tests: 2)" in result.stderr


def test_the_next_call_takes_others_for_inputs_without_a_result(
    run: Run, train: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for number in range(4):
        (train / "happy" / f"broken{number}.png").write_bytes(b"broken")
    words = (train, "--to", "all", "--balance", "-o", out)
    assert run(*words).exit_code == 1
    first = totals(train, out)
    assert min(first.values()) < 16 == max(first.values())
    while "largest class: none" not in run(*words).stderr:
        pass
    assert totals(train, out) == dict.fromkeys(EMOTIONS, 16)


def test_a_class_stays_short_where_no_other_faces_are_left(run: Run, tmp_path: Path) -> None:
    write_class(tmp_path / "train", "happy", 4)
    for number in range(4):
        (tmp_path / "train" / "happy" / f"broken{number}.png").write_bytes(b"broken")
    words = (tmp_path / "train", "--to", "sad", "--balance", "-o", tmp_path / "out")
    while "largest class: none" not in (result := run(*words)).stderr:
        assert result.exit_code == 1
    assert result.exit_code == 1
    assert "no faces are left to make these of, as inputs failed or were skipped: 4 sad" in (
        result.stderr
    )
    assert made(tmp_path / "out") == {"sad": 4}
    for path in (tmp_path / "train" / "happy").glob("broken*"):
        Image.fromarray(pictures.draw_face(0, 9)).save(path)
    result = run(*words, "--retry-failed")
    assert result.exit_code == 0
    assert "no faces are left" not in result.stderr
    assert made(tmp_path / "out") == {"sad": 8}
