"""A folder that holds the inputs and OUT is moved or copied; a call in it goes on."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree

LAYOUTS = ("imagefolder", "tree", "webdataset", "fer-csv")


@pytest.fixture
def project(faces: Path, tmp_path: Path) -> Path:
    """Return a folder with the inputs in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copytree(faces, folder / "faces")
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("copied", [False, True], ids=["moved", "copied"])
def test_a_moved_or_copied_project_goes_on(
    run: Run,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: str,
    copied: bool,
) -> None:
    words = ("faces", "--layout", layout, "-o", "out", "--to")
    monkeypatch.chdir(project)
    assert run(*words, "happy").exit_code == 0
    before, results = rows(project / "out"), tree(project / "out")
    new = tmp_path / "elsewhere" / "new"
    new.parent.mkdir()
    if copied:
        shutil.copytree(project, new)
    else:
        project.rename(new)
    monkeypatch.chdir(new)
    dry = run(*words, "happy", "--dry-run")
    assert f"{len(before)} results, {len(before)} of them there already" in dry.output
    again = run(*words, "happy")
    assert "0 new results" in again.output, again.output
    assert rows(new / "out") == before
    assert tree(new / "out").keys() == results.keys()
    monkeypatch.chdir(tmp_path)  # the same inputs, called from elsewhere
    more = run(new / "faces", "--layout", layout, "-o", new / "out", "--to", "happy,sad")
    assert more.exit_code == 0, more.output
    assert {row["source"] for row in rows(new / "out")} == {row["source"] for row in before}
    assert len(rows(new / "out")) == 2 * len(before)


def test_an_out_that_is_moved_alone_goes_on(
    run: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert run("faces", "--to", "happy", "-o", "out").exit_code == 0
    before = rows(project / "out")
    new = tmp_path / "elsewhere" / "out"
    new.parent.mkdir()
    (project / "out").rename(new)
    again = run("faces", "--to", "happy", "-o", new)
    assert "0 new results" in again.output, again.output
    assert rows(new) == before


@pytest.mark.parametrize("layout", ["imagefolder", "fer-csv"])
def test_a_moved_project_goes_on_with_absolute_inputs(
    run: Run, project: Path, tmp_path: Path, layout: str
) -> None:
    with zipfile.ZipFile(project / "more.zip", "w") as archive:
        archive.write(project / "faces" / "sad" / "4.png", "inner/c.png")
    if os.name == "posix":  # this name looks like that of a member of an archive
        (project / "faces" / "happy" / "3.png").rename(project / "faces" / "happy" / "10:30.png")
    options = ("--layout", layout, "--to")

    def call(folder: Path, targets: str) -> str:
        inputs = (folder / "faces", folder / "more.zip")
        result = run(*inputs, "-o", folder / "out", *options, targets)
        assert result.exit_code == 0, result.output
        return result.output

    call(project, "happy")
    before = rows(project / "out")
    new = tmp_path / "elsewhere" / "new"
    new.parent.mkdir()
    project.rename(new)
    assert "0 new results" in call(new, "happy")
    after = rows(new / "out")
    assert [row["source"].replace(str(new), "") for row in after] == [
        row["source"].replace(str(project), "") for row in before
    ]
    assert [row["output"] for row in after] == [row["output"] for row in before]
    new.rename(project)  # and back
    assert f"{len(before)} new results" in call(project, "happy,sad")
    assert len(rows(project / "out")) == 2 * len(before)


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_a_moved_project_goes_on_with_inputs_through_a_link(
    run: Run, project: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert run(link / "project" / "faces", "--to", "happy", "-o", project / "out").exit_code == 0
    before = rows(project / "out")
    new = tmp_path / "elsewhere" / "project"
    new.parent.mkdir()
    project.rename(new)
    again = run(link / "elsewhere" / "project" / "faces", "--to", "happy", "-o", new / "out")
    assert "0 new results" in again.output, again.output
    assert len(rows(new / "out")) == len(before)


def test_a_renamed_project_goes_on_when_called_from_beside_it(
    run: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("project/faces", "--to", "happy", "-o", "project/out").exit_code == 0
    before = rows(project / "out")
    project.rename(tmp_path / "renamed")
    again = run("renamed/faces", "--to", "happy", "-o", "renamed/out")
    assert "0 new results" in again.output, again.output
    after = rows(tmp_path / "renamed" / "out")
    assert [row["source"] for row in after] == [
        row["source"].replace("project/", "renamed/") for row in before
    ]


def test_a_dry_run_knows_inputs_that_were_moved(run: Run, project: Path, tmp_path: Path) -> None:
    def balanced(folder: Path, *more: str) -> str:
        words = ("--to", "sad", "--balance", "-o", folder / "out", *more)
        return run(folder / "faces", *words).stdout.replace(str(folder), "")

    for number in range(4):  # a class of five faces, of which three are no pictures
        face = Image.fromarray(pictures.draw_face(3, number + 5))
        face.save(project / "faces" / "happy" / f"{number}x.png")
        if number < 3:
            (project / "faces" / "happy" / f"{number}x.png").write_bytes(b"broken")
    balanced(project)
    before = balanced(project, "--dry-run")
    assert 0 < before.count("(there already)") < before.count("\n")
    project.rename(tmp_path / "new")
    assert balanced(tmp_path / "new", "--dry-run") == before


@pytest.mark.parametrize("copied", [False, True], ids=["moved", "copied"])
def test_unconfirmed_results_go_with_the_project(
    run: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: bool
) -> None:
    words = ("faces", "--to", "happy,neutral", "--unconfirmed-to", "aside", "-o", "out")
    # The judge takes it for neutral, whatever is done to it.
    Image.new("L", (48, 48), 255).save(project / "faces" / "bright.png")
    monkeypatch.chdir(project)
    assert run(*words).exit_code == 0
    before = rows(project / "out")
    assert {row["disposition"] for row in before} == {"written", "set_aside"}
    new = tmp_path / "elsewhere"
    if copied:
        shutil.copytree(project, new)
    else:
        project.rename(new)
    monkeypatch.chdir(new)
    again = run(*words)
    assert "0 new results" in again.output, again.output
    assert rows(new / "out") == before
    assert run("faces", "--to", "sad", "-o", "out", "--overwrite").exit_code == 0
    assert not list((new / "aside").rglob("*.png"))
    assert copied == any((project / "aside").rglob("*.png"))


def test_a_run_of_an_earlier_version_goes_on_where_it_was_moved(
    run: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("faces", "--to", "all", "--unconfirmed-to", "aside", "-o", "out")
    monkeypatch.chdir(project)
    assert run(*words).exit_code == 0
    content = json.loads(Path("out", "run.json").read_text())
    content["asked"]["--unconfirmed-to"] = str(project / "aside")  # with whole paths
    Path("out", "run.json").write_text(json.dumps(content))
    Path("aside", ".run-of").write_text(str(project / "out"))
    new = tmp_path / "elsewhere"
    project.rename(new)
    monkeypatch.chdir(new)
    again = run(*words)
    assert "0 new results" in again.output, again.output


def test_inputs_that_stay_keep_their_names(run: Run, project: Path, tmp_path: Path) -> None:
    """A copy of a project: its absolute paths still lead to inputs."""
    assert run(project / "faces", "--to", "happy", "-o", project / "out").exit_code == 0
    before = rows(project / "out")
    new = tmp_path / "new"
    shutil.copytree(project, new)
    again = run(project / "faces", "--to", "happy", "-o", new / "out")
    assert "0 new results" in again.output, again.output
    assert rows(new / "out") == before
