"""What goes wrong with a picture is a row with the reason."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from PIL import Image

from cctranslate import bundle
from cctranslate.pictures import to_gray
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


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


def test_a_face_beyond_what_can_be_changed_fails_for_that_reason(run: Run, tmp_path: Path) -> None:
    Image.new("L", (32_767, 1)).save(tmp_path / "line.png")
    words = (tmp_path / "line.png", "--faces", "whole", "--to", "sad", "-o", tmp_path / "out")
    assert run(*words).exit_code == 1
    assert one(tmp_path / "out")["reason"].startswith("decode: a face of more than 32,766 pixels")


def test_transparency_is_gray_and_not_black() -> None:
    clear = Image.new("RGBA", (48, 48), (0, 0, 0, 0))
    assert set(to_gray(clear).ravel()) == {128}


def test_a_folder_without_pictures_is_exit_3(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "readme.txt").write_text("hello")
    result = run(tmp_path / "in", "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 3, result.output
    assert one(tmp_path / "out")["status"] == "skipped"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_picture_has_a_row(run: Run, faces: Path, tmp_path: Path) -> None:
    (faces / "sad" / "4.png").chmod(0)
    result = run(faces, "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 1
    failed = [row for row in rows(tmp_path / "out") if row["status"] == "failed"]
    assert [row["reason"] for row in failed] == ["decode: Permission denied"]


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
    assert len(rows(tmp_path / "out")) == 7
    for row in rows(tmp_path / "out"):
        assert row["status"] == "failed"
        assert row["reason"].startswith("translate: a score or a pixel is not a number: ")
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
