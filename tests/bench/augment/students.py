"""The students, of three families, small enough for a CPU: `width` makes larger ones."""

from typing import Literal

import torch
from torch import Tensor, nn

from cctranslate.recipes.components import ClassifierKind
from cctranslate.recipes.spec import ClassifierRecipe
from cctranslate.training.networks.classifiers import Classifier

Student = Literal["plain", "residual", "separable"]
STUDENTS: dict[Student, tuple[ClassifierKind, tuple[int, int, int]]] = {
    "plain": ("plain", (16, 32, 64)),
    "residual": ("residual", (16, 32, 64)),
    "separable": ("separable", (16, 32, 64)),
}
BATCH = 64


def build(student: Student, width: int, seed: int, separate_norm: bool) -> Classifier:
    """Return an untrained student; `width` multiplies its channels."""
    torch.manual_seed(seed)
    kind, widths = STUDENTS[student]
    network = Classifier(
        ClassifierRecipe(
            name=student,
            about="a student of the augmentation bench",
            kind=kind,
            widths=tuple(width * w for w in widths),
            batch_size=BATCH,
            epochs=1,
            lr=0.05,
        )
    )
    if separate_norm:
        _separate(network)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


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
