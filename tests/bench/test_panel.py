"""A blind panel from sheets to scores."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cctranslate.emotions import EMOTIONS
from cctranslate.errors import DataError
from cctranslate.pixels import Gray
from cctranslate.training.data import fer2013
from cctranslate.training.data.fer2013 import Faces
from tests.bench import panel
from tests.bench.panel_score import agreement, read_ratings, read_table, summarize
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


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(panel.main, [str(word) for word in words])


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


KEY = "id,kind,target,row\n1,real,happy,1\n2,real,sad,2\n3,result,happy,3\n4,result,fear,4\n"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.csv"
    path.write_text(KEY)
    return path


def rater(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(("id,expression,natural", *lines)) + "\n")
    return path


def test_figures_count_faces_and_raters_alike(key: Path, tmp_path: Path) -> None:
    first = rater(tmp_path, "a.csv", "1,happy,1", "2,sad,1", "3,happy,1", "4,fear,0")
    second = rater(tmp_path, "b.csv", "4,sad,0", "3, Happy ,0", "2,sad,1", "1,angry,0")
    truth = read_table(key, ["kind", "target", "row"])
    table = summarize(truth, [read_ratings(path, truth) for path in (first, second)])
    figures = {
        group: [table.loc[group, name][0] for name in ("read", "natural", "accept")]
        for group in table.index
    }
    assert figures[("real", "all")] == [0.75, 0.75, 0.75]
    assert figures[("real", "happy")] == [0.5, 0.5, 0.5]
    assert figures[("result", "happy")] == [1, 0.5, 0.5]
    assert figures[("result", "fear")] == [0.5, 0, 0]
    assert figures[("result", "all")] == [0.75, 0.25, 0.25]
    assert table.loc[("result", "all"), "read/real"][0] == 1
    assert table.loc[("result", "all"), "natural/real"][0] == pytest.approx(1 / 3)
    assert table.loc[("result", "fear"), "accept/real"][0] == 0
    printed = run("score", key, first, second)
    assert printed.exit_code == 0, printed.output
    assert "result fear          1  0.50 [0.50 0.50]  0.00 [0.00 0.00]" in printed.stdout
    assert "agree on natural in 50%, kappa 0.20" in printed.stdout
    assert "nan" not in printed.stdout.lower()


def test_intervals_are_as_wide_as_the_binomial_spread(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    natural = random.permutation([1] * 60 + [0] * 140)
    truth = pd.DataFrame(
        {"kind": ["real"] * 100 + ["result"] * 100, "target": ["happy"] * 200},
        index=pd.Index([str(i) for i in range(200)], name="id"),
    )
    one = pd.DataFrame({"expression": "happy", "natural": natural}, index=truth.index)
    figure, low, high = summarize(truth, [one, one]).loc[("result", "happy"), "natural"]
    assert figure == natural[100:].mean()
    # Two raters who agree are no more faces than one.
    spread = 1.96 * np.sqrt(figure * (1 - figure) / 100)
    assert (low, high) == pytest.approx((figure - spread, figure + spread), abs=0.03)


def test_agreement_beyond_chance() -> None:
    a, b = pd.Series([1, 1, 0, 0]), pd.Series([1, 0, 0, 0])
    assert agreement(a, a) == (1, 1)
    assert agreement(a, b) == pytest.approx((0.75, 0.5))
    same, kappa = agreement(a * 0, a * 0)
    assert same == 1
    assert np.isnan(kappa)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("1,happy,1", "2,sad,1", "3,happy,1"), "id 4 is not rated"),
        (("1,happy,1", "2,sad,1", "3,happy,1", "4,sad,1", "5,sad,1"), "id 5 is not on the sheets"),
        (("1,happy,1", "2,sad,1", "3,happy,1", "4,sad,1", "4,sad,1"), "id 4 is there twice"),
        (("1,happy,1", "2,sad,1", "3,joy?,1", "4,sad,1"), "id 3: expression is 'joy?'"),
        (("1,happy,1", "2,sad,1", "3,happy,", "4,sad,1"), "id 3: natural is ''"),
        (("1,happy,1", "2,sad,1", "3,happy,1,x,y", "4,sad,1"), "ratings.csv"),
    ],
)
def test_a_bad_rating_is_named(
    lines: tuple[str, ...], reason: str, key: Path, tmp_path: Path
) -> None:
    truth = read_table(key, ["kind", "target", "row"])
    with pytest.raises(DataError) as caught:
        read_ratings(rater(tmp_path, "ratings.csv", *lines), truth)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_ratings_are_named(key: Path, tmp_path: Path) -> None:
    truth = read_table(key, ["kind", "target", "row"])
    for path in (tmp_path / "none.csv", key, tmp_path):
        with pytest.raises(DataError, match=path.name):
            read_ratings(path, truth)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DataError, match=r"empty\.csv"):
        read_ratings(tmp_path / "empty.csv", truth)


def test_one_rater_is_not_enough(key: Path, tmp_path: Path) -> None:
    result = run("score", key, rater(tmp_path, "a.csv"))
    assert result.exit_code == 2
    assert "two raters" in result.stderr
