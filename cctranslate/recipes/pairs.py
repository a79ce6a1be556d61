"""Pairs of faces and their translations, made by the translator and the teacher for a student."""

from dataclasses import dataclass
from typing import Any, Literal, Self

from cctranslate.recipes.components import JUDGES, BaseRecipe

DrawKind = Literal["result", "repair", "translate"]


@dataclass(frozen=True, kw_only=True)
class DrawSpec:
    """One way in which results are made."""

    kind: DrawKind
    """`result` is what the translator makes of a face. The teacher noises it and fills it
    in again (`repair`), or the face itself (`translate`); neither where that is hard to change."""
    count: int = 1
    """Draws for each face and target."""
    strength: float = 1.0
    """Of the translator; faces that are hard to change get less of it."""
    begin: float = 1.0
    """The time that the noised picture starts at: 0 is noise alone, 1 the picture itself."""
    guidance: float = 1.0
    steps: int = 0
    """Steps of Heun's method: twice as many evaluations, less one."""

    def __post_init__(self) -> None:
        if (self.kind == "result") != (self.steps == 0):
            raise ValueError("draws: a `result` takes no steps of the teacher, the others do")


@dataclass(frozen=True, kw_only=True)
class PairsRecipe(BaseRecipe):
    """What is drawn of which faces, and which results are kept."""

    translator: str
    """The recipe whose results compete and are repaired; it is trained first."""
    teacher: str
    """The recipe of the teacher, which is trained first."""
    guides: tuple[str, ...]
    """Classifier recipes, trained first, which must read a result as its target."""
    draws: tuple[DrawSpec, ...]
    hard_strength: float = 0.55
    """Factor of the strength for faces that are hard to change (`faces/hardness.py`): what is drawn
    in full lies beside the features of a turned or covered face."""
    epochs: float = 1.0
    """Passes over the faces; less than one takes a part, of each expression as many."""
    batch_size: int
    """Faces whose draws for all other expressions are one step."""
    vote_share: float = 0.7
    target_chance: float = 0.5
    """Probability of the target, by the guides' mean, that a result has at least; of a face that is
    hard to change less, by its strength."""
    cosine: float = 0.55
    """Similarity to its source by the face recognizer that a result has at least."""
    critics: tuple[str, ...] = ("whole", "mouth", "eyes")
    """Regions of `metrics.critics` that critics see, each of which must let a result through."""
    critic_quantile: float = 0.1
    """A critic that has not seen a result takes it for real at least as surely as this fraction of
    real faces."""
    critic_epochs: float = 6.0

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """The translator, the teacher, then the guides."""
        return (self.translator, self.teacher, *self.guides)

    @property
    def needs_face_recognizer(self) -> bool:
        """True: `cosine` compares its embeddings of a face and of the result."""
        return True

    def with_changes(self, **changes: Any) -> Self:
        """Return the recipe with other `epochs` or `batch_size`.

        Raises:
            ValueError: a learning rate is named, which it does not have.
        """
        if "lr" in changes:
            raise ValueError(f"{self.name} trains nothing of its own: leave --lr out")
        return super().with_changes(**changes)

    def __post_init__(self) -> None:
        for name in JUDGES:
            if name in self.guides:
                raise ValueError(f"{self.name}: guides names the {name}, which selects no pairs")
        if all(way.kind != "result" for way in self.draws):
            raise ValueError(f"{self.name}: draws names no `result`, all that hard faces get")


PAIRS = PairsRecipe(
    name="pairs",
    about="faces and their translations by the teacher: drawn, filtered and stored for a student",
    translator="flow",
    teacher="teacher",
    guides=("guide-sharp", "guide-clear"),
    draws=(
        DrawSpec(kind="result", strength=0.9),
        DrawSpec(kind="result", strength=0.7),
        DrawSpec(kind="repair", strength=0.9, begin=0.85, guidance=1.5, steps=3),
        DrawSpec(kind="repair", strength=0.9, begin=0.7, guidance=2.0, steps=4),
        DrawSpec(kind="translate", count=2, begin=0.4, guidance=2.5, steps=5),
    ),
    batch_size=16,
)
