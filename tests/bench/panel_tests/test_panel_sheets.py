"""Sheets and key of a blind panel."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cctranslate.emotions import EMOTIONS
from cctranslate.errors import DataError
from cctranslate.pixels import Gray
from cctranslate.training.data import fer2013
from cctranslate.training.data.fer2013 import Faces
from tests.bench import panel
from tests.bench.panel_tests.command import run
from tests.support import pictures

COUNT = 420
"""Drawn rows, of which every fourth week of seven is PublicTest: 15 of each label."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces as CSV; the first PublicTest face of a row not divisible by 5 is a copy."""
    path = pictures.write_csv(tmp_path_factory.mktemp("data") / "fer2013.csv", count=COUNT)
    lines = path.read_text().splitlines()
    assert lines[1 + 21].endswith("PublicTest")
    lines[1 + 21] = lines[1].replace("Training", "PublicTest")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def out(tmp_path: Path, data: Path) -> Path:
    """Results of all PublicTest faces: the source with less contrast, brighter for each target."""
    test = fer2013.load(data)["PublicTest"]
    for k, emotion in enumerate(EMOTIONS):
        folder = tmp_path / "out" / emotion
        folder.mkdir(parents=True)
        for image, row in zip(test.images, test.rows, strict=True):
            path = folder / f"test__x__PublicTest_{row:05}.png"
            Image.fromarray((image // 2 + 20 * k).astype(np.uint8)).save(path)
    return tmp_path / "out"


def made(out: Path, data: Path, name: str, *words: str) -> tuple[Path, pd.DataFrame]:
    """The sheets and the key of a small panel."""
    sheets, key = out.parent / name, out.parent / f"{name}.csv"
    small = ("--real", "2", "--results", "3")
    result = run("make", out, sheets, key, "--data", data, *small, *words)
    assert result.exit_code == 0, result.output
    return sheets, pd.read_csv(key)


def shown(sheets: Path, number: int) -> Gray:
    """A face of a sheet, back in its size."""
    column, line = (number - 1) % 5, (number - 1) % 20 // 5
    x, y = 8 + column * 232, 32 + line * 256
    with Image.open(sheets / f"sheet-{(number - 1) // 20 + 1:02}.png") as page:
        large = page.crop((x, y, x + 224, y + 224))
    return np.asarray(large.resize((48, 48), Image.Resampling.BOX))


def test_sheets_mix_real_faces_and_results_and_show_no_face_twice(out: Path, data: Path) -> None:
    sheets, key = made(out, data, "panel")
    assert key["id"].tolist() == list(range(1, 36))
    assert key.groupby(["kind", "target"]).size().to_dict() == {
        **{("real", emotion): 2 for emotion in EMOTIONS},
        **{("result", emotion): 3 for emotion in EMOTIONS},
    }
    assert not key["row"].duplicated().any()
    assert (key["kind"] != "real").iloc[:14].any()
    test = fer2013.load(data)["PublicTest"]
    for item in key.itertuples():
        source = test.images[test.rows == item.row][0]
        own = EMOTIONS[test.labels[test.rows == item.row][0]]
        assert (own == item.target) == (item.kind == "real")
        expected = source if item.kind == "real" else source // 2 + 20 * EMOTIONS.index(item.target)
        seen = shown(sheets, item.id).astype(float)
        # Enlarged and reduced again, what is left is a little ringing.
        assert np.abs(seen - expected).mean() < 5
    with (sheets / "ratings.csv").open() as file:
        assert list(csv.reader(file))[:2] == [["id", "expression", "natural"], ["1", "", ""]]
    assert "unaltered photograph" in (sheets / "instructions.txt").read_text()


def test_sheets_hold_nothing_that_tells_results_from_real_faces(out: Path, data: Path) -> None:
    sheets, _ = made(out, data, "panel")
    names = ["instructions.txt", "ratings.csv", "sheet-01.png", "sheet-02.png"]
    assert sorted(path.name for path in sheets.iterdir()) == names
    with Image.open(sheets / "sheet-01.png") as page:
        assert page.info == {}


def test_the_seed_decides_which_faces_are_drawn(out: Path, data: Path) -> None:
    _, first = made(out, data, "first", "--seed", "5")
    _, again = made(out, data, "again", "--seed", "5")
    _, other = made(out, data, "other", "--seed", "6")
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_rows_divisible_by_5_are_for_reporting_alone(out: Path, data: Path) -> None:
    _, choosing = made(out, data, "choosing")
    _, reporting = made(out, data, "reporting", "--reporting")
    assert (choosing["row"] % 5 != 0).all()
    assert (reporting["row"] % 5 == 0).all()


def test_copies_of_training_faces_are_left_out_unless_wanted(data: Path) -> None:
    splits = fer2013.load(data)
    assert 21 not in panel.eligible(splits, reporting=False, copies=False).rows
    assert 21 in panel.eligible(splits, reporting=False, copies=True).rows


def test_a_panel_of_fewer_faces_than_wanted_names_what_is_missing(out: Path, data: Path) -> None:
    for path in (out / "happy").iterdir():
        path.unlink()
    words = ("make", out, out.parent / "s", out.parent / "k.csv", "--data", data)
    result = run(*words, "--real", "2", "--results", "3")
    assert result.exit_code == 0, result.output
    assert result.stderr == "result happy: 0 of 3: there are no more\n"


@pytest.mark.parametrize(
    ("sheets", "key", "reason"),
    [("s", "s/key.csv", "which raters see"), ("out", "k.csv", "exists"), ("s", "old", "exists")],
)
def test_nothing_is_overwritten_and_the_key_stays_apart(
    sheets: str, key: str, reason: str, out: Path, data: Path
) -> None:
    root = out.parent
    (root / "old").write_text("mine")
    result = run("make", out, root / sheets, root / key, "--data", data)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert not (root / "s").exists()
    assert (root / "old").read_text() == "mine"


def test_a_folder_without_results_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no results"):
        panel.results_by_row(tmp_path)


def test_data_without_such_faces_is_refused() -> None:
    none = Faces(
        images=np.zeros((1, 48, 48), np.uint8), labels=np.zeros(1, np.uint8), rows=np.array([5])
    )
    with pytest.raises(DataError, match="no PublicTest faces"):
        panel.eligible({"Training": none, "PublicTest": none}, reporting=False, copies=True)
    with pytest.raises(DataError, match="Training and PublicTest"):
        panel.eligible({"PublicTest": none}, reporting=False, copies=True)
