"""Samples that critics learn from, figures that can be worked out by hand and what they name."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from cctranslate import bundle
from cctranslate.errors import DataError
from cctranslate.inference.models import TranslationModels
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.metrics.realism import (
    Sample,
    balanced,
    learning_sample,
    measure_realism,
    roc_auc,
    standard_error,
    translations,
)
from tests.support.pictures import drawn_faces

RANDOM = np.random.default_rng(0)
CPU = torch.device("cpu")


def rows(found: Faces, label: int) -> list[int]:
    return sorted(found.rows[found.labels == label].tolist())


def test_auc_counts_pairs_in_the_right_order_and_half_of_the_ties() -> None:
    positive, negative = RANDOM.integers(0, 6, 40), RANDOM.integers(0, 5, 30)
    pairs = [(a > b) + (a == b) / 2 for a, b in itertools.product(positive, negative)]
    assert roc_auc(positive, negative) == pytest.approx(np.mean(pairs))
    assert roc_auc(np.array([2.0, 3]), np.array([0.0, 1])) == 1
    assert roc_auc(np.array([]), negative) is None
    assert roc_auc(positive, np.array([])) is None


def test_the_standard_error_is_the_spread_of_auc_over_many_samples() -> None:
    found = []
    for _ in range(600):
        found.append(roc_auc(RANDOM.normal(0.5, 1, 60), RANDOM.normal(0, 1, 40)))
    estimate = standard_error(RANDOM.normal(0.5, 1, 60), RANDOM.normal(0, 1, 40))
    assert estimate == pytest.approx(np.std(np.array(found, float)), rel=0.25)
    assert standard_error(np.array([1.0]), np.array([0.0, 1])) is None


def test_translations_carry_target_and_source_and_leave_own_expressions_out() -> None:
    sources = drawn_faces([3, 0], first_row=50)
    translated = np.arange(14, dtype=np.uint8).reshape(2, 7)[..., None, None]
    found = translations(sources, np.broadcast_to(translated, (2, 7, 48, 48)))
    assert found.labels.tolist() == [0, 1, 2, 4, 5, 6, 1, 2, 3, 4, 5, 6]
    assert found.rows.tolist() == [50] * 6 + [51] * 6
    assert found.images[:, 0, 0].tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13]


def test_a_balanced_sample_has_as_many_of_each_label_and_repeats_real_faces_at_most_4_times() -> (
    None
):
    results = drawn_faces([0] * 9 + [1] * 2 + [2] * 3, first_row=100)
    real = drawn_faces([0] * 2 + [1] * 5 + [3] * 4)
    found = balanced(Sample(results=results, real=real), np.random.default_rng(0))
    assert [len(rows(found.results, k)) for k in range(7)] == [8, 2, 0, 0, 0, 0, 0]
    assert rows(found.real, 0) == [0] * 4 + [1] * 4
    assert len(set(rows(found.real, 1))) == 2
    assert set(rows(found.real, 1)) <= {2, 3, 4, 5, 6}
    assert len(set(rows(found.results, 0))) == 8


def test_what_critics_learn_from_has_no_source_and_no_copy_of_one_among_its_real_faces(
    weights: Path,
) -> None:
    once = drawn_faces([i % 7 for i in range(70)])
    copies = Faces(images=once.images, labels=once.labels, rows=once.rows + 70)
    training = Faces(
        images=np.concatenate([once.images, copies.images]),
        labels=np.concatenate([once.labels, copies.labels]),
        rows=np.concatenate([once.rows, copies.rows]),
    )
    found = learning_sample(
        TranslationModels(bundle.load(weights), "cpu"), training, np.random.default_rng(0)
    )
    sources, real = set(found.results.rows % 70), set(found.real.rows % 70)
    assert sources
    assert real
    assert not sources & real
    own = training.labels[found.results.rows]
    assert (own != found.results.labels).all()


def test_training_faces_too_few_for_critics_are_named(weights: Path) -> None:
    with pytest.raises(DataError, match="Training faces"):
        learning_sample(
            TranslationModels(bundle.load(weights), "cpu"),
            drawn_faces([3]),
            np.random.default_rng(0),
        )


def test_figures_name_the_target_that_gives_itself_away() -> None:
    """Results of `happy` have a square on the mouth, those of `sad` are real faces."""
    results, real = drawn_faces([3, 4] * 50), drawn_faces([3, 4] * 50, first_row=200)
    results.images[::2, 34:39, 20:25] = 255
    learning = balanced(Sample(results=results, real=real), np.random.default_rng(0))
    unseen, other = drawn_faces([3, 4] * 40, first_row=400), drawn_faces([3, 4] * 40, first_row=600)
    unseen.images[::2, 34:39, 20:25] = 255
    test = Sample(results=unseen, real=other)
    found = measure_realism(learning, test, CPU)
    assert found.figures["learned_from"] == 100
    mouth, eyes = found.figures["mouth"]["targets"], found.figures["eyes"]["targets"]
    assert mouth["happy"]["auc"] > 0.95
    assert mouth["sad"]["auc"] == pytest.approx(0.5, abs=0.2)
    assert eyes["happy"]["auc"] == pytest.approx(0.5, abs=0.2)
    assert mouth["happy"]["results"] == mouth["happy"]["real"] == 40
    assert mouth["fear"] == {"results": 0, "real": 0, "auc": None, "error": None, "floor": None}
    for region in ("whole", "mouth", "eyes"):
        figures = found.figures[region]
        aucs = [row["auc"] for row in figures["targets"].values() if row["auc"] is not None]
        assert figures["auc"] == pytest.approx(np.mean(aucs), abs=1e-3)
        assert figures["floor"] == pytest.approx(0.5, abs=0.2)
    whole = found.scores
    happy, sad = whole[unseen.labels == 3], whole[unseen.labels == 4]
    assert happy.mean() > sad.mean()
