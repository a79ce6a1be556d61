"""The student: a translator that learns from pairs that a teacher made, then from all faces."""

from dataclasses import dataclass, replace

from cctranslate.emotions import NUM_CLASSES
from cctranslate.recipes.components import JUDGES, BaseRecipe, GeneratorSpec


@dataclass(frozen=True, kw_only=True)
class PairedWeights:
    """Weights of G's loss terms; those of the discriminators say how strongly they pull.

    That is the ratio of the norm of the term's gradient at the results to that of `pair`'s: a
    discriminator's slope grows while it learns, so that no fixed weight would do (VQGAN, Esser et
    al. 2021).
    """

    pair: float
    """L1 to the pair's result, more where faces show expressions."""
    edges: float
    """L1 between the slopes of either: else an L1 of uncertain results is a blur."""
    coarse: float = 0.0
    """L1 to the anchor of a face without a pair, of pictures a quarter as fine; in full outside
    eyes and mouth."""
    whole: float
    """The pull of a discriminator of whole faces."""
    mouth: float
    """That of one of mouths, cut out by landmarks."""
    eyes: float
    """That of one of eyes and brows."""
    features: float = 0.0
    """That of one that sees a pretrained network's features of mouths and eyes, not pixels."""
    guide: float
    """Cross-entropy of frozen guides, on jittered, noised results; of faces that are not hard."""
    neutral_guide: float = 1.0
    """How many times as much that counts for `neutral`, which is the hardest to read."""
    likeness: float
    """One minus the cosine of the face recognizer's embeddings before and after."""
    smoothness: float
    """Squared gradient of the flow field."""
    r1: float
    """Zero-centered gradient penalties of the discriminators of pixels, as gamma (R3GAN)."""


@dataclass(frozen=True, kw_only=True)
class StudentRecipe(BaseRecipe):
    """A translator that goes on from another one's generator and learns from pairs."""

    pairs: str
    """The recipe of the pairs, which are made first."""
    translator: str
    """The recipe whose generator it begins with; it is trained first. A student's discriminators
    are taken over, too."""
    generator: GeneratorSpec
    """That of the translator."""
    d_widths: tuple[int, int, int, int]
    """Channels of each discriminator, whose scales are 24, 12, 12 and 6 for whole faces."""
    guides: tuple[str, ...]
    weights: PairedWeights
    batch_size: int
    epochs: float
    """Passes over the pairs, one pair for each face and target."""
    lr: float
    d_lr: float
    warm_up: int
    """Steps until the learning rate and the discriminators' weights are reached."""
    ema: float = 0.998
    """Decay of the averaged generator, which is what is exported."""
    vote_share: float = 0.7
    same: float = 0.1
    """Fraction of a batch whose target is the expression that the face has: it is to stay as it
    is."""
    neutral: float = 1.0
    """How many times as often as another expression `neutral` is the target."""
    unpaired: float = 0.0
    """Fraction of a batch that are faces without a pair, of all that are not very hard to change.
    What the translator makes of them is an anchor that they follow coarsely: it says what is to
    change, the discriminators say how that looks. Faces that lie tilted, aside, large or small
    have no pairs then: their anchors are made where they are upright."""
    strengths: tuple[float, ...] = (1.0,) * NUM_CLASSES
    """How far each expression is carried, in training and in anchors: the exported graph's gains,
    as discriminators must see what ships."""
    turned: float = 0.0
    """Fraction of faces that are turned about the picture's middle, with what they are to become:
    tilted faces are rare, and a translator that has hardly seen any draws eyes on foreheads."""

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """The translator, the guides, then the pairs."""
        return (self.translator, *self.guides, self.pairs)

    @property
    def needs_face_recognizer(self) -> bool:
        """True: `likeness` compares its embeddings of a face and of the result."""
        return True

    def __post_init__(self) -> None:
        for name in JUDGES:
            if name in self.guides:
                raise ValueError(f"{self.name}: guides names the {name}, which teaches no G")
        if (self.unpaired > 0) != (self.weights.coarse > 0):
            raise ValueError(f"{self.name}: unpaired and weights.coarse go together")
        if not 0 <= self.unpaired < 1:
            raise ValueError(f"{self.name}: unpaired is a fraction less than 1")


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
    about="goes on with all faces and a discriminator of a pretrained network's features; it ships",
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
