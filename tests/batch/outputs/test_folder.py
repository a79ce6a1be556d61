"""OUT belongs to one run: what is not from it is left alone, what is from it stays."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate import Translator
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


def test_a_folder_with_other_files_is_refused(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.csv").write_text("mine")
    for words in ((), ("--overwrite",)):
        result = run(faces, "--to", "happy", "-o", out, *words)
        assert result.exit_code == 2, result.output
        assert "not from a run of batch" in result.stderr
    assert [p.name for p in out.iterdir()] == ["report.csv"]


def test_an_empty_folder_is_as_good_as_none(run: Run, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    result = run(faces, "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("content", ["{}", "[]", "", '{"asked": 1}'])
def test_a_damaged_run_json_is_one_line(
    run: Run, faces: Path, tmp_path: Path, content: str
) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out)
    (out / "run.json").write_text(content)
    result = run(faces, "--to", "happy", "-o", out)
    assert result.exit_code == 2, result.output
    assert "not what a run left" in result.stderr
    assert run(faces, "--to", "happy", "-o", out, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    "change",
    [
        {"folder": 5},
        {"folder": None},
        {"place": 5},
        *({"--to": to} for to in (5, None, "happy", ["glad"])),
    ],
)
def test_a_run_json_with_one_value_of_another_kind_is_one_line(
    run: Run, faces: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    words = (faces, "--to", "happy", "-o", tmp_path / "out")
    run(*words)
    path = tmp_path / "out" / "run.json"
    content = json.loads(path.read_text())
    (content["asked"] if "--to" in change else content).update(change)
    path.write_text(json.dumps(content))
    for more in ((), ("--dry-run",)):
        result = run(*words, *more)
        assert result.exit_code == 2, result.output
        (*_, line) = result.stderr.splitlines()
        assert line.startswith(f"Error: {path}: not what a run left")
    assert len(rows(tmp_path / "out")) == 7


def test_results_are_not_taken_for_inputs(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out)
    before = tree(out)
    for word in (out, out / "happy", f"{out}/happy/*.png"):
        result = run(word, "--to", "sad", "-o", out, "--overwrite")
        assert result.exit_code == 2, result.output
        assert "results must not be inputs" in result.stderr
    assert tree(out) == before


def test_a_picture_that_comes_later_takes_no_finished_name(run: Run, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    Image.fromarray(pictures.draw_face(3, 0)).save(folder / "x.png")
    run(folder, "--to", "happy", "-o", out)
    before = tree(out)
    Image.fromarray(pictures.draw_face(4, 0)).save(folder / "x.bmp")
    result = run(folder, "--to", "happy", "-o", out)
    assert result.exit_code == 0, result.output
    assert {name: content for name, content in tree(out).items() if name in before} == before
    assert len({row["output"] for row in rows(out)}) == 2


def test_names_after_a_failed_one_stay_the_same(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "x.bmp").write_bytes(b"broken")
    Image.fromarray(pictures.draw_face(4, 0)).save(folder / "x.png")
    run(folder, "--to", "happy", "-o", tmp_path / "whole")
    run(folder, "--to", "happy", "-o", tmp_path / "halves", "--limit", "1")
    run(folder, "--to", "happy", "-o", tmp_path / "halves")
    assert tree(tmp_path / "halves") == tree(tmp_path / "whole")


def test_an_input_that_fails_at_its_second_target_leaves_no_first(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy,sad", "-o", out, "--limit", "1")
    next((out / "sad").iterdir()).unlink()
    (out / "sad").rmdir()
    (out / "sad").write_text("in the way")
    result = run(faces, "--to", "happy,sad", "-o", out)
    assert result.exit_code == 1, result.output
    assert f"7 x write: {out / 'sad'} is there, and no run wrote it: move it away" in result.stderr
    failed = [row for row in rows(out) if row["status"] == "failed"]
    assert len(failed) == 7, "the first one's lost result cannot be made again either"
    assert failed[0]["reason"].startswith("write: ")
    assert failed[1]["source_label"] == "disgust"
    assert len(list((out / "happy").iterdir())) == 1, "an earlier result stays"


def test_what_a_kill_left_half_written_is_replaced(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out, "--limit", "1")
    left = out / "happy" / ".disgust__1.png.partial"
    left.write_bytes(b"half")
    result = run(faces, "--to", "happy", "-o", out)
    assert result.exit_code == 0, result.output
    assert not left.exists()


def test_folders_in_a_list_fail_with_their_rows(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f".\n/\n..\n{tmp_path}\n")
    result = run("-T", tmp_path / "list", "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    reasons = {row["reason"] for row in rows(tmp_path / "out")}
    assert reasons == {"decode: a folder where one picture is expected"}


@pytest.mark.skipif(sys.platform != "linux", reason="file names are UTF-8 elsewhere")
def test_a_dry_run_lists_names_as_they_are(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a run of the README's commands may lie in the current folder
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    path.write_bytes(b"")
    result = run(path, "--to", "happy", "--dry-run")
    assert result.exit_code == 0, result.output
    assert result.stdout_bytes == os.fsencode(path) + b"\ttranslated/happy/caf%E9.png\n"


def test_python_turns_a_picture_upright_as_batch_does(
    run: Run, weights: Path, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    Image.fromarray(pictures.draw_face(3, 0)).rotate(90).save(path, exif=exif)
    run(path, "--to", "sad", "-o", tmp_path / "out")
    with Image.open(path) as picture, Image.open(tmp_path / "out/sad/turned.png") as written:
        one = Translator(weights=weights, device="cpu").translate(picture, "sad")
        np.testing.assert_array_equal(np.asarray(one.image), np.asarray(written))
