"""Translators, results and errors go to other processes and are used by several threads."""

import multiprocessing
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate import TargetError, Translation, Translator
from tests.support import pictures


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)


def test_results_and_errors_can_be_pickled(translator: Translator, group: Path) -> None:
    one = translator.translate(group, "sad")
    again: Translation = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(pixels(again.image), pixels(one.image))
    assert again.faces[0].probabilities == one.faces[0].probabilities
    error = pickle.loads(pickle.dumps(TargetError("x")))
    assert isinstance(error, TargetError)


def test_a_translator_can_be_pickled(mouth_weights: Path, group: Path) -> None:
    made = Translator(weights=mouth_weights, device="cpu", batch_size=4, strength=0.5)
    again: Translator = pickle.loads(pickle.dumps(made))
    one, other = made.translate(group, "sad"), again.translate(group, "sad")
    assert other.strength == 0.5
    np.testing.assert_array_equal(pixels(one.image), pixels(other.image))


def test_threads_may_share_a_translator(translator: Translator, group: Path) -> None:
    def translated(number: int) -> Translation:
        source = group if number % 3 == 0 else pictures.draw_face(number % 7, number)
        return translator.translate(source, ("sad", "happy")[number % 2])

    alone = [translated(number) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(translated, range(12)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(pixels(one.image), pixels(other.image))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere forking is not safe or not there")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_may_use_a_translator(mouth_weights: Path) -> None:
    """DataLoaders fork by default; a fork has none of the threads that its parent used."""
    translator = Translator(weights=mouth_weights, device="cpu", batch_size=2)
    faces = [pictures.draw_face(number % 7, number) for number in range(12)]

    def translated() -> list[np.ndarray]:
        return [pixels(result.image) for (result,) in translator.translate_many(faces, "sad")]

    def send() -> None:
        sender.send(translated())

    here = translated()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=send, daemon=True)
    child.start()
    try:
        assert receiver.poll(600), "the forked process hangs"
        np.testing.assert_array_equal(receiver.recv(), here)
    finally:
        child.kill()
        child.join()
