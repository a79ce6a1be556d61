"""FER+ votes become label distributions, matched by row number."""

from pathlib import Path

import numpy as np
import pytest

from cctranslate.errors import DataError
from cctranslate.training.data.fer2013 import load
from cctranslate.training.data.ferplus import load_votes, majority, matched, soft_labels
from tests.support import pictures


def test_labels_mix_votes_and_the_datasets_own(tmp_path: Path) -> None:
    faces = load(pictures.write_csv(tmp_path / "fer2013.csv"))["Training"]
    votes = load_votes(pictures.write_votes(tmp_path / "ferplus.csv"))
    votes[1][:] = [4, 0, 0, 4, 0, 0, 0, 0, 2, 0]  # a disgust face read half angry, half happy
    labels = soft_labels(faces, votes, fraction=0.6)
    np.testing.assert_allclose(labels[1], [0.3, 0.4, 0, 0.3, 0, 0, 0], atol=1e-6)
    assert labels[0].sum() == 0, "row 0 is no face"
    np.testing.assert_allclose(labels[2:].sum(1), 1, atol=1e-6)


def test_without_votes_the_datasets_label_stands(tmp_path: Path) -> None:
    faces = load(pictures.write_csv(tmp_path / "fer2013.csv"))["Training"]
    np.testing.assert_array_equal(soft_labels(faces, None, 0.7).argmax(1), faces.labels)


def test_a_majority_is_single_and_an_expression(tmp_path: Path) -> None:
    faces = load(pictures.write_csv(tmp_path / "fer2013.csv"))["Training"]
    votes = load_votes(pictures.write_votes(tmp_path / "ferplus.csv"))
    votes[1][:] = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]
    votes[2][:] = [1, 0, 0, 0, 0, 0, 0, 0, 9, 0]
    has, label = majority(faces, votes)
    assert has[:4].tolist() == [False, False, False, True]
    assert label[3] == 3


def test_microsofts_table_goes_by_line(tmp_path: Path) -> None:
    path = tmp_path / "fer2013new.csv"
    path.write_text(
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,"
        "unknown,NF\n"
        "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\nTraining,,6,0,1,1,0,0,0,0,2,0\n"
    )
    votes = load_votes(path)
    assert votes[0].tolist() == [3, 2, 0, 0, 1, 0, 4, 0, 0, 0]
    assert sorted(votes) == [0, 1]


def test_votes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    faces = load(pictures.write_csv(tmp_path / "fer2013.csv"))["Training"]
    votes = load_votes(pictures.write_votes(tmp_path / "ferplus.csv", count=10))
    with pytest.raises(DataError, match="row number"):
        soft_labels(faces, votes, 0.5)
    with pytest.raises(DataError, match="not found"):
        load_votes(tmp_path / "none.csv")
    other = tmp_path / "fer2013.csv"
    with pytest.raises(DataError, match="no column anger"):
        load_votes(other)


def test_votes_for_other_faces_are_refused(tmp_path: Path) -> None:
    faces = load(pictures.write_csv(tmp_path / "fer2013.csv"))["Training"]
    votes = load_votes(pictures.write_votes(tmp_path / "ferplus.csv"))
    shifted = {row: votes[(row + 1) % len(votes)] for row in votes}
    with pytest.raises(DataError, match="only 0% agree"):
        matched(faces, shifted)
    with pytest.raises(DataError, match="do not cover"):
        majority(faces, {0: votes[0]})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", "cannot be read as a CSV"),
        (b"HEAD\n1,2\n", "line 2: expected numbers of votes"),
        (b"HEAD\na,b,c,x,0,0,0,0,0,0,0,0,0\n", "line 2: expected numbers of votes"),
        (b"HEAD\na,b,c,nan,0,0,0,0,0,0,0,0,0\n", "line 2: expected numbers of votes"),
        (b"HEAD\na,b,c,inf,0,0,0,0,0,0,0,0,0\n", "line 2: expected numbers of votes"),
        (b"HEAD\na,b,c,-1,0,0,0,0,0,0,0,0,0\n", "line 2: expected numbers of votes"),
    ],
)
def test_a_broken_table_of_votes_is_one_line(content: bytes, reason: str, tmp_path: Path) -> None:
    path = pictures.write_votes(tmp_path / "ferplus.csv", count=1)
    head = path.read_bytes().splitlines()[0]
    path.write_bytes(content.replace(b"HEAD", head))
    with pytest.raises(DataError, match=rf"ferplus\.csv: {reason}"):
        load_votes(path)
