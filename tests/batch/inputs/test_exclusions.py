"""What a run writes is no input of it when the same is called again, and takes no input's place."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cctranslate.batch.outputs.earlier import claiming
from tests.support.cli import Run
from tests.support.reports import rows, tree


@pytest.fixture
def inside(faces: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of faces, with the call made from in there: results lie between its inputs."""
    monkeypatch.chdir(faces)
    return faces


def listed(folder: Path) -> Path:
    place = folder.parent / "list"
    pictures = sorted(folder.rglob("*.png"))
    place.write_text("".join(f"./{path.relative_to(folder)}\n" for path in pictures))
    return place


@pytest.mark.parametrize("form", ["pattern", "shell", "list", "folder"])
def test_called_again_it_finds_the_same(run: Run, inside: Path, form: str) -> None:
    for path in sorted(inside.rglob("*.png")):
        shutil.copy(path, inside / f"{path.stem}.png")

    def words() -> tuple[str | Path, ...]:
        shell = sorted(path.name for path in inside.glob("*.png"))
        return {
            "pattern": ("**/*.png",),
            "shell": (*shell,),
            "list": ("-T", listed(inside)),
            "folder": (".",),
        }[form]

    more = ("--to", "happy", "--report", "copy.csv")
    assert run(*words(), *more).exit_code == 0
    before, found = tree(inside / "translated"), rows(inside / "translated")
    assert (inside / "translated-sheet.png").exists()
    again = run(*words(), *more)
    assert again.exit_code == 0, again.output
    assert rows(inside / "translated") == found
    assert tree(inside / "translated") == before


def test_a_pattern_names_folders_as_a_shell_does(run: Run, faces: Path, tmp_path: Path) -> None:
    calls = {"pattern": (f"{faces}/s*",), "shell": (f"{faces}/sad", f"{faces}/surprise")}
    for out, words in calls.items():
        assert run(*words, "--to", "happy", "-o", tmp_path / out).exit_code == 0
    sources = [row["source"] for row in rows(tmp_path / "pattern")]
    assert sources == [str(faces / "sad/4.png"), str(faces / "surprise/5.png")]
    assert tree(tmp_path / "pattern") == tree(tmp_path / "shell")


@pytest.mark.parametrize("option", ["--report", "--sheet"])
@pytest.mark.parametrize("form", ["file", "folder", "list"])
def test_no_input_is_written_over(
    run: Run, faces: Path, tmp_path: Path, option: str, form: str
) -> None:
    place = faces / ("precious.png" if option == "--sheet" else "precious.csv")
    place.write_text(f"{faces}/sad/4.png\n")
    words = {"file": (place,), "folder": (faces,), "list": ("-T", place)}[form]
    result = run(*words, "--to", "happy", "-o", tmp_path / "out", option, place)
    assert result.exit_code == 2, result.output
    assert f"name another {option}" in result.stderr
    assert place.read_text() == f"{faces}/sad/4.png\n"
    assert not (tmp_path / "out").exists()


def test_a_picture_in_the_place_of_the_contact_sheet_is_not_replaced(
    run: Run, inside: Path
) -> None:
    shutil.copy("sad/4.png", "translated-sheet.png")
    before = Path("translated-sheet.png").read_bytes()
    result = run("translated-sheet.png", "--to", "happy")
    assert result.exit_code == 2, result.output
    assert "name another --sheet" in result.stderr
    assert Path("translated-sheet.png").read_bytes() == before


@pytest.mark.parametrize("name", ["metadata.csv", "happy/x.csv", "fer2013.csv"])
def test_out_holds_no_table_but_the_report(
    run: Run, faces: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out, "--limit", "1")
    result = run(faces, "--to", "happy", "-o", out, "--report", out / name)
    assert result.exit_code == 2, result.output
    assert "holds nothing but results" in result.stderr
    assert run(faces, "--to", "happy", "-o", out, "--report", out / "report.jsonl").exit_code == 0
    assert run(faces, "--to", "sad", "-o", out, "--overwrite").exit_code == 0
    assert not (out / "report.jsonl").exists()


@pytest.mark.parametrize("form", ["file", "folder", "pattern"])
def test_an_input_that_goes_before_its_turn_has_a_row(
    run: Run, faces: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {"file": faces / "sad/4.png", "folder": faces / "sad", "pattern": faces / "sad/*"}[form]
    claim = claiming.claim

    def going(*asked: Any) -> None:
        shutil.rmtree(faces / "sad")
        claim(*asked)

    monkeypatch.setattr("cctranslate.batch.run.claim", going)
    result = run(faces / "happy", gone, "--to", "fear", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    done, failed = rows(tmp_path / "out")
    assert (done["status"], failed["status"]) == ("done", "failed")
    assert (failed["source"], failed["reason"]) == (
        str(gone),
        "decode: No such file or directory",
    )


def found(out: Path, folder: Path) -> list[str]:
    return [Path(row["source"]).relative_to(folder).as_posix() for row in rows(out)]


@pytest.mark.parametrize(
    "form", ["png", "jpeg", "webp", "no mark", "tree", "webdataset", "fer-csv"]
)
def test_results_of_an_earlier_run_are_no_inputs(
    run: Run, inside: Path, tmp_path: Path, form: str
) -> None:
    words = {"no mark": ("--no-mark",), "png": ()}.get(form, ("--layout", form))
    if form in ("jpeg", "webp"):
        words = ("--format", form)
    assert run(".", "--to", "happy", *words, "--report", "copy.csv").exit_code == 0
    result = run(".", "--to", "sad", "-o", tmp_path / "second")
    assert result.exit_code == 0, result.output
    assert len(rows(tmp_path / "second")) == len(rows(inside / "translated")) == 7
    assert "left out: results of earlier runs" in result.stderr


@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_a_result_is_known_by_its_mark_where_it_was_moved(
    run: Run, faces: Path, tmp_path: Path, form: str
) -> None:
    turned = Image.Exif()
    turned[0x010F] = "Maker" * 3000
    Image.new("L", (60, 60)).save(faces / "sad" / "exif.jpg", exif=turned)
    words = ("--to", "happy", "--format", form, "--metadata", "keep", "--faces", "whole")
    run(faces, *words, "-o", tmp_path / "out")
    (tmp_path / "moved").mkdir()
    for path in sorted((tmp_path / "out" / "happy").iterdir()):
        path.rename(tmp_path / "moved" / path.name)
    Image.new("L", (48, 48)).save(tmp_path / "moved" / "other.png")
    run(tmp_path / "moved", "--to", "sad", "-o", tmp_path / "second")
    assert found(tmp_path / "second", tmp_path / "moved") == ["other.png"]


def test_a_result_that_is_named_is_an_input(run: Run, faces: Path, tmp_path: Path) -> None:
    run(faces / "sad", "--to", "happy", "-o", tmp_path / "out")
    assert run(tmp_path / "out/happy/4.png", "--to", "sad", "-o", tmp_path / "b").exit_code == 0


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (("--include", "[34].png"), ["happy/3.png", "sad/4.png"]),
        (("--include", "sad/*", "--include", "fear/*"), ["fear/2.png", "sad/4.png"]),
        (("--exclude", "sad", "--include", "[34].*"), ["happy/3.png"]),
        (("--exclude", "*.png", "--include", "*.jpg"), []),
    ],
)
@pytest.mark.parametrize("form", ["folder", "archive"])
def test_patterns_choose_what_folders_and_archives_give(
    run: Run, faces: Path, tmp_path: Path, words: tuple[str, ...], taken: list[str], form: str
) -> None:
    source = faces
    if form == "archive":
        source = Path(shutil.make_archive(str(tmp_path / "faces"), "zip", faces))
    result = run(source, "--to", "happy", "-o", tmp_path / "out", *words)
    assert result.exit_code == (0 if taken else 3), result.output
    sources = [row["source"].removeprefix(f"{source}")[1:] for row in rows(tmp_path / "out")]
    assert sorted(sources) == taken
    assert f"{7 - len(taken)} left out: by --include and --exclude" in result.stderr
