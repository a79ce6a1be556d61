"""The building blocks of recipes: their base class, networks, loss weights and procedure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, Literal, Self, TypeVar

AdversarialLoss = Literal["bce", "least-squares", "relativistic"]
ClassLoss = Literal["zeros", "sigmoid", "softmax", "fake-class"]
GeneratorKind = Literal["unet", "padded-unet", "flow"]
DiscriminatorKind = Literal["strided", "patch", "resnet50", "residual"]
LabelInput = Literal["none", "input", "latent", "joined"]
Objective = Literal["expression", "identity"]
ClassifierKind = Literal["residual", "plain", "smooth", "separable", "strided", "resnet50"]
Targets = Literal["one", "one-other", "all-others"]
IMAGENET = "imagenet"
"""A backbone's weights as torchvision has them; a file or `random` may be named instead."""
LAZY = {"lazy": True}
"""Marks a loss term that is computed once in `Procedure.lazy` steps."""


@dataclass(frozen=True, kw_only=True)
class BaseRecipe:
    """A named experiment that `fit` can run."""

    name: str
    about: str = field(compare=False)
    """One line for `fit --list`; it may be reworded without changing the recipe."""

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Names of the recipes that are trained before this one, each once, in order."""
        return ()

    @property
    def earlier_stages(self) -> tuple[Self, ...]:
        """The recipes up to each of its earlier stages, which are trained before it, in order."""
        return ()

    @property
    def needs_face_recognizer(self) -> bool:
        """Whether it is trained with the shipped face recognizer."""
        return False

    @property
    def backbone_weights(self) -> str | None:
        """The source of a pretrained ResNet50's weights; None if the recipe has none."""
        return None

    def with_backbone(self, weights: str) -> Self:
        """Return the recipe with other weights for its ResNet50: `random`, or a file.

        Raises:
            ValueError: It has none.
        """
        raise ValueError(f"{self.name} has no backbone: leave --backbone out")

    def with_changes(self, **changes: Any) -> Self:
        """Return the recipe with other `epochs`, `batch_size` or `lr`."""
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class GeneratorSpec:
    """The generator G.

    `unet` is the original's, `padded-unet` that of its first experiments. `flow`, ours, warps the
    parts of a face that move and paints what appears.
    """

    kind: GeneratorKind
    width: int
    """Channels at the first scale."""
    blocks: int = 0
    """Label-modulated residual blocks (`flow`), or more latent convolutions (`padded-unet`)."""
    transform: bool = False
    """The original's transformation layer: label joined to the latent, then dense (`unet`)."""
    label: LabelInput = "joined"
    """Where the label enters (`padded-unet`): it scales the input or the latent, or joins it."""
    dropout: float = 0.0
    """Fraction of the decoder's features that are dropped (`padded-unet`)."""
    redrawn_at: tuple[float, ...] = ()
    """The strength of each expression at which the mouth of the result is redrawn by a network of
    its own (`flow`); none: it is not."""
    guidance: tuple[float, ...] = ()
    """The guidance at which the mouth of each expression is redrawn, if `redrawn_at` is given.
    Above 1 it exaggerates."""
    opacity: tuple[float, ...] = ()
    """The opacity, from 0 to 1, of each expression's redrawn mouth over the mouth before, if
    `redrawn_at` is given. 1 hides the mouth before."""


@dataclass(frozen=True, kw_only=True)
class DiscriminatorSpec:
    """The discriminator D.

    `strided` is the original's, with a class head, and `patch` that of its first experiments.
    `residual` is ours. `patch` and `resnet50` get the label as an input.
    """

    kind: DiscriminatorKind
    width: int = 0
    """Channels at the first scale; a `resnet50` has fixed widths."""
    label: LabelInput = "none"
    """Where the label enters (`patch`): it scales the input or the patches' logits."""
    head: int = 0
    """Outputs of a class head (`patch`): eight are the seven expressions and `fake`."""
    conditional: bool = True
    """Whether D has a logit for each class (`residual`), else a single one. With a single one D
    cannot teach G what else the faces of a class share, such as hands before a fearful mouth."""
    frozen: bool = False
    """Whether the backbone is not trained (`resnet50`)."""
    backbone: str = IMAGENET
    """The backbone's weights (`resnet50`): `imagenet`, `random`, or a file of them."""

    @property
    def sees_label(self) -> bool:
        """Whether D is given the label along with the face."""
        return self.kind == "resnet50" or self.label != "none"

    @property
    def has_class_head(self) -> bool:
        """Whether D also classifies the expression."""
        return self.kind == "strided" or self.head > 0


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights of the loss terms; 0 leaves a term out. The first three are D's, the rest G's."""

    d_adversarial: float = 1.0
    d_class: float = 0.0
    """D's class head, by the procedure's `classes`."""
    d_mismatch: float = 0.0
    """D's loss on real faces with a wrong label, which it must reject (T1 to T14)."""
    adversarial: float = 1.0
    classification: float = 0.0
    """G's loss by D's class head, which must read the target in fakes."""
    guide: float = 0.0
    """Cross-entropy of frozen guide classifiers with the target, on jittered, noised fakes; faces
    whose target is their present expression are left out."""
    identity: float = field(default=0.0, metadata=LAZY)
    """One minus the cosine of frozen encoders' embeddings of a face and its translation."""
    drift: float = field(default=0.0, metadata=LAZY)
    """Squared distance between the mean change that translations to a target make in embeddings,
    and the mean difference of real faces of it from others. What goes beyond is an artifact of
    G."""
    likeness: float = field(default=0.0, metadata=LAZY)
    """As `identity`, by the shipped face recognizer (`networks/pretrained/face_recognizer.py`)."""
    likeness_drift: float = field(default=0.0, metadata=LAZY)
    """As `drift`, by the face recognizer."""
    likeness_frechet: float = field(default=0.0, metadata=LAZY)
    """Frechet distance between the recognizer's embeddings of all translations and of their
    sources (`training/losses/frechet.py`)."""
    cycle: float = field(default=0.0, metadata=LAZY)
    """L1 between a face and its translation translated back."""
    reconstruction: float = 0.0
    """L1 between a face and its encoding decoded with its present label (T17 to T26)."""
    change: float = 0.0
    """Mean square of a translation's change: it favors many small changes over a large one."""
    eyes: float = 0.0
    """Mean square of the change around the eyes, in addition: people are recognized by them."""
    self_translation: float = 0.0
    """L1 between a face and its translation to the expression that it already has."""
    smoothness: float = 0.0
    """Squared gradient of the flow field (`flow`)."""
    r1: float = 0.0
    """Zero-centered gradient penalties R1 and R2, as gamma (R3GAN)."""


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """How a recipe is trained."""

    batch_size: int
    epochs: float
    lr: float
    betas: tuple[float, float]
    adversarial: AdversarialLoss
    targets: Targets
    """The targets of each face: a random one, a random other one, or all others (T24)."""
    paired: bool = False
    """Whether D compares each translation with its source, which shares person, light and hands;
    else it compares with another face, of the target's expression."""
    classes: ClassLoss = "zeros"
    """The loss of D's class head: sigmoid with zeros for fakes (T22) or with their targets (T21),
    softmax with their targets (T17), or with an eighth class for fakes (the code of T9)."""
    domains: tuple[str, ...] = ()
    """The expressions that are trained on (T4); all seven if none are named."""
    shuffle: bool = True
    """Whether faces are drawn in a new order each epoch; T8 takes the dataset's order."""
    g_parts: int = 1
    """G steps on a batch's translations in this many parts, a target of each face in each (T24)."""
    g_every: int = 1
    """G steps once in this many D steps."""
    warm_up: float = 0.0
    """Fraction of the run in which G learns from guides alone, without D, cycle and encoders."""
    lazy: int = 1
    """The cycle and the identity terms are computed once in this many steps, with as many times the
    weight: that saves a third of the time, and hurts little."""
    lr_decay: bool = False
    """Whether the learning rate decays to zero over the second half of the run, by a cosine."""
    ema: float = 0.999
    """Decay of the averaged generator, which is exported."""
    flip: bool = False
    """Whether half of the faces are mirrored."""
    upper_face_targets: tuple[str, ...] = ()
    """Expressions that guides mostly read from the upper half of the face. Otherwise G would paint
    fingers for fear: many frightened faces in FER2013 have hands before their mouth."""
    cycle_noise: float = 0.0
    """Standard deviation of noise added before translating back. It keeps G from hiding the source
    in its translation."""
    class_balance: float = 0.0
    """Faces are drawn by class size to the power of minus this; 0: each face once an epoch."""
    vote_share: float = 0.0
    """Fraction of FER+ votes in the labels, where votes are given."""
    certainty: float = 0.0
    """Faces whose most likely label has less than this probability are left out."""


R = TypeVar("R", bound=BaseRecipe)


def derive(base: R, **changes: Any) -> R:
    """Return a changed copy of a recipe; a mapping changes single fields of a component.

    Raises:
        TypeError: A field that does not exist.
        ValueError: Fields that contradict one another.
    """
    return replace(
        base,
        **{
            name: replace(getattr(base, name), **change)
            if isinstance(change, Mapping) and is_dataclass(getattr(base, name, None))
            else change
            for name, change in changes.items()
        },
    )
