"""Pair makers for tests: small networks, and a guide that gives one fixed answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.components import derive
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.pairs import PAIRS, DrawSpec
from cctranslate.recipes.teacher import TEACHER
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.pairs.draw import DrawNetworks
from cctranslate.training.trainers.pair_maker import PairMaker
from tests.support import pictures

COUNT = 14
RECIPE = derive(
    PAIRS,
    draws=(
        DrawSpec(kind="result"),
        DrawSpec(kind="repair", count=1, begin=0.8, guidance=1.0, steps=1),
        DrawSpec(kind="translate", count=2, begin=0.0, guidance=1.5, steps=1),
    ),
    batch_size=4,
    target_chance=0.5,
    cosine=-1,
    critic_quantile=0.0,
    critics=("mouth",),
    critic_epochs=1,
)


Maker = Callable[..., PairMaker]


class Guide(nn.Module):
    """Reads every face as surprised."""

    def forward(self, x: Tensor) -> Tensor:
        return 9 * torch.eye(7)[5].expand(len(x), -1)


def maker_in(root: Path) -> Maker:
    """Return a function that gives a maker of pairs in a folder below `root`."""
    faces = pictures.drawn_faces([i % 7 for i in range(COUNT)])
    torch.manual_seed(0)
    networks = DrawNetworks(
        teacher=Denoiser(derive(TEACHER, widths=(8, 16, 16), embedding=32)),
        guides=(Guide(),),  # type: ignore[arg-type]
        recognizer=face_recognizer.load(),
        generator=build_generator(FLOW.generator),
    )
    points = np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1))

    def maker(
        folder: str = "run", seed: int = 0, has_landmarks: bool = True, **changes: Any
    ) -> PairMaker:
        (root / folder).mkdir(exist_ok=True)
        return PairMaker(
            derive(RECIPE, **changes),
            folder=root / folder,
            faces=faces,
            votes=None,
            face_landmarks=Landmarks(points=points, has_landmarks=np.full(COUNT, has_landmarks)),
            embeddings=np.zeros((COUNT, 128), np.float32),
            networks=networks,
            device=torch.device("cpu"),
            seed=seed,
        )

    return maker
