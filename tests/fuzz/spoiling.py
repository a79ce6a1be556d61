"""Good pictures, spoiled files, and whether they are refused."""

import io
from collections.abc import Callable

from hypothesis import strategies as st
from PIL import Image

from cctranslate.errors import UserError
from tests.support import pictures

FORMATS = ("png", "jpeg", "gif", "webp", "bmp", "tiff", "ppm", "tga", "ico", "pcx", "sgi", "dds")


def saved(form: str, mode: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pictures.draw_face(3, 0)).convert(mode).save(out, form)
    return out.getvalue()


PICTURES = [saved(form, mode) for form in FORMATS for mode in ("L", "RGB")]


@st.composite
def spoiled(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of a good file after some edits, the first ones being where headers are."""
    content = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, min(64, len(content))) | st.integers(0, len(content)))
        cut = draw(st.sampled_from([0, 1, 1, 1, 4, 1000]))
        content[at : at + cut] = draw(st.binary(min_size=min(cut, 4), max_size=4))
    return bytes(content)


def refused(work: Callable[[], object], kind: type[UserError]) -> bool:
    """Whether `work` refuses, in one line; any other exception is the test's failure."""
    message = ""
    try:
        work()
    except kind as error:
        message = str(error)
    assert len(message.splitlines()) <= 1
    return message != ""
