"""What cannot be run is one clear line, and nothing is touched."""

import json
import os
import shutil
import subprocess
from errno import ENOENT
from os import strerror
from pathlib import Path

import pytest

from tests.support.cli import Run, command


@pytest.mark.parametrize(
    ("words", "message"),
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
        (["IN", "--to", "sad", "--sheet", "s.jpg"], "the sheet is a PNG: end its name in .png"),
        (["IN", "--to", "sad", "--max-failures", "101%"], "never more than 100%"),
        (["IN", "--to", "sad", "--strength", "0.5,,1"], "'0.5,,1': name numbers with a comma"),
        (["IN", "--to", "sad", "-o", "new.gif"], "results are PNG, JPEG or WebP"),
        (["IN", "--to", "sad", "-o", "new.tiff"], "results are PNG, JPEG or WebP"),
        (["nowhere", "--to", "sad", "--dry-run"], "nowhere: not found"),
        (["-T", "IN", "--to", "sad"], "cannot be read: Is a directory"),
        (["IN", "--to", "sad", "-o", "/"], "lies in --out"),
        (["IN", "--to", "sad", "-o", "-", "--report", "-"], "only one of them can be stdout"),
        (["IN", "--to", "sad", "-o", ""], "'-o' / '--out': it is empty: name a path"),
        (["IN", "--to", "sad", "-o", "s3://"], "s3://: names no bucket"),
        (["IN", "--to", "sad", "-o", "file:///x/y"], "expected a path on a disk, without file://"),
        (["IN", "--to", "sad", "--unconfirmed-to", "s3://a/b"], "on a disk, without s3://"),
        (["IN", "--to", "sad", "--unconfirmed-to", ""], "it is empty: name a path"),
        (["IN", "--to", "sad", "--sheet", ""], "it is empty: name a path"),
    ],
)
def test_usage_errors_are_exit_2(run: Run, tmp_path: Path, words: list[str], message: str) -> None:
    result = run(*(str(tmp_path) if word == "IN" else word for word in words))
    assert result.exit_code == 2, result.output
    assert message in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("SAMPLES", "many", "--samples"),
        ("HTML", "perhaps", "--html"),
        ("STRENGTH", "2", "--strength"),
    ],
)
def test_a_variable_that_is_wrong_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, option: str
) -> None:
    monkeypatch.setenv(f"CCTRANSLATE_BATCH_{name}", value)
    result = run(tmp_path, "--to", "sad")
    assert result.exit_code == 2
    assert option in result.stderr
    assert f"(CCTRANSLATE_BATCH_{name}): " in result.stderr
    assert name not in run(tmp_path, "--to", "sad", option, "?").stderr


def test_a_misspelt_input_is_told_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "nowhere: not found" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_is_not_there_is_told_before_anything_is_written(
    run: Run, tmp_path: Path
) -> None:
    result = run("-T", tmp_path / "nowhere", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr == f"Error: {tmp_path / 'nowhere'}: cannot be read: {strerror(ENOENT)}\n"
    assert list(tmp_path.iterdir()) == []


def test_an_out_that_leads_nowhere_is_told(run: Run, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    result = run(faces, "--to", "sad", "-o", tmp_path / "link")
    assert result.exit_code == 2
    assert f"{tmp_path / 'link'} is a link that leads nowhere" in result.stderr


def test_an_out_that_is_no_folder_is_told(run: Run, faces: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    result = run(faces, "--to", "sad", "-o", tmp_path / "pipe")
    assert result.exit_code == 2
    assert f"{tmp_path / 'pipe'} is no folder: name a folder" in result.stderr


def test_a_link_stays_and_the_file_that_it_leads_to_is_written(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    links = {name: tmp_path / f"link-{name}" for name in ("a.png", "r.csv", "s.png")}
    for name, link in links.items():
        link.symlink_to(there / name)
    one = (next(faces.rglob("*.png")), "--to", "sad", "-o", links["a.png"])
    all_faces = (faces, "--to", "sad", "-o", tmp_path / "out")
    copies = ("--report", links["r.csv"], "--sheet", links["s.png"])
    for words in (one, (*all_faces, *copies)):
        result = run(*words)
        assert result.exit_code == 2
        assert f"there is no folder {there}: make it" in result.stderr
    there.mkdir()
    for words in (one, (*all_faces, *copies)) * 2:
        assert run(*words).exit_code == 0
    assert sorted(path.name for path in there.iterdir()) == list(links)
    assert all(link.is_symlink() for link in links.values())


def test_a_report_goes_to_stdout_beside_one_file(run: Run, faces: Path, tmp_path: Path) -> None:
    picture = next(faces.rglob("*.png"))
    result = run(picture, "--to", "sad", "-o", tmp_path / "sad.png", "--report", "-")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["target"] == "sad"
    assert (tmp_path / "sad.png").is_file()


def test_a_reports_format_is_known_in_capitals(run: Run, faces: Path, tmp_path: Path) -> None:
    result = run(faces, "--to", "sad", "-o", tmp_path / "out", "--report", tmp_path / "r.CSV")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "r.CSV").read_bytes() == (tmp_path / "out" / "report.csv").read_bytes()


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


def test_cuda_where_it_cannot_be_used_is_exit_4(weights: Path, faces: Path, tmp_path: Path) -> None:
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
    (line,) = done.stderr.splitlines()
    assert line.startswith(b"Error: --device cuda")
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
