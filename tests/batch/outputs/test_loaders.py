"""Each layout through the library that it is for."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import webdataset
from PIL import Image

from cctranslate.batch.outputs import webdataset as shards
from cctranslate.emotions import EMOTIONS
from tests.support.cli import Run
from tests.support.pictures import png
from tests.support.reports import rows

TO = ("--to", "happy,sad,surprise")


@pytest.fixture(scope="module")
def hugging_face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`datasets`, with everything that it keeps in a folder of the tests', off the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_DATASETS_OFFLINE", "1")
        patch.setenv("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
        import datasets  # which reads them when it is imported

        yield datasets


def made(run: Run, faces: Path, out: Path, *words: str) -> dict[str, dict[str, str]]:
    """Run and return the report's rows by their output."""
    result = run(faces, *TO, "-o", out, *words)
    assert result.exit_code == 0, result.output
    return {row["output"]: row for row in rows(out)}


def test_imagefolder_in_hugging_face_datasets(
    run: Run, faces: Path, tmp_path: Path, hugging_face: Any
) -> None:
    reported = made(run, faces, tmp_path / "out")
    found = hugging_face.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), split="train")
    assert found.features["label"].names == ["happy", "sad", "surprise"]
    assert len(found) == len(reported)
    for sample in found:
        name = found.features["label"].int2str(sample["label"])
        place = Path(sample["image"].filename).relative_to(tmp_path / "out").as_posix()
        assert reported[place]["target"] == name


@pytest.mark.skipif(os.name == "nt", reason="Windows has no files of such names")
def test_no_name_spoils_an_imagefolder(run: Run, tmp_path: Path, hugging_face: Any) -> None:
    paths = [tmp_path / name for name in ("a::b.png", "a\\b.png", ".hidden.png", "plain.png")]
    for path in paths:
        path.write_bytes(png(3, 1))
    out = tmp_path / "out"
    assert run(*paths, "--to", "sad,happy", "-o", out).exit_code == 0
    found = hugging_face.load_dataset(
        "imagefolder", data_files={"train": f"{out}/*/*"}, split="train"
    )
    assert sorted(found["label"]) == [0] * 4 + [1] * 4


def test_imagefolder_and_tree_by_torchvisions_rule(run: Run, faces: Path, tmp_path: Path) -> None:
    """ImageFolder: sorted top folders are the classes, none is empty, pictures at any depth."""
    for layout in ("imagefolder", "tree"):
        out = tmp_path / layout
        reported = made(run, faces, out, "--layout", layout)
        classes = sorted(entry.name for entry in os.scandir(out) if entry.is_dir())
        assert classes == ["happy", "sad", "surprise"]
        samples = {
            path.relative_to(out).as_posix(): name
            for name in classes
            for path in (out / name).rglob("*.*")
        }
        assert samples == {place: row["target"] for place, row in reported.items()}


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_webdataset_in_its_own_library(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "FULL", 40_000)
    out = tmp_path / "out"
    reported = made(run, faces, out, "--layout", "webdataset")
    archives = sorted(map(str, out.glob("*.tar")))
    assert len(archives) > 2
    samples = list(webdataset.WebDataset(archives, shardshuffle=False).decode("l8"))
    assert len(samples) == len(reported)
    for sample in samples:
        place = f"{Path(sample['__url__']).name}:{sample['__key__']}.png"
        assert sorted(key for key in sample if key[0] != "_") == ["cls", "json", "png"]
        assert EMOTIONS[sample["cls"]] == reported[place]["target"] == sample["json"]["target"]
        assert sample["json"]["source_label"] == reported[place]["source_label"]
        assert sample["png"].shape == (48, 48)
    gc.collect()  # the library leaves closing the tars to that


def test_webdataset_in_hugging_face_datasets(
    run: Run, faces: Path, tmp_path: Path, hugging_face: Any
) -> None:
    out = tmp_path / "out"
    reported = made(run, faces, out, "--layout", "webdataset")
    found = hugging_face.load_dataset("webdataset", data_files=f"{out}/*.tar", split="train")
    assert len(found) == len(reported)
    for sample in found:
        row = reported[f"000000.tar:{sample['__key__']}.png"]
        assert EMOTIONS[sample["cls"]] == row["target"] == sample["json"]["target"]
        assert sample["png"].size == (48, 48)


def test_fer_csv_in_pandas(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reported = made(run, faces, out, "--layout", "fer-csv")
    run(faces, *TO, "-o", tmp_path / "files", "--result", "face")
    found = pd.read_csv(out / "fer2013.csv")
    assert list(found.columns) == ["emotion", "pixels", "Usage"]
    assert [EMOTIONS[label] for label in found["emotion"]] == [
        r["target"] for r in reported.values()
    ]
    pixels = np.stack([np.array(text.split(), np.uint8) for text in found["pixels"]])
    places = [row["output"] for row in rows(tmp_path / "files")]
    for levels, place in zip(pixels.reshape(-1, 48, 48), places, strict=True):
        with Image.open(tmp_path / "files" / place) as picture:
            np.testing.assert_array_equal(levels, np.asarray(picture))


def test_the_report_in_pandas(run: Run, faces: Path, tmp_path: Path) -> None:
    (faces / "broken.png").write_bytes(b"broken")
    for suffix in ("jsonl", "parquet"):
        place = tmp_path / f"report.{suffix}"
        assert run(faces, *TO, "-o", tmp_path / "out", "--report", place).exit_code == 1
    reported = pd.read_csv(tmp_path / "out" / "report.csv")
    found = pd.read_parquet(tmp_path / "report.parquet")
    lines = pd.read_json(tmp_path / "report.jsonl", lines=True)
    assert list(found.columns) == list(reported.columns) == list(lines.columns)
    for column in (
        "source",
        "output",
        "confidence",
        "confirmed",
        "p_sad",
        "width",
        "strength",
        "reason",
    ):
        assert found[column].isna().tolist() == reported[column].isna().tolist()
        assert found[column].dropna().tolist() == reported[column].dropna().tolist()
    assert str(found["confirmed"].dropna().map(type).unique()) == "[<class 'bool'>]"
    assert found["score"].isna().all()
    assert found["score"].dtype == np.float64


@pytest.mark.skipif(sys.platform != "linux", reason="file names are UTF-8 elsewhere")
def test_a_name_that_is_no_text_is_spelt_out_in_parquet(run: Run, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    path.write_bytes(b"broken")
    run(path, *TO, "-o", tmp_path / "out", "--report", tmp_path / "r.parquet")
    (source,) = pd.read_parquet(tmp_path / "r.parquet")["source"]
    assert source == str(tmp_path / r"caf\xe9.png")
