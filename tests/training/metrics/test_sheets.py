"""Pictures of translations."""

import numpy as np

from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.metrics.realism import Realism
from cctranslate.training.metrics.sheets import surest_sheet, translation_sheet


def test_translations_stand_behind_their_face() -> None:
    faces = np.stack([np.full((48, 48), level, np.uint8) for level in (0, 8, 16)])
    translated = np.stack([faces + k + 1 for k in range(7)], axis=1)
    sheet = np.asarray(translation_sheet(faces, translated, rows=2))
    assert sheet.shape == (2 * 96, 8 * 96)
    middles = sheet[48::96, 48::96]
    assert middles.tolist() == [list(range(8)), list(range(16, 24))]


def test_the_sheet_draws_the_surest_results_first_each_beside_its_source() -> None:
    sources = Faces(
        images=np.stack([np.full((48, 48), level, np.uint8) for level in (150, 200, 250)]),
        labels=np.array([3, 0, 3], np.uint8),
        rows=np.array([7, 8, 9]),
    )
    images = np.stack([np.full((48, 48), level, np.uint8) for level in (10, 60, 110)])
    results = Faces(images=images, labels=np.array([6, 6, 1], np.uint8), rows=sources.rows)
    scores = np.array([0.1, 0.9, 0.5], np.float32)
    found = Realism(figures={}, results=results, scores=scores)
    sheet = np.asarray(surest_sheet(found, sources, columns=2))
    assert sheet.shape == (7 * 52 * 2, 2 * 100 * 2)
    neutral, disgust = 6 * 104, 1 * 104
    middle = np.index_exp[40:50, 140:150]
    assert (sheet[neutral:][middle] == 60).all()
    assert (sheet[neutral:, 200:][middle] == 10).all()
    assert (sheet[disgust:][middle] == 110).all()
    assert (sheet[disgust:, 200:][middle] == 255).all()
    source = np.index_exp[40:50, 40:50]
    assert (sheet[neutral:][source] == 200).all()
    assert (sheet[neutral:, 200:][source] == 150).all()
    assert (sheet[disgust:][source] == 250).all()
