"""RandAugment's operations on batches of faces."""

import pytest
import torch

from tests.bench.augment.randaugment import OPS


@pytest.mark.parametrize("number", range(len(OPS)))
def test_a_face_is_changed_as_it_would_be_alone(number: int) -> None:
    faces = torch.rand(4, 1, 48, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    faces[0] = faces[0] * 0.3 + 0.6
    together = OPS[number](faces, 0.3)
    alone = torch.cat([OPS[number](face[None], 0.3) for face in faces])
    torch.testing.assert_close(together, alone)
