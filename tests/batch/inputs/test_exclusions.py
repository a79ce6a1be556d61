"""What a run writes is no input of it when the same is called again, and takes no input's place."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cctranslate.batch.outputs import folder
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
    before, told = tree(inside / "translated"), rows(inside / "translated")
    assert (inside / "translated-sheet.png").exists()
    again = run(*words(), *more)
    assert again.exit_code == 0, again.output
    assert rows(inside / "translated") == told
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
    place = faces / "precious.csv"
    place.write_text(f"{faces}/sad/4.png\n")
    words = {"file": (place,), "folder": (faces,), "list": ("-T", place)}[form]
    result = run(*words, "--to", "happy", "-o", tmp_path / "out", option, place)
    assert result.exit_code == 2, result.output
    assert f"name another {option}" in result.stderr
    assert place.read_text() == f"{faces}/sad/4.png\n"
    assert not (tmp_path / "out").exists()


def test_the_sheets_own_place_is_no_exception(run: Run, inside: Path) -> None:
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
    claim = folder.claim

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
