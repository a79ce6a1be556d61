"""The students, of four families, small enough for a CPU: `width` makes larger ones."""

from typing import Literal

import torch
from torch import Tensor, nn

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import ClassifierKind
from cctranslate.training.networks.classifiers import Classifier
from tests.bench.augment.gradients import GradientStudent

Student = Literal["plain", "gradients", "residual", "separable"]
STUDENTS: dict[Student, ClassifierKind | None] = {
    "plain": "plain",
    "gradients": None,
    "residual": "residual",
    "separable": "separable",
}
"""The networks of the package that students are; None: one of the bench. Of those that learn in a
few hundred steps, `plain` and `gradients` learn most in the same time."""
WIDTHS = (16, 32, 64)
BATCH = 64


def build(student: Student, width: int, seed: int, separate_norm: bool) -> nn.Module:
    """Return an untrained student; `width` multiplies its channels."""
    torch.manual_seed(seed)
    kind = STUDENTS[student]
    network = GradientStudent(width) if kind is None else _classifier(kind, width)
    if separate_norm:
        _separate(network)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _classifier(kind: ClassifierKind, width: int) -> Classifier:
    return Classifier(
        ClassifierRecipe(
            name=kind,
            about="a student of the augmentation bench",
            kind=kind,
            widths=tuple(width * w for w in WIDTHS),
            batch_size=BATCH,
            epochs=1,
            lr=0.05,
        )
    )


class SeparateNorm(nn.Module):
    """Batch norm that has other weights and statistics for results (AdvProp, Xie et al. 2020)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.real, self.results = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.on_results = False

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = (self.results if self.on_results else self.real)(x)
        return out


def _separate(network: nn.Module) -> None:
    for name, part in list(network.named_children()):
        if isinstance(part, nn.BatchNorm2d):
            setattr(network, name, SeparateNorm(part.num_features))
        else:
            _separate(part)


def switch(network: nn.Module, on_results: bool) -> None:
    """Choose which batch norms the next pass goes through, where there are two."""
    for part in network.modules():
        if isinstance(part, SeparateNorm):
            part.on_results = on_results
