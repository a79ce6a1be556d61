"""Only what a run of ours wrote is ever replaced or removed."""

from pathlib import Path

import pytest
from PIL import Image

from cctranslate.batch.outputs.ownership import is_ours
from tests.support.cli import Run
from tests.support.reports import rows


@pytest.mark.parametrize("layout", ["imagefolder", "tree"])
@pytest.mark.parametrize("mark", [(), ("--no-mark",)])
def test_overwrite_keeps_what_no_run_wrote(
    run: Run, faces: Path, tmp_path: Path, layout: str, mark: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    words = (faces, "--layout", layout, "-o", out, *mark)
    run(*words, "--to", "happy,sad")
    Image.new("L", (48, 48)).save(out / "sad" / "mine.png")
    (out / "sad" / "notes.txt").write_text("mine")
    assert run(*words, "--to", "happy", "--overwrite").exit_code == 0
    left = sorted(path.name for path in (out / "sad").rglob("*"))
    assert left == ["mine.png", "notes.txt"]
    assert {row["target"] for row in rows(out)} == {"happy"}


def test_a_result_takes_no_file_of_the_users(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out)
    name = next((out / "happy").iterdir()).name
    (out / "sad").mkdir()
    mine = out / "sad" / name
    Image.new("L", (8, 8)).save(mine)
    before = mine.read_bytes()
    result = run(faces, "--to", "sad", "-o", out)
    assert result.exit_code == 1
    assert mine.read_bytes() == before
    (failed,) = [row for row in rows(out) if row["status"] == "failed"]
    assert "no run wrote it" in failed["reason"]


@pytest.mark.parametrize("name", ["keep.png", "keep.csv", "keep.jsonl", "keep.parquet"])
def test_a_copy_takes_no_file_of_the_users(
    run: Run, faces: Path, tmp_path: Path, name: str
) -> None:
    path, out = tmp_path / name, tmp_path / "out"
    option = "--sheet" if name.endswith("png") else "--report"
    words = (faces, "--to", "happy", "-o", out, option, path)
    assert run(*words).exit_code == 0
    assert is_ours(path)
    assert run(*words).exit_code == 0, "what a run wrote it may write again"
    assert run(*words[:3], "-o", tmp_path / "other", option, path).exit_code == 0
    path.write_bytes(b"mine")
    result = run(*words[:3], "-o", tmp_path / "third", option, path)
    assert result.exit_code == 2
    assert "no run wrote it" in result.stderr
    assert path.read_bytes() == b"mine"


def test_the_default_sheet_takes_no_picture_of_the_users(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "out-sheet.png"
    Image.new("L", (8, 8)).save(mine)
    before = mine.read_bytes()
    result = run(faces, "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "--sheet" in result.stderr
    assert mine.read_bytes() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["happy.png", "happy.jpg", "HAPPY.JPEG", "happy.webp"])
def test_one_picture_becomes_the_file_that_is_named(
    run: Run, faces: Path, tmp_path: Path, name: str
) -> None:
    source, path = next(iter(sorted(faces.rglob("*.png")))), tmp_path / name
    for _ in range(2):
        result = run(source, "--to", "happy", "-o", path)
        assert result.exit_code == 0, result.output
    with Image.open(path) as picture:
        assert picture.size == (48, 48)
    assert is_ours(path)
    assert f"result in {path}" in result.stderr
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [name]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "happy,sad"), "name one picture and expression"),
        (("--to", "happy", "--layout", "tree"), "leave out --layout"),
        (("--to", "happy", "--format", "webp"), "name one format"),
    ],
)
def test_a_file_is_for_one_result(
    run: Run, faces: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    source = next(iter(sorted(faces.rglob("*.png"))))
    result = run(source, *words, "-o", tmp_path / "happy.png")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "happy.png").exists()


def test_a_picture_of_the_users_is_no_output(run: Run, faces: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.png"
    Image.new("L", (8, 8)).save(mine)
    before = mine.read_bytes()
    source = next(iter(sorted(faces.rglob("*.png"))))
    result = run(source, "--to", "happy", "-o", mine)
    assert result.exit_code == 2
    assert mine.read_bytes() == before


def test_no_sheet_is_written_where_none_is_wanted(run: Run, faces: Path, tmp_path: Path) -> None:
    assert run(faces, "--to", "happy", "-o", tmp_path / "out", "--no-sheet").exit_code == 0
    assert not (tmp_path / "out-sheet.png").exists()


def test_a_sheet_takes_the_place_of_none_that_was_left_out(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "out-sheet.png"
    assert run(faces, "--to", "happy", "-o", tmp_path / "out", "--no-sheet").exit_code == 0
    mine.write_bytes(b"mine")
    assert run(faces, "--to", "happy", "-o", tmp_path / "out").exit_code == 2
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset", "fer-csv"])
def test_a_run_that_lost_its_run_json_can_be_started_anew(
    run: Run, faces: Path, tmp_path: Path, layout: str
) -> None:
    out = tmp_path / "out"
    words = (faces, "--to", "happy", "--layout", layout, "-o", out)
    run(*words)
    (out / "run.json").unlink()
    mine = out / "sad" / "mine.png"
    mine.parent.mkdir()
    Image.new("L", (48, 48)).save(mine)
    for more in ((), ("--dry-run",)):
        lost = run(*words, *more)
        assert lost.exit_code == 2
        message = "holds a run without its run.json, which has the options: name another --out, or"
        assert f"{out} {message} start anew with --overwrite" in lost.stderr
    anew = run(*words, "--overwrite")
    if layout == "fer-csv":  # a table has no mark
        assert anew.exit_code == 2
        assert f"{out / 'fer2013.csv'} is there, and no run wrote it: move it away" in anew.stderr
        (out / "fer2013.csv").unlink()
        anew = run(*words, "--overwrite")
    assert anew.exit_code == 0, anew.output
    assert mine.exists()
    assert len(rows(out)) == 7


def test_a_copy_of_a_report_makes_no_file_a_result(run: Run, faces: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "happy").mkdir(parents=True)
    names = [f"{path.parent.name}__{path.name}" for path in faces.rglob("*.png")]
    for name in names:
        Image.new("L", (48, 48)).save(data / "happy" / name)
    copy = data / "report.csv"
    run(faces, "--to", "happy", "-o", tmp_path / "out", "--report", copy)
    assert {row["output"] for row in rows(data)} == {f"happy/{name}" for name in names}
    run(faces, "--to", "sad", "-o", data, "--overwrite")
    assert sorted(path.name for path in (data / "happy").iterdir()) == sorted(names)


@pytest.mark.parametrize("name", ["fer2013.csv", "report.jsonl", "report.parquet", "000000.tar"])
def test_overwrite_takes_no_file_of_another_layouts_name(
    run: Run, faces: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out)
    (out / name).write_text("emotion,pixels\n0,1 2 3\n")
    layout = "webdataset" if name.endswith("tar") else "fer-csv"
    result = run(faces, "--to", "happy", "--layout", layout, "-o", out, "--overwrite")
    assert (result.exit_code == 0) == (name != "fer2013.csv"), result.output
    assert (out / name).read_text().startswith("emotion,pixels\n0,")
    if name == "fer2013.csv":
        assert "no run wrote it: move it away" in result.stderr
        assert len(rows(out)) == 7, "the run that was there is as it was"


def test_overwrite_takes_unconfirmed_results_from_where_they_were(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out, first, second = tmp_path / "out", tmp_path / "first", tmp_path / "second"
    words = (faces, "--to", "happy", "--min-confidence", "1", "-o", out, "--no-mark")
    run(*words, "--unconfirmed-to", first)
    (first / "notes.txt").write_text("mine")
    assert run(*words, "--unconfirmed-to", second, "--overwrite").exit_code == 0
    assert [path.name for path in first.iterdir()] == ["notes.txt"]
    assert len(list((second / "happy").iterdir())) == 7
    assert run(*words, "--overwrite").exit_code == 0
    assert not list(second.iterdir())
    assert run(*words, "--unconfirmed-to", second, "--overwrite").exit_code == 0


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_folder_of_the_users_takes_no_unconfirmed_results(
    run: Run, faces: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    result = run(faces, "--to", "happy", "-o", out, "--unconfirmed-to", mine, *more)
    assert result.exit_code == 2
    assert "name another --unconfirmed-to" in result.stderr
    assert not out.exists()
