"""YuNet on onnxruntime finds what it finds over OpenCV."""

import cv2
import numpy as np
import pytest
from PIL import Image

from cctranslate import bundle
from cctranslate.faces.detector import CANDIDATE, CARD, OVERLAP
from cctranslate.faces.yunet import YuNet
from tests.support import pictures

PATH, _ = bundle.standalone_model(CARD)
OURS = YuNet(PATH)


def over_opencv(picture: Image.Image) -> np.ndarray:
    theirs = cv2.FaceDetectorYN.create(str(PATH), "", picture.size, CANDIDATE, OVERLAP, 5000)
    found = theirs.detect(np.asarray(picture.convert("RGB"))[..., ::-1].copy())[1]
    return np.zeros((0, 15)) if found is None else np.array(found)


@pytest.mark.parametrize("size", [(640, 480), (333, 257), (192, 192), (31, 1000)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_rows_are_those_of_opencv(mode: str, size: tuple[int, int]) -> None:
    picture = pictures.group().convert(mode).resize(size)
    rows = OURS.faces(np.asarray(picture), CANDIDATE, OVERLAP)
    np.testing.assert_allclose(rows, over_opencv(picture), atol=0.01)
    assert len(rows) or size != (640, 480)


def test_a_picture_without_faces_gives_no_rows() -> None:
    assert OURS.faces(np.zeros((5, 7), np.uint8), CANDIDATE, OVERLAP).shape == (0, 15)
