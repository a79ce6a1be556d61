"""A folder that holds the inputs and OUT is moved or copied; a call in it goes on."""

import shutil
from pathlib import Path

import pytest

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
