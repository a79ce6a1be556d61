"""Classifier recipes: judge and witness, and the guides and encoders that teach `flow`."""

from dataclasses import dataclass, replace
from typing import Self

from cctranslate.recipes.components import (
    IMAGENET,
    BaseRecipe,
    ClassifierKind,
    Objective,
    derive,
)


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(BaseRecipe):
    """A classifier: a judge, a guide, or an encoder that tells people apart."""

    objective: Objective = "expression"
    """Classify expressions by label, or tell faces apart without labels."""
    kind: ClassifierKind
    widths: tuple[int, ...]
    """Channels at 24x24, 12x12, 6x6 and, of `strided`, 3x3; 2048 features of `resnet50`."""
    backbone: str = IMAGENET
    """The backbone's weights (`resnet50`): `imagenet`, `random`, or a file of them."""
    batch_size: int
    epochs: float
    lr: float
    """Peak learning rate of a one-cycle schedule (SGD with momentum)."""
    weight_decay: float = 5e-4
    dropout: float = 0.2
    ema: float = 0.998
    vote_share: float = 0.0
    """Fraction of FER+ votes in the labels, where votes are given."""
    class_balance: float = 0.0
    """Faces are drawn by class size to the power of minus this; 0: each face once an epoch."""
    noise: float = 0.0
    """Standard deviation of noise on training faces. It smooths a guide's gradients."""
    adversarial: float = 0.0
    """Length (L2) of an adversarial step on training faces. It turns a guide's gradients into
    visible changes of a face."""
    mirrored: bool = False
    """Whether the trained classifier takes the mean over each face and its mirror image."""

    @property
    def backbone_weights(self) -> str | None:
        """The source of its ResNet50's weights; None for other kinds."""
        return self.backbone if self.kind == "resnet50" else None

    def with_backbone(self, weights: str) -> Self:
        """Return the recipe with other weights for its ResNet50.

        Raises:
            ValueError: It is none.
        """
        if self.backbone_weights is None:
            return super().with_backbone(weights)
        return replace(self, backbone=weights)


JUDGE = ClassifierRecipe(
    name="judge",
    about="the independent classifier that confirms results; no generator is trained on it",
    kind="residual",
    widths=(32, 64, 112),
    batch_size=64,
    epochs=40,
    lr=0.05,
    vote_share=1.0,
)

WITNESS = ClassifierRecipe(
    name="witness",
    about="a second opinion for `evaluate`: unlike the judge in architecture, seen by no generator",
    kind="plain",
    widths=(40, 80, 128),
    batch_size=64,
    epochs=20,
    lr=0.05,
    vote_share=0.7,
    mirrored=True,
)

GUIDE_SMOOTH = ClassifierRecipe(
    name="guide-smooth",
    about="teaches G the expression: group norm and SiLU, hardened by noise and adversarial steps",
    kind="smooth",
    widths=(32, 64, 96),
    batch_size=64,
    epochs=8,
    lr=0.05,
    vote_share=0.7,
    class_balance=0.5,
    noise=0.1,
    adversarial=0.5,
)

ENCODER = ClassifierRecipe(
    name="encoder",
    about="teaches G to keep the person: tells faces of one expression apart",
    objective="identity",
    kind="plain",
    widths=(32, 64, 128),
    batch_size=192,
    epochs=10,
    lr=0.1,
    dropout=0.0,
)

GUIDE_PLAIN = ClassifierRecipe(
    name="guide-plain",
    about="teaches G the expression: plain convolutions, hardened by noise and adversarial steps",
    kind="plain",
    widths=(32, 64, 96),
    batch_size=64,
    epochs=12,
    lr=0.05,
    vote_share=0.7,
    class_balance=0.75,
    noise=0.1,
    adversarial=0.3,
)

GUIDE_SHARP = derive(
    GUIDE_PLAIN,
    name="guide-sharp",
    about="guide-plain, wider and without adversarial steps: more often right",
    widths=(40, 72, 112),
    epochs=18,
    class_balance=0.5,
    adversarial=0.0,
)

GUIDE_CLEAR = derive(
    GUIDE_SMOOTH,
    name="guide-clear",
    about="guide-smooth without adversarial steps: more often right",
    epochs=18,
    adversarial=0.0,
)

GUIDE_WIDE = ClassifierRecipe(
    name="guide-wide",
    about="teaches G the expression: plain convolutions, wider, in larger batches",
    kind="plain",
    widths=(64, 112, 160),
    batch_size=256,
    epochs=30,
    lr=0.12,
    vote_share=0.7,
    class_balance=0.5,
    noise=0.1,
)

GUIDE_SOFT = derive(
    GUIDE_WIDE,
    name="guide-soft",
    about="guide-wide with group norm and SiLU",
    kind="smooth",
    widths=(48, 96, 144),
)

GUIDE_BROAD = derive(
    GUIDE_WIDE,
    name="guide-broad",
    about="guide-wide with separable convolutions, trained on FER+ votes alone",
    kind="separable",
    widths=(64, 128, 192),
    vote_share=1.0,
)

GUIDE_LABELS = derive(
    GUIDE_WIDE,
    name="guide-labels",
    about="guide-wide, trained mostly on FER2013's labels instead of FER+ votes",
    widths=(48, 88, 136),
    vote_share=0.3,
)

GUIDE_FINE = derive(
    GUIDE_BROAD,
    name="guide-fine",
    about="guide-broad, trained mostly on FER2013's labels instead of FER+ votes",
    widths=(48, 96, 160),
    vote_share=0.3,
)

ENCODER_PLAIN = derive(
    ENCODER,
    name="encoder-plain",
    about="encoder, wider and in larger batches",
    widths=(48, 96, 160),
    batch_size=384,
    epochs=30,
    lr=0.15,
)

ENCODER_SMOOTH = derive(
    ENCODER_PLAIN,
    name="encoder-smooth",
    about="encoder-plain with group norm and SiLU",
    kind="smooth",
    widths=(32, 64, 128),
)

ALL = (
    *(JUDGE, WITNESS),
    *(GUIDE_SMOOTH, GUIDE_PLAIN, GUIDE_SHARP, GUIDE_CLEAR),
    *(GUIDE_WIDE, GUIDE_SOFT, GUIDE_BROAD, GUIDE_LABELS, GUIDE_FINE),
    *(ENCODER, ENCODER_PLAIN, ENCODER_SMOOTH),
)
