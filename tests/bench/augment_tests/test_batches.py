"""What students see: which results an arm draws, how often, and with which labels."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cctranslate.training.data.fer2013 import Faces
from tests.bench.augment.arms import ARMS, Arm
from tests.bench.augment.batches import MOST_FACES, Batches, Pool, allowed, chances, wanted
from tests.bench.augment.faces import draw, is_reported
from tests.bench.augment.students import BATCH

LABELS = np.array([3] * 60 + [0] * 30 + [1] * 10, np.uint8)
EYE = np.eye(7, dtype=np.float32)


@pytest.fixture
def faces() -> Faces:
    count = len(LABELS)
    images = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None], (count, 48, 48))
    return Faces(images=images.copy(), labels=LABELS, rows=np.arange(count))


@pytest.fixture
def pool() -> Pool:
    """Results whose gray level is their target's number, ten times, and their strength's."""
    shape = (len(LABELS), 7, 2, 48, 48)
    levels = 10 * np.arange(7)[:, None, None, None] + np.arange(2)[:, None, None]
    judged = np.broadcast_to(EYE[None, :, None], (len(LABELS), 7, 2, 7)).copy()
    judged[:50, 0] = EYE[6]  # the judge denies the first faces' angry results
    return Pool(
        pictures=np.broadcast_to(levels, shape).astype(np.uint8),
        judged=judged,
        strengths=(0.5, 1.0),
        made=~EYE[LABELS].astype(bool),
    )


def test_each_class_is_drawn_as_often_as_it_lacks_faces() -> None:
    labels = LABELS.astype(np.int64)
    found = chances(labels, ~np.eye(7, dtype=bool)[labels])
    expected = np.array([30, 50, 60, 0, 60, 60, 60]) / 320
    assert found.sum(0) == pytest.approx(expected)
    assert not found[LABELS == 1, 1].any()  # a face is never translated to its label


def test_a_class_without_results_leaves_its_turn_to_others() -> None:
    labels = LABELS.astype(np.int64)
    can = ~np.eye(7, dtype=bool)[labels]
    can[:, 2] = False
    found = chances(labels, can)
    assert found[:, 2].sum() == 0
    assert found.sum() == pytest.approx(1)


def test_arms_differ_in_what_they_need() -> None:
    labels = LABELS.astype(np.int64)
    itself, largest = EYE[labels].astype(bool), EYE[3].astype(bool)
    assert (wanted(ARMS["self-50"], labels, 0) == itself).all()
    assert (wanted(ARMS["ours-50"], labels, 0) == (~itself & ~largest)).all()
    once = wanted(ARMS["ours-balance"], labels, 0)
    assert once.sum(0).tolist() == [30, 50, 60, 0, 60, 60, 60]
    assert not (once & itself).any()
    assert wanted(ARMS["ours-double"], labels, 0).sum(0).tolist() == [
        70,
        90,
        100,
        40,
        100,
        100,
        100,
    ]
    assert wanted(ARMS["all-50"], labels, 0).all()
    assert (once != wanted(ARMS["ours-balance"], labels, 1)).any()


def test_arms_of_many_faces_draw_from_a_part_of_the_results() -> None:
    labels = np.repeat(LABELS, MOST_FACES // len(LABELS) + 1).astype(np.int64)
    drawn_from = wanted(ARMS["ours-25"], labels, 0)
    assert (drawn_from == wanted(ARMS["ours-balance"], labels, 0)).all()
    every = wanted(ARMS["all-50"], labels, 0)
    assert (every.sum(1) == 1).all()
    assert every.sum(0) == pytest.approx([len(labels) / 7] * 7, rel=0.2)


def test_results_that_fill_classes_are_seen_as_often_as_faces(faces: Faces, pool: Pool) -> None:
    once = wanted(ARMS["ours-balance"], LABELS.astype(np.int64), 0)
    batches = Batches(ARMS["ours-balance"], faces, EYE[LABELS], replace(pool, made=once), 0)
    assert batches.dose == pytest.approx(320 / 420)
    assert batches._chances[once] == pytest.approx(1 / 320)
    assert Batches(ARMS["ours-25"], faces, EYE[LABELS], pool, 0).dose == 0.25


def test_results_to_all_expressions_are_drawn_alike(faces: Faces, pool: Pool) -> None:
    every = replace(pool, made=np.ones((len(LABELS), 7), bool))
    batches = Batches(ARMS["all-50"], faces, EYE[LABELS], every, 0)
    assert batches._chances == pytest.approx(np.full((len(LABELS), 7), 1 / 700))


def test_arms_differ_in_what_they_allow(faces: Faces, pool: Pool) -> None:
    everyone, some = np.ones(100, bool), np.arange(100) < 40
    itself = EYE[LABELS].astype(bool)
    assert (allowed(ARMS["ours-50"], faces, pool, everyone) == ~itself).all()
    confirmed = allowed(ARMS["ours-50-confirmed"], faces, pool, everyone)
    assert not confirmed[:50, 0].any()
    assert confirmed[50:60, 0].all()
    assert not allowed(ARMS["ours-50-hard"], faces, pool, some)[40:].any()


def drawn(arm: Arm, faces: Faces, pool: Pool | None) -> tuple[list[int], NDArray[np.float32]]:
    x, y = Batches(arm, faces, EYE[LABELS], pool, 0).results(5, 40)
    assert x.shape == (40, 1, 48, 48)
    return ((x[:, 0, 0, 0] + 1) * 127.5).round().int().tolist(), y.numpy()


def test_results_come_with_the_labels_of_their_targets(faces: Faces, pool: Pool) -> None:
    levels, labels = drawn(ARMS["ours-50"], faces, pool)
    assert (labels.argmax(1) == [level // 10 for level in levels]).all()
    assert (labels.max(1) == 1).all()
    assert {level % 10 for level in levels} == {0, 1}


def test_labels_follow_the_strength(faces: Faces, pool: Pool) -> None:
    levels, labels = drawn(ARMS["ours-50-strengths"], faces, pool)
    for level, label in zip(levels, labels, strict=True):
        assert label[level // 10] == (1 if level % 10 else 0.5)
        assert label.sum() == 1


def test_labels_of_the_judge_weigh_half(faces: Faces, pool: Pool) -> None:
    only_denied = replace(pool, judged=np.broadcast_to(EYE[6], pool.judged.shape))
    levels, labels = drawn(ARMS["ours-50-judge"], faces, only_denied)
    for level, label in zip(levels, labels, strict=True):
        assert label == pytest.approx((EYE[level // 10] + EYE[6]) / 2)


def test_copies_are_noisy_and_have_the_labels_of_their_faces(faces: Faces) -> None:
    x, y = Batches(ARMS["copies-50"], faces, EYE[LABELS], None, 0).results(1, 40)
    assert x[0].std() > 0
    assert (y.sum(1) == 1).all()


def test_paired_arms_see_the_same_real_faces(faces: Faces, pool: Pool) -> None:
    first, _ = Batches(ARMS["plain"], faces, EYE[LABELS], None, 3).real(0, BATCH)
    second, _ = Batches(ARMS["ours-50"], faces, EYE[LABELS], pool, 3).real(0, BATCH // 2)
    assert (first[: BATCH // 2] == second).all()


def test_smaller_draws_lie_in_larger_ones_and_seeds_differ(faces: Faces) -> None:
    small, large = draw(faces, 10, 0), draw(faces, 30, 0)
    assert set(small.rows) < set(large.rows)
    assert set(small.rows) != set(draw(faces, 10, 1).rows)
    assert (draw(faces, None, 0).rows[:30] == large.rows).all()
    assert set(draw(faces, None, 0).rows) == set(faces.rows)


def test_halves_are_told_apart_by_pixels_alone() -> None:
    sides = [is_reported(bytes([level]) * 2304) for level in range(200)]
    assert 70 < sum(sides) < 130
