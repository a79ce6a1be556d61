"""The student: a translator that learns from pairs that a teacher made, then from all faces."""

from dataclasses import dataclass, replace

from cctranslate.emotions import NUM_CLASSES
from cctranslate.recipes.components import BaseRecipe, GeneratorSpec
from cctranslate.recipes.rules import refuse_judges


@dataclass(frozen=True, kw_only=True)
class PairedWeights:
    """Weights of G's loss terms.

    The weight of a discriminator is a ratio of gradient norms at the results: of its term to the
    term `pair`. A discriminator's gradient grows while it learns, so a fixed factor would not do
    (VQGAN, Esser et al. 2021).
    """

    pair: float
    """L1 to the pair's result, with more weight where faces show expressions."""
    edges: float
    """L1 between the gradients of the two pictures: L1 alone would blur uncertain results."""
    coarse: float = 0.0
    """L1 to the anchor of a face without a pair, between means over 4x4 pixels; outside eyes and
    mouth also between single pixels."""
    whole: float
    """Ratio for the discriminator of whole faces."""
    mouth: float
    """Ratio for the discriminator of mouths, cropped by landmarks."""
    eyes: float
    """Ratio for the discriminator of eyes and brows."""
    features: float = 0.0
    """Ratio for the discriminator of a pretrained network's features of mouths and eyes."""
    guide: float
    """Cross-entropy of frozen guides, on jittered, noised results; hard faces are left out."""
    neutral_guide: float = 1.0
    """Factor of `guide` for the target `neutral`, which is the hardest to read."""
    likeness: float
    """One minus the cosine of the face recognizer's embeddings before and after."""
    smoothness: float
    """Squared gradient of the flow field."""
    r1: float
    """Zero-centered gradient penalties of the discriminators of pixels, as gamma (R3GAN)."""


@dataclass(frozen=True, kw_only=True)
class StudentRecipe(BaseRecipe):
    """Trains the generator of another translator further, on pairs."""

    pairs: str
    """The recipe of the pairs, made before."""
    translator: str
    """The recipe, trained before, whose generator it starts from; if that is a student, also its
    discriminators."""
    generator: GeneratorSpec
    """The generator of the translator."""
    d_widths: tuple[int, int, int, int]
    """Channels of each discriminator, at 24, 12, 12 and 6 pixels a side for whole faces."""
    guides: tuple[str, ...]
    weights: PairedWeights
    batch_size: int
    epochs: float
    """Passes over the pairs. Each face and target has one pair."""
    lr: float
    d_lr: float
    warm_up: int
    """Steps over which the learning rate and the discriminators' weights rise."""
    ema: float = 0.998
    """Decay of the averaged generator, which is exported."""
    vote_share: float = 0.7
    """Fraction of FER+ votes in the labels, where votes are given."""
    same: float = 0.1
    """Fraction of a batch whose target is the face's expression: these faces must not change."""
    neutral: float = 1.0
    """How many times as often as any other expression `neutral` is the target."""
    unpaired: float = 0.0
    """Fraction of a batch that are faces without a pair; very hard faces are left out. They follow
    their anchors, the translator's results, coarsely: the anchor decides what changes, the
    discriminators how it looks. Faces that are tilted, off the middle, large or small get anchors
    and no pairs."""
    strengths: tuple[float, ...] = (1.0,) * NUM_CLASSES
    """Strength of each expression in training and in anchors. They become the gains of the exported
    graph, as discriminators must see what ships."""
    turned: float = 0.0
    """Fraction of faces that are turned about the picture's middle, with their pairs or anchors.
    Tilted faces are rare, and a translator that has hardly seen any draws eyes on foreheads."""

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """The translator, the guides, then the pairs."""
        return (self.translator, *self.guides, self.pairs)

    @property
    def needs_face_recognizer(self) -> bool:
        """True: `likeness` compares its embeddings of a face and of the result."""
        return True

    def __post_init__(self) -> None:
        refuse_judges(self.name, self.guides)
        if (self.unpaired > 0) != (self.weights.coarse > 0):
            raise ValueError(f"{self.name}: unpaired and weights.coarse go together")
        if not 0 <= self.unpaired < 1:
            raise ValueError(f"{self.name}: unpaired is a fraction less than 1")


@dataclass(frozen=True, kw_only=True)
class MouthStudentRecipe(BaseRecipe):
    """Trains the part of a generator that redraws the mouths of its results.

    It learns the velocity that a teacher of mouths predicts at the times of two steps, at each
    guidance of a range (guidance distillation: Meng et al. 2023). The rest of the generator stays
    as it is.
    """

    translator: str
    """The recipe, trained before, whose generator it starts from."""
    mouth_teacher: str
    """The recipe, trained before, of the teacher of mouths."""
    generator: GeneratorSpec
    """The translator's generator, with `redrawn_at`, `guidance` and `opacity`."""
    guidances: tuple[float, float]
    """The least and the largest guidance that the networks learn. Losses depend on neither
    `generator.guidance` nor `generator.opacity`, so other values need no other weights."""
    gains: tuple[float, float]
    """The least and the largest factor of the strengths that mouths are redrawn at in training."""
    batch_size: int
    epochs: float
    lr: float
    """Learning rate of Muon for weight matrices; Adam's for the rest is `adam_lr`."""
    adam_lr: float
    ema: float = 0.999
    """Decay of the averaged weights, which are exported."""
    vote_share: float = 0.7
    """Fraction of FER+ votes in the labels, where votes are given."""
    class_balance: float = 0.0
    """Faces are drawn by class size to the power of minus this; 0: each face once an epoch."""

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """The translator, then the teacher of mouths."""
        return (self.translator, self.mouth_teacher)

    @property
    def strengths(self) -> tuple[float, ...]:
        """Strength of each expression: the gains of the exported graph."""
        return self.generator.redrawn_at

    def __post_init__(self) -> None:
        for needed in ("redrawn_at", "guidance", "opacity"):
            if len(getattr(self.generator, needed)) != NUM_CLASSES:
                raise ValueError(f"{self.name}: generator.{needed} needs a number an expression")
        least, largest = self.guidances
        if not all(least <= each <= largest for each in self.generator.guidance):
            raise ValueError(f"{self.name}: generator.guidance is not within guidances")


STUDENT_START = StudentRecipe(
    name="student-start",
    about="goes on from flow's generator and learns the pairs, by discriminators of face parts",
    pairs="pairs",
    translator="flow",
    generator=GeneratorSpec(kind="flow", width=32, blocks=4),
    d_widths=(48, 64, 96, 128),
    guides=("guide-sharp", "guide-clear"),
    weights=PairedWeights(
        pair=60,
        edges=20,
        whole=0.4,
        mouth=0.45,
        eyes=0.45,
        guide=1,
        likeness=1,
        smoothness=0.05,
        r1=0.05,
    ),
    batch_size=24,
    epochs=2,
    lr=3e-4,
    d_lr=4e-4,
    warm_up=400,
)

STUDENT = replace(
    STUDENT_START,
    name="student",
    about="goes on with all faces and a discriminator of a pretrained network's features",
    translator="student-start",
    weights=replace(
        STUDENT_START.weights,
        coarse=120,
        whole=0.6,
        mouth=1.0,
        eyes=0.8,
        features=3.0,
        neutral_guide=1.6,
    ),
    epochs=1,
    lr=2e-4,
    same=0.08,
    neutral=2.0,
    unpaired=0.75,
    strengths=(1.25, 1.4, 1.3, 1.25, 1.25, 1.2, 1.15),
    turned=0.35,
)

MOUTH_STUDENT = MouthStudentRecipe(
    name="mouth-student",
    about="goes on from the student: redraws mouths as `mouth-teacher`, in two steps; it ships",
    translator="student",
    mouth_teacher="mouth-teacher",
    generator=replace(
        STUDENT.generator,
        # Further than the student was trained at: viewers read more, and find as many natural.
        redrawn_at=(1.4, 1.65, 1.45, 1.25, 1.5, 1.3, 1.45),
        # More where results are hard to read, less where they look exaggerated.
        guidance=(2.5, 1.5, 1.5, 2.0, 2.0, 1.25, 2.5),
        # With a third, results are read as often as with all of it. Smiles need more, as teeth
        # would show twice; viewers tended to prefer more for `neutral`, too.
        opacity=(0.33, 0.33, 0.33, 0.9, 0.33, 0.33, 0.45),
    ),
    guidances=(1, 3),
    gains=(0.8, 1.2),
    batch_size=64,
    epochs=20,
    lr=3e-3,
    adam_lr=1.5e-3,
    class_balance=0.4,
)
