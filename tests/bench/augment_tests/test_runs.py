"""The bench's command on drawn faces: runs resume row by row, and the table reads them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from cctranslate import bundle
from cctranslate.training.data import fer2013
from tests.bench.augment import bench
from tests.bench.augment.arms import ARMS
from tests.bench.augment.faces import draw
from tests.bench.augment.gradients import GradientHistograms
from tests.bench.augment.randaugment import randaugment
from tests.bench.augment.results import Results
from tests.bench.augment.students import SeparateNorm, build, switch
from tests.support import pictures


@pytest.fixture
def data(tmp_path: Path) -> tuple[Path, Path]:
    return (
        pictures.write_csv(tmp_path / "fer2013.csv"),
        pictures.write_votes(tmp_path / "ferplus.csv"),
    )


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(bench.main, [str(word) for word in words])


def train(data: tuple[Path, Path], out: Path, weights: Path, *words: str) -> Result:
    fixed = ("--steps", "2", "--size", "500", "--student", "residual", "--device", "cpu")
    return call("run", *data, "-o", out, "--weights", weights, *fixed, *words)


def lines(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "runs.jsonl").read_text().splitlines()]


def test_a_run_resumes_row_by_row_and_the_table_shows_it(
    data: tuple[Path, Path], tmp_path: Path, weights: Path
) -> None:
    out = tmp_path / "out"
    arms = ("--arm", "plain", "--arm", "ours-50", "--arm", "small-generator")
    result = train(data, out, weights, *arms, "--seeds", "0")
    assert result.exit_code == 0, result.output
    assert "no bundle of 500 faces" in result.output
    assert [line["arm"] for line in lines(out)] == ["plain", "ours-50"]

    with (out / "runs.jsonl").open("a") as file:  # as a kill leaves it
        file.write('{"size": "500", "stud')
    before = lines_before(out)
    result = train(data, out, weights, *arms, "--seeds", "0-1")
    assert result.exit_code == 0, result.output
    assert (out / "runs.jsonl").read_text().startswith(before)
    assert [(line["arm"], line["seed"]) for line in lines(out)] == [
        ("plain", 0),
        ("ours-50", 0),
        ("plain", 1),
        ("ours-50", 1),
    ]

    result = call("table", *data, out, "--half", "report", "--truth", "ferplus")
    assert result.exit_code == 0, result.output
    plain, ours = [line for line in result.output.splitlines() if line.startswith("| 500")]
    assert "| 2 | plain | 2 |" in plain
    assert " to " in ours
    assert " to " not in plain


def lines_before(out: Path) -> str:
    return (out / "runs.jsonl").read_text().rpartition("\n")[0] + "\n"


@pytest.mark.parametrize(
    "arm",
    ["ours-first", "ours-50-norm", "ours-50-hard", "ours-50-strengths", "fine-tuning", "cutmix"],
)
def test_every_kind_of_training_ends(
    data: tuple[Path, Path], tmp_path: Path, weights: Path, arm: str
) -> None:
    result = train(data, tmp_path / "out", weights, "--arm", arm, "--seeds", "0", "--steps", "4")
    assert result.exit_code == 0, result.output
    (line,) = lines(tmp_path / "out")
    assert set(str(line["predicted"])) <= set("0123456")


def test_results_are_made_once(data: tuple[Path, Path], tmp_path: Path, weights: Path) -> None:
    training = fer2013.load(data[0])["Training"]
    cache = Results(tmp_path, 84, weights, "cpu")
    some, everything = np.zeros((len(training), 7), bool), np.ones((len(training), 7), bool)
    some[3, [0, 5]] = some[9, 2] = True
    few, _ = cache.translated(training, 1.0, some)
    assert few[some].any((1, 2)).all()
    assert not few[~some].any()
    made, judged = cache.translated(training, 1.0, everything)
    assert (made[some] == few[some]).all()
    assert (judged.argmax(2) == np.arange(7)).mean() > 0.9  # the tiny bundle's judge confirms

    again = Results(tmp_path, 84, weights, "cpu")
    again._models.translate = None  # type: ignore[method-assign, assignment]
    assert (again.translated(training, 1.0, everything)[0] == made).all()


def test_a_line_names_the_generator_that_made_its_results(
    data: tuple[Path, Path], tmp_path: Path, weights: Path
) -> None:
    small, out = tmp_path / "small", tmp_path / "out"
    shutil.copytree(bundle.shipped(), small / "500-0")
    arms = ("--arm", "ours-50", "--arm", "small-generator", "--small", str(small))
    result = train(data, out, weights, *arms, "--seeds", "0")
    assert result.exit_code == 0, result.output
    assert [line["generator"] for line in lines(out)] == [
        bundle.load(weights).digests["generator"][:12],
        bundle.load(bundle.shipped()).digests["generator"][:12],
    ]


def test_written_faces_are_those_of_the_seed(data: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "some"
    assert call("faces", data[0], folder, "--size", "5", "--seed", "1").exit_code == 0
    written = fer2013.load(folder)["Training"]
    expected = draw(fer2013.load(data[0])["Training"], 5, 1)
    expected = expected.take(np.argsort(expected.rows))
    assert (written.rows == expected.rows).all()
    assert (written.images == expected.images).all()
    assert (written.labels == expected.labels).all()


def test_results_have_batch_norms_of_their_own() -> None:
    network = build("residual", 1, 0, separate_norm=True).train()
    norms = [part for part in network.modules() if isinstance(part, SeparateNorm)]
    assert norms
    switch(network, on_results=True)
    network(torch.randn(8, 1, 48, 48))
    assert all((part.real.running_mean == 0).all() for part in norms)  # type: ignore[union-attr]
    assert all((part.results.running_mean != 0).any() for part in norms)  # type: ignore[union-attr]


def test_histograms_tell_an_edges_direction_and_not_its_light() -> None:
    face = torch.zeros(1, 1, 48, 48)
    face[..., 22:] = 0.8  # it grows brighter to the right
    dim = 0.5 * face - 0.3
    right = GradientHistograms()(face)
    assert (right[0, :, 20 // 4, 20 // 4].argmax(), right[0, :, 5, 0].sum()) == (0, 0)
    down, left = GradientHistograms()(face.mT), GradientHistograms()(-face)
    assert (down[0, :, 5, 5].argmax(), left[0, :, 5, 5].argmax()) == (2, 4)
    torch.testing.assert_close(GradientHistograms()(dim), right, atol=0.1, rtol=0)
    assert build("gradients", 1, 0, separate_norm=False)(face.repeat(2, 1, 1, 1)).shape == (2, 7)


def test_randaugment_changes_faces_and_stays_in_range() -> None:
    torch.manual_seed(0)
    faces = torch.rand(200, 1, 48, 48) * 2 - 1
    changed = randaugment(faces)
    assert changed.shape == faces.shape
    assert changed.abs().max() <= 1
    assert torch.isfinite(changed).all()
    assert (changed != faces).flatten(1).any(1).float().mean() > 0.8


def test_arms_have_names_of_their_own_and_the_plain_one_comes_first() -> None:
    assert next(iter(ARMS)) == "plain"
    assert len({arm.about for arm in ARMS.values()}) == len(ARMS)
