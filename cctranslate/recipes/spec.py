"""What one experiment is: frozen dataclasses, so that a recipe is data and a typo is an error."""

from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, Literal, TypeVar

AdversarialLoss = Literal["bce", "least-squares", "relativistic"]
ClassLoss = Literal["zeros", "sigmoid", "softmax", "fake-class"]
GeneratorKind = Literal["unet", "padded-unet", "flow"]
DiscriminatorKind = Literal["strided", "patch", "resnet50", "residual"]
LabelPlace = Literal["none", "input", "latent", "joined"]
Objective = Literal["expression", "identity"]
ClassifierKind = Literal["residual", "plain", "smooth", "separable", "strided", "resnet50"]
Targets = Literal["one", "one-other", "all-others"]
IMAGENET = "imagenet"
"""Where a backbone's weights come from, unless a file or `random` is named instead."""


@dataclass(frozen=True, kw_only=True)
class GeneratorSpec:
    """The translator: `unet` is the seed's, `padded-unet` that of its first experiments.

    `flow` warps what moves and paints what appears.
    """

    kind: GeneratorKind
    width: int
    """Channels at the first scale."""
    blocks: int = 0
    """Label-modulated residual blocks (`flow`), or more latent convolutions (`padded-unet`)."""
    transform: bool = False
    """The seed's transformation layer: label joined to the latent, then dense (`unet`)."""
    label: LabelPlace = "joined"
    """Where the label comes in (`padded-unet`): it scales the input or the latent, or joins it."""
    dropout: float = 0.0
    """Share of the decoder's features that are dropped (`padded-unet`)."""


@dataclass(frozen=True, kw_only=True)
class DiscriminatorSpec:
    """The critic: `strided` is the seed's with its class head, `residual` is ours.

    `patch` is that of the seed's first experiments, which is told the label; so is `resnet50`.
    """

    kind: DiscriminatorKind
    width: int = 0
    """Channels at the first scale; a `resnet50` has its own."""
    label: LabelPlace = "none"
    """Where the label comes in (`patch`): it scales the input or the patches' logits."""
    head: int = 0
    """Outputs of a class head (`patch`): eight are the seven expressions and `fake`."""
    conditional: bool = True
    """A logit for each class (`residual`); else one for all: D then asks for real faces alone, and
    cannot draw a face to what else a class's faces share (hands before a fearful mouth)."""
    frozen: bool = False
    """The backbone is not trained, only what reads it (`resnet50`)."""
    backbone: str = IMAGENET
    """The backbone's weights (`resnet50`): `imagenet`, `random`, or a file of them."""


LAZY = {"lazy": True}
"""Marks a term that is computed once in `Procedure.lazy` steps."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights of the loss terms; 0 leaves a term out. The first three are D's, the rest G's."""

    d_adversarial: float = 1.0
    d_class: float = 0.0
    """D's class head, by the procedure's `classes`."""
    d_mismatch: float = 0.0
    """Real faces under a label that is not theirs, which D is to refuse (T1 to T14)."""
    adversarial: float = 1.0
    classification: float = 0.0
    """D's class head on fakes, which G wants to be the target's."""
    guide: float = 0.0
    """Frozen guide classifiers on jittered, noised fakes (cross-entropy with the target), but for
    faces that are to keep their own expression."""
    identity: float = field(default=0.0, metadata=LAZY)
    """One minus the cosine of frozen encoders' embeddings of a face and its translation."""
    drift: float = field(default=0.0, metadata=LAZY)
    """Squared distance between what a target's translations add to their sources' embeddings on
    average and what sets real faces of it apart: what they all share beyond that is G's mark."""
    likeness: float = field(default=0.0, metadata=LAZY)
    """As `identity`, by the face recognizer that ships (`training/networks/face_recognizer.py`)."""
    likeness_drift: float = field(default=0.0, metadata=LAZY)
    """As `drift`, by that recognizer."""
    likeness_frechet: float = field(default=0.0, metadata=LAZY)
    """Frechet distance of its embeddings of all translations to those of the faces they were
    (`training/losses/frechet.py`)."""
    cycle: float = field(default=0.0, metadata=LAZY)
    """L1 between a face and its translation translated back: the true cycle."""
    reconstruction: float = 0.0
    """L1 between a face and its own encoding decoded with its own label (the log's T17 to T26)."""
    change: float = 0.0
    """Mean square of a translation's change: many faint strokes rather than one loud stamp."""
    eyes: float = 0.0
    """Mean square of its change about the eyes, besides: by them people are told apart."""
    own: float = 0.0
    """L1 between a face and its translation to its own expression, which it already has."""
    smoothness: float = 0.0
    """Squared gradient of the flow field (`flow`)."""
    r1: float = 0.0
    """Zero-centred gradient penalties R1 and R2, as gamma (R3GAN)."""


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """How training goes about it."""

    batch_size: int
    epochs: float
    lr: float
    betas: tuple[float, float]
    adversarial: AdversarialLoss
    targets: Targets
    """One drawn target a face, one other than its own, or all others of each (T24)."""
    paired: bool = False
    """D compares each result of one drawn target with the face it was made of, whose person, light
    and hands it shares; else with another face, one that has the target's expression."""
    fresh_d: bool = False
    """D begins anew where G goes on from another recipe: what it is to tell apart has changed."""
    kept: float = 0.0
    """Share of the weights of the G that it went on from in those of the G that it ends as: between
    the two lie some that are better than either (WiSE-FT, Wortsman et al. 2022)."""
    classes: ClassLoss = "zeros"
    """D's class head: sigmoid with zeros for fakes (T22) or with their targets (T21), softmax with
    their targets (T17), or softmax with an eighth class for fakes (the code of T9)."""
    domains: tuple[str, ...] = ()
    """The only expressions that there are (T4); all seven if none are named."""
    shuffle: bool = True
    """Faces are drawn in a new order each epoch; T8 takes them as they lie."""
    g_parts: int = 1
    """G steps on a batch's translations in so many parts, a target of each face in each (T24)."""
    g_every: int = 1
    """G steps once in this many D steps."""
    warm_up: float = 0.0
    """Share of the run before D, the cycle and the encoder come in: first G follows its guides."""
    lazy: int = 1
    """The cycle and the encoder's identity are taken once in so many steps, so many times as heavy,
    which costs a generator of this size little and saves a third of a step."""
    lr_decay: bool = False
    """Cosine decay to zero over the second half of the run."""
    ema: float = 0.999
    """Decay of the averaged generator, which is what is exported."""
    flip: bool = False
    """Faces are mirrored half of the time."""
    by_the_eyes: tuple[str, ...] = ()
    """Expressions that the guides mostly read from the upper half alone: below it FER2013's
    frightened faces hold their hands, and G would paint fingers rather than open eyes."""
    cycle_noise: float = 0.0
    """Standard deviation of the noise before the way back: against hiding the source in it."""
    class_balance: float = 0.0
    """Sources are drawn by class size to the power of minus this; 0 is one plain pass an epoch."""
    vote_share: float = 0.0
    """Share of FER+ votes in the labels, where votes are given."""
    certainty: float = 0.0
    """Faces whose most likely label has less than this probability are left out."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A translation experiment."""

    name: str
    about: str
    generator: GeneratorSpec
    discriminator: DiscriminatorSpec
    weights: Weights
    procedure: Procedure
    guides: tuple[str, ...] = ()
    """Classifier recipes trained before G, which then learns from them; never the judge."""
    encoders: tuple[str, ...] = ()
    """Recipes with objective `identity`, trained before G, for `weights.identity` and `drift`."""
    start: str | None = None
    """The recipe of the same networks, trained before, whose G this one goes on from, and
    whose D unless the procedure begins with a fresh one."""

    @property
    def teachers(self) -> tuple[str, ...]:
        """The classifiers that it learns from itself: its guides, then its encoders."""
        return self.guides + self.encoders

    def __post_init__(self) -> None:
        weights, procedure = self.weights, self.procedure
        if bool(self.guides) != (weights.guide > 0):
            raise ValueError(f"{self.name}: guides and weights.guide go together")
        if bool(self.encoders) != (weights.identity > 0):
            raise ValueError(f"{self.name}: encoders and weights.identity go together")
        if weights.drift > 0 and not self.encoders:
            raise ValueError(f"{self.name}: weights.drift needs encoders")
        for name in ("judge", "witness"):
            if name in self.guides:
                raise ValueError(f"{self.name}: guides names the {name}, which no G is trained on")
        for name in ("likeness_drift", "likeness_frechet"):
            if getattr(weights, name) > 0 and not weights.likeness:
                raise ValueError(f"{self.name}: weights.{name} needs weights.likeness")
        if procedure.adversarial == "relativistic" and procedure.targets != "one":
            raise ValueError(f"{self.name}: adversarial 'relativistic' pairs need targets 'one'")
        if procedure.paired and procedure.targets != "one":
            raise ValueError(f"{self.name}: procedure.paired needs targets 'one'")
        if procedure.fresh_d and not self.start:
            raise ValueError(f"{self.name}: procedure.fresh_d needs a start to go on from")
        if procedure.kept and not self.start:
            raise ValueError(f"{self.name}: procedure.kept needs a start to keep some of")
        if weights.classification > 0 and weights.d_class == 0:
            raise ValueError(f"{self.name}: weights.classification needs weights.d_class")
        headed = self.discriminator.kind == "strided" or self.discriminator.head > 0
        if headed != (weights.d_class > 0):
            raise ValueError(
                f"{self.name}: a discriminator with a class head ('strided', or any with head) and "
                "weights.d_class go together"
            )
        if procedure.warm_up and not self.guides:
            raise ValueError(f"{self.name}: procedure.warm_up needs guides to follow")
        told = self.discriminator.kind == "resnet50" or self.discriminator.label != "none"
        if weights.d_mismatch > 0 and not told:
            raise ValueError(
                f"{self.name}: weights.d_mismatch needs a discriminator told the label"
            )
        if procedure.g_parts > 1 and procedure.targets != "all-others":
            raise ValueError(f"{self.name}: g_parts needs targets 'all-others'")
        if weights.smoothness > 0 and self.generator.kind != "flow":
            raise ValueError(f"{self.name}: weights.smoothness needs generator 'flow'")


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe:
    """A classifier experiment: the judge, a guide, or an encoder that tells faces apart."""

    name: str
    about: str
    objective: Objective = "expression"
    """What it tells apart: expressions by label, or faces from one another without any."""
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
    class_balance: float = 0.0
    """Faces are drawn by class size to the power of minus this; 0 is one plain pass an epoch."""
    noise: float = 0.0
    """Standard deviation of noise on training faces: smooths the gradients a guide gives."""
    adversarial: float = 0.0
    """Length (L2) of an adversarial step on training faces: a robust guide's gradients show."""
    mirrored: bool = False
    """Once trained it reads each face and its mirror image, and gives the mean."""


AnyRecipe = Recipe | ClassifierRecipe
R = TypeVar("R", Recipe, ClassifierRecipe)


def derive(base: R, **changes: Any) -> R:
    """A changed copy of a recipe; a dict alters one part of it.

    Raises:
        TypeError: a field that there is not.
        ValueError: fields that contradict one another.
    """
    return replace(
        base,
        **{
            name: replace(getattr(base, name), **change)
            if isinstance(change, dict) and is_dataclass(getattr(base, name, None))
            else change
            for name, change in changes.items()
        },
    )


def backbone_of(recipe: AnyRecipe) -> str | None:
    """Where a recipe's ResNet50 begins from; None if it has none."""
    network = recipe.discriminator if isinstance(recipe, Recipe) else recipe
    return network.backbone if network.kind == "resnet50" else None
