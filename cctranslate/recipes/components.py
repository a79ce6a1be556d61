"""What recipes are made of: their common base, networks, loss weights and procedure."""

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
JUDGES = ("judge", "witness")
"""Classifiers that measure generators: no generator may be trained on them."""
LAZY = {"lazy": True}
"""Marks a loss term that is computed once in `Procedure.lazy` steps."""


@dataclass(frozen=True, kw_only=True)
class BaseRecipe:
    """A named experiment that `fit` can run."""

    name: str
    about: str = field(compare=False)
    """One line for `fit --list`; rewording it makes no other recipe of a run."""

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Names of the recipes that are trained before this one, each once, in order."""
        return ()

    @property
    def earlier_stages(self) -> tuple[Self, ...]:
        """The recipe up to each stage before its last: what is trained before it, in order."""
        return ()

    @property
    def needs_face_recognizer(self) -> bool:
        """Whether it is trained with the shipped face recognizer."""
        return False

    @property
    def backbone_weights(self) -> str | None:
        """Where the weights of a pretrained ResNet50 come from; None without one."""
        return None

    def with_backbone(self, weights: str) -> Self:
        """Return the recipe with other weights for its ResNet50: `random`, or a file.

        Raises:
            ValueError: it has none.
        """
        raise ValueError(f"{self.name} has no backbone: leave --backbone out")

    def with_changes(self, **changes: Any) -> Self:
        """Return the recipe with other `epochs`, `batch_size` or `lr`."""
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class GeneratorSpec:
    """The generator G: `unet` is the original's, `padded-unet` that of its first experiments.

    `flow` warps the parts of a face that move and paints what appears.
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


@dataclass(frozen=True, kw_only=True)
class DiscriminatorSpec:
    """The discriminator D: `strided` is the original's with its class head, `residual` is ours.

    `patch` is that of the original's first experiments; it and `resnet50` are given the label.
    """

    kind: DiscriminatorKind
    width: int = 0
    """Channels at the first scale; a `resnet50` has fixed widths."""
    label: LabelInput = "none"
    """Where the label enters (`patch`): it scales the input or the patches' logits."""
    head: int = 0
    """Outputs of a class head (`patch`): eight are the seven expressions and `fake`."""
    conditional: bool = True
    """One logit for each class (`residual`), else a single one. With a single one D only tells real
    faces from fakes: it cannot draw G to what else a class's faces share (hands before a fearful
    mouth)."""
    frozen: bool = False
    """Only what reads the backbone is trained (`resnet50`)."""
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
    """Real faces under a wrong label, which D is to reject (T1 to T14)."""
    adversarial: float = 1.0
    classification: float = 0.0
    """D's class head on fakes: G is to make it read the target."""
    guide: float = 0.0
    """Cross-entropy of frozen guide classifiers with the target, on jittered, noised fakes; faces
    whose target is their present expression are left out."""
    identity: float = field(default=0.0, metadata=LAZY)
    """One minus the cosine of frozen encoders' embeddings of a face and its translation."""
    drift: float = field(default=0.0, metadata=LAZY)
    """Squared distance between what a target's translations add to their sources' embeddings on
    average and what sets real faces of it apart: what all share beyond that is an artifact of G."""
    likeness: float = field(default=0.0, metadata=LAZY)
    """As `identity`, by the shipped face recognizer (`networks/pretrained/face_recognizer.py`)."""
    likeness_drift: float = field(default=0.0, metadata=LAZY)
    """As `drift`, by the face recognizer."""
    likeness_frechet: float = field(default=0.0, metadata=LAZY)
    """Frechet distance between the recognizer's embeddings of all translations and of their
    sources (`training/losses/frechet.py`)."""
    cycle: float = field(default=0.0, metadata=LAZY)
    """L1 between a face and its translation translated back: the true cycle."""
    reconstruction: float = 0.0
    """L1 between a face and its encoding decoded with its present label (T17 to T26)."""
    change: float = 0.0
    """Mean square of a translation's change: prefers many faint strokes to one strong stamp."""
    eyes: float = 0.0
    """Mean square of the change around the eyes, in addition: they show best who it is."""
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
    """One drawn target a face, one other than its expression, or all others of each (T24)."""
    paired: bool = False
    """D compares each translation with its source, which shares person, light and hands; else with
    another face, one that has the target's expression."""
    classes: ClassLoss = "zeros"
    """D's class head: sigmoid with zeros for fakes (T22) or with their targets (T21), softmax with
    their targets (T17), or softmax with an eighth class for fakes (the code of T9)."""
    domains: tuple[str, ...] = ()
    """The expressions that are trained on (T4); all seven if none are named."""
    shuffle: bool = True
    """Draw faces in a new order each epoch; T8 takes them in the dataset's order."""
    g_parts: int = 1
    """G steps on a batch's translations in this many parts, a target of each face in each (T24)."""
    g_every: int = 1
    """G steps once in this many D steps."""
    warm_up: float = 0.0
    """Fraction of the run before D, the cycle and the encoders come in: G follows its guides."""
    lazy: int = 1
    """The cycle and the identity terms are computed once in this many steps, with as many times the
    weight: that costs a generator of this size little and saves a third of a step."""
    lr_decay: bool = False
    """Cosine decay to zero over the second half of the run."""
    ema: float = 0.999
    """Decay of the averaged generator, which is what is exported."""
    flip: bool = False
    """Mirror half of the faces."""
    upper_face_targets: tuple[str, ...] = ()
    """Expressions that guides mostly read from the upper half of the face: below it, FER2013's
    frightened faces hold their hands, and G would paint fingers rather than open eyes."""
    cycle_noise: float = 0.0
    """Standard deviation of noise added before translating back: keeps G from hiding the source in
    its translation."""
    class_balance: float = 0.0
    """Sources are drawn by class size to the power of minus this; 0 is one plain pass an epoch."""
    vote_share: float = 0.0
    """Fraction of FER+ votes in the labels, where votes are given."""
    certainty: float = 0.0
    """Faces whose most likely label has less than this probability are left out."""


R = TypeVar("R", bound=BaseRecipe)


def derive(base: R, **changes: Any) -> R:
    """Return a changed copy of a recipe; a mapping changes single fields of a component.

    Raises:
        TypeError: a field that does not exist.
        ValueError: fields that contradict one another.
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
