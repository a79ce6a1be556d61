"""Names, synonyms and their order."""

import pytest

from cctranslate.emotions import EMOTIONS, parse_emotion, parse_emotions


def test_the_order_is_that_of_fer2013() -> None:
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def test_synonyms_in_any_case() -> None:
    assert [parse_emotion(w) for w in ("Happiness", " sad ", "ANGER")] == ["happy", "sad", "angry"]


def test_several_by_commas_and_repeats_come_once_in_order() -> None:
    assert parse_emotions(("sad,happy", "happiness")) == ("happy", "sad")
    assert parse_emotions(("all",)) == EMOTIONS


def test_an_unknown_word_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"'meh' is no expression: choose from angry, .*neutral"):
        parse_emotion("meh")
