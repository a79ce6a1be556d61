"""What is left of an embedding when the expression has been taken out."""

import numpy as np

from cctranslate.training.networks.identity_eraser import fit_eraser


def drawn(n: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings [N,20] of a person and an expression that leans on every axis, and labels."""
    random = np.random.default_rng(0)
    classes = random.integers(0, 7, n)
    labels = np.eye(7, dtype=np.float32)[classes]
    person = random.normal(size=(n, 20)) * np.linspace(0.5, 2, 20)
    lean = random.normal(size=(7, 20))
    return (person + labels @ lean).astype(np.float32), labels, person


def accuracy(x: np.ndarray, labels: np.ndarray) -> float:
    """How often the best linear classifier is right."""
    design = np.c_[x, np.ones(len(x))]
    weights = np.linalg.lstsq(design, labels, rcond=1e-3)[0]
    return float(((design @ weights).argmax(1) == labels.argmax(1)).mean())


def test_no_linear_classifier_reads_the_expression_afterwards() -> None:
    embeddings, labels, _ = drawn()
    mean, eraser = fit_eraser(embeddings, labels)
    erased = (embeddings - mean) @ eraser.T
    assert accuracy(embeddings, labels) > 0.6
    assert accuracy(erased, labels) <= labels.mean(0).max() + 0.01
    assert np.abs(erased.T @ (labels - labels.mean(0))).max() / len(labels) < 1e-5


def test_the_person_stays() -> None:
    embeddings, labels, person = drawn()
    mean, eraser = fit_eraser(embeddings, labels)
    erased = (embeddings - mean) @ eraser.T
    # Seven classes differ in at most six directions: the other fourteen are left alone.
    assert np.linalg.matrix_rank(eraser, tol=1e-4) == 14
    explained = np.linalg.lstsq(erased, person - person.mean(0), rcond=None)[1].sum()
    assert explained < 0.45 * ((person - person.mean(0)) ** 2).sum()


def test_embeddings_that_do_not_tell_the_expression_are_left_as_they_are() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat(np.eye(7, dtype=np.float32), 40, 0)
    # The same people in each class.
    embeddings = np.tile(random.normal(size=(40, 5)), (7, 1)).astype(np.float32)
    mean, eraser = fit_eraser(embeddings, labels)
    assert np.abs((embeddings - mean) @ eraser.T - (embeddings - mean)).max() < 1e-4
