"""The recipe `pairs`: faces and their translations by `flow` and `teacher`, for a student."""

from dataclasses import dataclass
from typing import Any, Literal, Self

from cctranslate.recipes.components import BaseRecipe
from cctranslate.recipes.rules import refuse_judges

DrawKind = Literal["result", "repair", "translate"]


@dataclass(frozen=True, kw_only=True)
class DrawSpec:
    """A way to make candidates for pairs."""

    kind: DrawKind
    """`result`: the translator's result. `repair`: the teacher noises that result and fills it in
    again. `translate`: the same with the face itself. Hard faces get `result` only."""
    count: int = 1
    """Draws for each face and target."""
    strength: float = 1.0
    """Strength of the translator; hard faces get less."""
    begin: float = 1.0
    """Flow time at which filling in starts: 0 is noise alone, 1 the picture itself."""
    guidance: float = 1.0
    steps: int = 0
    """Steps of Heun's method: twice as many evaluations, less one."""

    def __post_init__(self) -> None:
        if (self.kind == "result") != (self.steps == 0):
            raise ValueError("draws: a `result` takes no steps of the teacher, the others do")


@dataclass(frozen=True, kw_only=True)
class PairsRecipe(BaseRecipe):
    """Draws candidates for pairs, and selects the best of them."""

    translator: str
    """The recipe, trained before, whose results are candidates and are repaired."""
    teacher: str
    """The recipe, trained before, of the teacher."""
    guides: tuple[str, ...]
    """Classifier recipes, trained before, which must read a result as its target."""
    draws: tuple[DrawSpec, ...]
    hard_strength: float = 0.55
    """Factor of the strength for hard faces (`faces/hardness.py`). At full strength, changes miss
    the features of a turned or covered face."""
    epochs: float = 1.0
    """Passes over the faces. Less than one takes some faces, the same number of each expression."""
    batch_size: int
    """Faces in a step."""
    vote_share: float = 0.7
    """Fraction of FER+ votes in the labels, where votes are given."""
    target_chance: float = 0.5
    """Least probability of the target, by the guides' mean; for hard faces times their strength."""
    cosine: float = 0.55
    """Least similarity to the source by the face recognizer."""
    critics: tuple[str, ...] = ("whole", "mouth", "eyes")
    """Regions of `metrics.critics`: each critic must accept a result."""
    critic_quantile: float = 0.1
    """A critic accepts a result that looks more real to it than this fraction of real faces."""
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
            ValueError: A learning rate is named, which it does not have.
        """
        if "lr" in changes:
            raise ValueError(f"{self.name} trains nothing of its own: leave --lr out")
        return super().with_changes(**changes)

    def __post_init__(self) -> None:
        refuse_judges(self.name, self.guides)
        if all(draw.kind != "result" for draw in self.draws):
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
