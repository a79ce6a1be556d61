"""What goes wrong is one clear line and a row, and nothing is lost."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from PIL import Image

from cctranslate import bundle
from cctranslate.pixels import to_gray
from tests.support import pictures
from tests.support.cli import Run, child, command, wait_until
from tests.support.reports import count_lines, rows, tree


def one(out: Path) -> dict[str, str]:
    (row,) = rows(out)
    return row


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.png", b"", "empty file"),
        ("text.png", b"hello", "not a picture that Pillow can read"),
        ("cut.png", "truncate", "truncated"),
        ("bomb.png", "bomb", "more than"),
        ("many.gif", "animate", "animated"),
    ],
)
def test_a_file_that_gives_no_face_has_a_row_with_the_reason(
    run: Run, tmp_path: Path, name: str, content: bytes | str, reason: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / name
    face = Image.fromarray(pictures.draw_face(0, 0))
    if content == "truncate":
        face.save(path)
        path.write_bytes(path.read_bytes()[:-900])
    elif content == "bomb":
        Image.new("1", (12_000, 12_000)).save(path)
    elif content == "animate":
        face.save(path, save_all=True, append_images=[face.rotate(90)])
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    result = run(folder, "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    row = one(tmp_path / "out")
    assert row["status"] == "failed"
    assert reason in row["reason"]
    assert "Traceback" not in result.output


def save_16_bit(path: Path, face: np.ndarray) -> None:
    Image.fromarray(face.astype(np.uint16) * 257).save(path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "LA", "1", "16 bit", "rotated"])
def test_every_kind_of_picture_is_read_for_what_it_shows(
    run: Run, tmp_path: Path, mode: str
) -> None:
    face = pictures.draw_face(3, 1)
    picture = Image.fromarray(face)
    path = tmp_path / ("face.tif" if mode == "CMYK" else "face.png")
    if mode == "16 bit":
        save_16_bit(path, face)
    elif mode == "rotated":
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.rotate(90, expand=True).save(path, exif=exif)
    elif mode == "P":
        picture.convert("P").save(path)
    else:
        picture.convert("RGB").convert(mode).save(path)
    result = run(path, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out" / "sad" / "face.png") as out:
        gap = np.abs(to_gray(out).astype(int)[8:] - face.astype(int)[8:])
    assert gap.mean() < (90 if mode == "1" else 4)


def test_transparency_is_gray_and_not_black() -> None:
    clear = Image.new("RGBA", (48, 48), (0, 0, 0, 0))
    assert set(to_gray(clear).ravel()) == {128}


def test_nothing_there_is_exit_3(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "readme.txt").write_text("hello")
    result = run(tmp_path / "in", "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 3, result.output
    assert one(tmp_path / "out")["status"] == "skipped"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--to", "happy"], "INPUT"),
        (["IN", "--to", "qwerty"], "choose from angry"),
        (["IN", "--to", "hapy"], "did you mean happy?"),
        (["IN"], "--to"),
        (["IN", "-0", "--to", "sad"], "--files-from"),
        (["IN", "--to", "sad", "--workers", "0"], "--workers"),
        (["IN", "--to", ","], "no expression named"),
        (["IN", "--to", "sad", "--device", "tpu"], "is no device"),
        (["IN", "--to", "sad", "--report", "r.xlsx"], "name a .csv, .jsonl or .parquet"),
        (["IN", "--to", "sad", "--report", "none/r.csv"], "no folder none"),
        (["IN", "--to", "sad", "--sheet", "none/s.png"], "no folder none"),
        (["IN", "--to", "sad", "-o", "out", "--sheet", "out/s.png"], "nothing but results"),
        (["nowhere", "--to", "sad", "--dry-run"], "nowhere: not found"),
    ],
)
def test_usage_errors_are_exit_2(run: Run, tmp_path: Path, words: list[str], told: str) -> None:
    result = run(*(str(tmp_path) if word == "IN" else word for word in words))
    assert result.exit_code == 2, result.output
    assert told in result.stderr


def test_a_misspelt_input_is_told_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "nowhere: not found" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_tampered_bundle_is_exit_4(weights: Path, faces: Path, tmp_path: Path) -> None:
    bad = shutil.copytree(weights, tmp_path / "bad")
    (bad / "generator.onnx").write_bytes(b"x")
    done = subprocess.run(
        command("batch", faces, "--to", "sad", "--weights", bad, "-o", tmp_path / "out"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 4
    assert b"altered since export" in done.stderr
    assert not (tmp_path / "out").exists()


def test_cuda_that_cannot_be_had_is_exit_4(weights: Path, faces: Path, tmp_path: Path) -> None:
    from cctranslate import bundle
    from cctranslate.inference.models import TranslationModels
    from cctranslate.inference.sessions import CUDA

    if TranslationModels(bundle.load(weights), "auto").provider == CUDA:
        pytest.skip("this machine has CUDA")
    done = subprocess.run(
        command(
            *("batch", faces, "--to", "sad", "--weights", weights),
            *("-o", tmp_path / "out", "--device", "cuda"),
        ),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 4
    (said,) = done.stderr.splitlines()
    assert said.startswith(b"Error: --device cuda")
    assert done.stdout == b""


def test_other_options_are_refused_by_name(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out)
    result = run(faces, "--to", "sad", "--strength", "0.5", "-o", out)
    assert result.exit_code == 2
    assert "another --strength" in result.stderr
    anew = run(faces, "--to", "sad", "-o", out, "--overwrite")
    assert anew.exit_code == 0, anew.output
    assert not (out / "happy").exists()


def test_somebody_elses_files_are_not_touched(run: Run, faces: Path, tmp_path: Path) -> None:
    mine = tmp_path / "out" / "happy" / "mine.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    for words in ((), ("--overwrite",)):
        result = run(faces, "--to", "happy", "-o", tmp_path / "out", *words)
        assert result.exit_code == 2
        assert "not from a run of batch" in result.stderr
    assert mine.read_bytes() == b"mine"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_report_and_says_how_to_go_on(
    weights: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 1500), tmp_path / "out"
    words = ("batch", folder, "--to", "happy", "--weights", weights, "-o", out)
    process = child(*words, stderr=subprocess.PIPE)
    wait_until(process, lambda: count_lines(out) >= 20)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert b"the same command goes on from here" in said
    told = json.loads((out / "run.json").read_text())
    assert told["finished"] is False
    assert told["found"] == told["done"] == len(rows(out)) < 1500
    assert child(*words, "-q").wait() == 0
    assert len(rows(out)) == 1500


def test_a_reader_that_goes_away_ends_it_quietly(weights: Path, tmp_path: Path) -> None:
    folder = pictures.write_many(tmp_path / "in", 600)
    process = child(
        *("batch", folder, "--to", "all", "--weights", weights, "-o", tmp_path / "out"),
        *("--report", "-", "-q"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert said == b""


@pytest.mark.skipif(os.name == "nt", reason="needs a shell with ulimit")
def test_a_full_disk_is_one_line_and_keeps_what_is_done(weights: Path, tmp_path: Path) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 60), tmp_path / "out"
    # A limit on file size stands in for the full disk: the report outgrows it.
    script = f"ulimit -f 4; trap '' XFSZ; exec {' '.join(command())} batch {folder} --to happy"
    done = subprocess.run(
        ["bash", "-c", f"{script} --weights {weights} -o {out} -q --batch-size 4"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"cannot be written" in done.stderr
    kept = len(rows(out))
    assert 0 < kept < 60


def test_an_out_that_cannot_be_made_is_one_line(run: Run, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run(faces, "--to", "happy", "-o", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_picture_has_a_row(run: Run, faces: Path, tmp_path: Path) -> None:
    (faces / "sad" / "4.png").chmod(0)
    result = run(faces, "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 1
    failed = [row for row in rows(tmp_path / "out") if row["status"] == "failed"]
    assert [row["reason"] for row in failed] == ["decode: Permission denied"]


@pytest.mark.skipif(os.name != "posix", reason="no folder that is somebody's can be deleted there")
def test_a_working_directory_that_was_deleted_is_one_line(faces: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'rmdir "$PWD" && exec "$@"'
    result = subprocess.run(
        ["sh", "-c", script, "sh", *command("batch", faces, "--to", "sad")],
        cwd=gone,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr == (
        "Error: the working directory was deleted: change to one that is there\n"
    )


def test_a_score_that_is_no_number_fails_the_picture(
    run: Run, weights: Path, faces: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(weights, broken)
    judge = onnx.load(broken / "judge.onnx")
    (steep,) = (tensor for tensor in judge.graph.initializer if tensor.name == "steep")
    steep.CopyFrom(numpy_helper.from_array(np.array(np.nan, np.float32), "steep"))
    onnx.save(judge, broken / "judge.onnx")
    bundle.write_card(broken, recipe={"name": "tiny"}, judge={}, measured={})
    report = tmp_path / "r.parquet"
    words = ("--to", "angry", "--weights", broken, "-o", tmp_path / "out", "--report", report)
    result = run(faces, *words)
    assert result.exit_code == 1, result.output
    for row in rows(tmp_path / "out"):
        assert row["status"] == "failed"
        assert row["reason"].startswith("judge: a score is not a number: ")
        assert (row["confirmed"], row["output"]) == ("", "")
    assert pd.read_parquet(report)["status"].tolist() == ["failed"] * 7
    assert tree(tmp_path / "out") == {}


def test_a_skipped_neighbor_takes_no_name(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.html").write_text("no picture")
    Image.fromarray(pictures.draw_face(3, 0)).save(folder / "a.png")
    run(folder, "--to", "sad", "-o", tmp_path / "out")
    assert [row["output"] for row in rows(tmp_path / "out")] == ["", "sad/a.png"]


def test_a_row_tells_when_its_source_or_result_changes(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "sad", "-o", out)
    for row in rows(out):
        status = Path(row["source"]).stat()
        assert int(row["source_size"]) == status.st_size
        assert int(row["source_mtime_ns"]) == status.st_mtime_ns
        result = (out / row["output"]).read_bytes()
        assert int(row["output_size"]) == len(result)
        assert row["output_sha256"] == hashlib.sha256(result).hexdigest()
