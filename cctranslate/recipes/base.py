"""What every kind of recipe has."""

from dataclasses import dataclass, field, replace
from typing import Any, Self


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
    def earlier(self) -> tuple[Self, ...]:
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
