"""A changed source and a missing result are made again, in each layout."""

import shutil
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from cctranslate.batch.outputs import webdataset
from tests.batch.report.replacing import change, results
from tests.support.cli import Run
from tests.support.pictures import draw_face
from tests.support.reports import rows, timeless, tree

LAYOUTS = ("imagefolder", "tree", "webdataset", "fer-csv")
EACH = pytest.mark.parametrize("layout", LAYOUTS)
NAMES = ("changed", "missing", "same", "zero")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four faces."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        Image.fromarray(draw_face(number, 0)).save(folder / f"{name}.png")
    return folder


def assert_as_anew(run: Run, folder: Path, layout: str, targets: str = "happy,sad") -> None:
    """Compare OUT with the results of a run that never knew anything else."""
    anew = folder.parent / "anew"
    shutil.rmtree(anew, ignore_errors=True)
    assert run(folder, "--to", targets, "--layout", layout, "-o", anew).exit_code == 0
    assert results(folder.parent / "out") == results(anew)
    if layout in LAYOUTS[:2]:
        assert timeless(folder.parent / "out") == timeless(anew)
        assert tree(folder.parent / "out") == tree(anew)


@EACH
def test_a_changed_source_is_done_again(run: Run, folder: Path, layout: str) -> None:
    words = (folder, "--to", "happy,sad", "--layout", layout, "-o", folder.parent / "out")
    assert run(*words).exit_code == 0
    for level, name in ((6, "changed"), (5, "changed"), (4, "zero")):
        change(folder, name, level)
        result = run(*words)
        assert result.exit_code == 0, result.output
        assert_as_anew(run, folder, layout)
    before = tree(folder.parent / "out")
    assert run(*words).exit_code == 0
    assert tree(folder.parent / "out") == before


@EACH
def test_all_may_change(run: Run, folder: Path, layout: str) -> None:
    words = (folder, "--to", "happy,sad", "--layout", layout, "-o", folder.parent / "out")
    run(*words)
    for number, name in enumerate(NAMES):
        change(folder, name, 6 - number)
    assert run(*words).exit_code == 0
    assert_as_anew(run, folder, layout)


@EACH
def test_a_source_that_changed_to_nothing_keeps_its_results(
    run: Run, folder: Path, layout: str
) -> None:
    out = folder.parent / "out"
    words = (folder, "--to", "happy", "--layout", layout, "-o", out)
    run(*words)
    (folder / "changed.png").write_bytes(b"broken")
    assert run(*words).exit_code == 1
    assert [row["status"] for row in rows(out)] == ["done", "failed", "done", "done", "done"]
    change(folder, "changed")
    assert run(*words, "--retry-failed").exit_code == 0
    assert_as_anew(run, folder, layout, "happy")


@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_a_missing_result_whose_source_fails_has_no_row(
    run: Run, folder: Path, layout: str
) -> None:
    out = folder.parent / "out"
    words = (folder, "--to", "happy", "--layout", layout, "-o", out)
    assert run(*words).exit_code == 0
    (gone,) = [row["output"] for row in rows(out) if row["source"].endswith("missing.png")]
    (out / gone).unlink()
    (folder / "missing.png").write_bytes((folder / "missing.png").read_bytes()[:100])
    assert run(*words).exit_code == 1
    assert [row["status"] for row in rows(out) if row["source"].endswith("missing.png")] == [
        "failed"
    ]
    change(folder, "missing")
    assert run(*words, "--retry-failed").exit_code == 0
    assert set(results(out)) == {(f"{name}.png", "happy") for name in NAMES}


@EACH
def test_a_quota_is_of_results_as_they_are(run: Run, folder: Path, layout: str) -> None:
    out = folder.parent / "out"
    words = (folder, "--to", "happy", "--layout", layout, "--per-class", "2", "-o", out)
    run(*words)
    change(folder, "changed")
    assert run(*words).exit_code == 0
    written = [Path(row["source"]).stem for row in rows(out) if row["disposition"] == "written"]
    assert sorted(written) == ["changed", "missing"]


@pytest.mark.parametrize("emptied", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_a_missing_file_is_made_again(run: Run, folder: Path, layout: str, emptied: bool) -> None:
    out = folder.parent / "out"
    words = (folder, "--to", "happy,sad", "--layout", layout, "-o", out)
    run(*words)
    untouched = (out / "happy" / "same.png").stat().st_mtime_ns
    if emptied:  # as after a failure of the power
        (out / "happy" / "missing.png").write_bytes(b"")
    else:
        (out / "happy" / "missing.png").unlink()
    assert run(*words).exit_code == 0
    assert (out / "happy" / "same.png").stat().st_mtime_ns == untouched
    assert_as_anew(run, folder, layout)


def drop_member(path: Path, name: str) -> None:
    """Write a tar without one of its members."""
    with tarfile.open(path) as old, tarfile.open(path.with_suffix(".new"), "w") as new:
        for info in old:
            if info.name != name:
                new.addfile(info, old.extractfile(info))
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize(
    ("damage", "full"),
    [
        ("gone", 10),
        ("gone", 1 << 28),
        ("empty", 12_000),
        ("cut", 12_000),
        ("cut", 1 << 28),
        ("header", 12_000),
        ("header", 1 << 28),
        ("member", 10),
        ("member", 1 << 28),
        ("no end", 1 << 28),
    ],
)
def test_what_a_tar_lost_is_made_again(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, damage: str, full: int
) -> None:
    monkeypatch.setattr(webdataset, "FULL", full)
    out = folder.parent / "out"
    words = (folder, "--to", "happy,sad", "--layout", "webdataset", "-o", out)
    run(*words)
    path = out / "000000.tar"
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "member":
        drop_member(path, "happy/changed.png")
    elif damage == "header":
        path.write_bytes(content[:2048] + b"?" * 512 + content[2560:])
    else:
        path.write_bytes({"empty": b"", "cut": content[:3000], "no end": content[:-1024]}[damage])
    if damage in ("header", "member"):
        monkeypatch.setattr(webdataset, "FULL", 1 << 28)  # full tars are not read
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert_as_anew(run, folder, "webdataset")


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "line"])
def test_what_a_table_lost_is_made_again(run: Run, folder: Path, damage: str) -> None:
    out = folder.parent / "out"
    words = (folder, "--layout", "fer-csv", "-o", out)
    for target in ("happy", "sad"):
        run(*words, "--to", target)
    path = out / "fer2013.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "gone":
        path.unlink()
    else:
        kept = {"empty": [], "cut": [*lines[:6], lines[6][:50]], "line": lines[:2] + lines[3:]}
        path.write_bytes(b"".join(kept[damage]))
    result = run(*words, "--to", "happy,sad")
    assert result.exit_code == 0, result.output
    assert_as_anew(run, folder, "fer-csv")


def test_a_table_of_somebody_else_is_left(run: Run, folder: Path) -> None:
    out = folder.parent / "out"
    words = (folder, "--layout", "fer-csv", "--to", "happy", "-o", out)
    run(*words)
    (out / "fer2013.csv").write_text("emotion,pixels,Usage\n0,1 2 3,Training\n")
    result = run(*words)
    assert result.exit_code == 1
    assert "fer2013.csv: holds no result that the report names: move it away" in result.stderr
    assert (out / "fer2013.csv").read_text().endswith("0,1 2 3,Training\n")


def test_tars_of_somebody_else_are_left(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webdataset, "FULL", 10)
    out = folder.parent / "out"
    words = (folder, "--layout", "webdataset", "--to", "happy,sad", "-o", out)
    run(*words, "--limit", "1")
    with tarfile.open(out / "000002.tar", "w") as archive:
        archive.add(folder / "same.png", "mine.png")
    mine = (out / "000002.tar").read_bytes()
    assert run(*words).exit_code == 0
    assert (out / "000002.tar").read_bytes() == mine
    assert sorted(path.name for path in out.glob("*.tar")) == [
        f"{number:06}.tar" for number in range(5)
    ]
