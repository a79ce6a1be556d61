"""What a `Translator` says of pictures that show no face, or one that is hard to change."""

from pathlib import Path

import numpy as np
from PIL import Image

from cctranslate import Translator
from tests.support import bundles, pictures


def test_a_picture_that_is_taken_for_a_face_and_shows_none_is_not_confirmed(
    tmp_path: Path,
) -> None:
    weights = bundles.write_bundle(tmp_path / "presence", presence=True)
    one = Translator(weights=weights, device="cpu").translate(Image.new("L", (48, 48)), "happy")
    assert (one.confirmed, one.faces[0].reason) == (False, "no face found")


def test_a_picture_whose_face_is_hard_to_change_is_marked(tmp_path: Path) -> None:
    weights = bundles.write_bundle(tmp_path / "presence", presence=True)
    translator = Translator(weights=weights, device="cpu")
    easy = np.clip(pictures.draw_face(3, 0), 0, 254)
    hard = easy.copy()
    hard[0, 47] = 255
    reasons = [translator.translate(face, "happy").faces[0].reason for face in (easy, hard)]
    assert reasons == [None, "hard to change: the face is turned away, off the middle or covered"]
