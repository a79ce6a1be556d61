"""The faces of the bench: what a student trains on by size and seed, and what it is tested on."""

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cctranslate.training.data.fer2013 import Faces, Splits, without_copies
from cctranslate.training.data.ferplus import Votes, majority

Half = Literal["choose", "report"]
Truth = Literal["fer2013", "ferplus"]


@dataclass(frozen=True, kw_only=True)
class TestFaces:
    """Test faces without copies of Training, with both labels; -1 where FER+ has no majority."""

    __test__ = False  # pytest: no test class

    faces: Faces
    ferplus: NDArray[np.int64]
    reported: NDArray[np.bool_]
    """Whether a face is in the half that is reported, and not in the half to choose by."""

    def truth(self, by: Truth) -> NDArray[np.int64]:
        """Return the labels [N], -1 where there is none."""
        return self.ferplus if by == "ferplus" else self.faces.labels.astype(np.int64)


def draw(training: Faces, size: int | None, seed: int) -> Faces:
    """Return the faces that students of a seed train on; smaller draws begin larger ones."""
    order = np.random.default_rng([seed, 24]).permutation(len(training))
    return training.take(order[:size].astype(np.int64))


def for_test(splits: Splits, votes: Votes) -> TestFaces:
    """Return PublicTest in two halves, told apart by a hash of the pixels."""
    faces = without_copies(splits["PublicTest"], of=splits["Training"])
    has_majority, top = majority(faces, votes)
    return TestFaces(
        faces=faces,
        ferplus=np.where(has_majority, top, -1),
        reported=np.array([is_reported(image.tobytes()) for image in faces.images]),
    )


def is_reported(pixels: bytes) -> bool:
    """Return which half a face is in; copies of a face are in the same one."""
    return bool(hashlib.sha256(pixels).digest()[0] & 1)
