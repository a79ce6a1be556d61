"""The seven expressions in FER2013's order, and their synonyms."""

from difflib import get_close_matches

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The index is FER2013's label id. Ids by alphabetical order differ, so files hold names."""
NUM_CLASSES = len(EMOTIONS)

SYNONYMS = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "neutrality": "neutral",
}


def parse_emotion(word: str) -> str:
    """Return the FER2013 name for a name or synonym in any case.

    Raises:
        ValueError: The word names no expression; the message suggests one, or lists all.
    """
    name = str(word).strip().lower()  # a Python program may give a list of words, or None
    name = SYNONYMS.get(name, name)
    if name not in EMOTIONS:
        near = get_close_matches(name, [*EMOTIONS, *SYNONYMS, "all"], n=1)
        is_close = near and near[0] != name
        hint = f"did you mean {near[0]}?" if is_close else f"choose from {', '.join(EMOTIONS)}"
        raise ValueError(f"{word!r} is no expression: {hint}")
    return name


def parse_emotions(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the expressions that words name, in FER2013's order, each once.

    A word may name several, with commas between them, or be `all`.

    Raises:
        ValueError: A word names no expression, or there is none.
    """
    names = {part for word in words for part in str(word).split(",") if part.strip()}
    if not names:
        raise ValueError(f"no expression named: choose from {', '.join(EMOTIONS)}")
    if any(name.strip().lower() == "all" for name in names):
        return EMOTIONS
    chosen = {parse_emotion(name) for name in names}
    return tuple(e for e in EMOTIONS if e in chosen)
