"""Recipes that train a generator against a discriminator, in one or several stages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from cctranslate.recipes.components import (
    BaseRecipe,
    DiscriminatorSpec,
    GeneratorSpec,
    Procedure,
    Weights,
    derive,
)
from cctranslate.recipes.rules import refuse_contradictions


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One training of a recipe, by its differences from the stage before.

    A stage continues with the networks of the stage before.
    """

    name: str
    about: str = field(default="", compare=False)
    weights: Mapping[str, float] = field(default_factory=dict)
    procedure: Mapping[str, Any] = field(default_factory=dict)
    guides: tuple[str, ...] | None = None
    """None takes over those of the stage before."""
    encoders: tuple[str, ...] | None = None
    """None takes over those of the stage before."""
    fresh_d: bool = False
    """Whether D starts anew, as its task has changed."""
    blend: float = 0.0
    """Fraction of the initial weights of G in its final weights. Weights between the two can be
    better than either (WiSE-FT, Wortsman et al. 2022)."""

    @property
    def needs_earlier_stage(self) -> bool:
        """Whether the stage needs a stage before it."""
        return self.fresh_d or self.blend > 0


@dataclass(frozen=True, kw_only=True)
class GanRecipe(BaseRecipe):
    """Trains a generator G against a discriminator D, with guides and encoders."""

    generator: GeneratorSpec
    discriminator: DiscriminatorSpec
    weights: Weights
    procedure: Procedure
    guides: tuple[str, ...] = ()
    """Classifier recipes, trained before, that teach G the expression; never the judge."""
    encoders: tuple[str, ...] = ()
    """Recipes with objective `identity`, trained before, for `weights.identity` and `drift`."""
    stages: tuple[Stage, ...] = ()
    """Trainings one after the other. The first stage changes the fields above."""

    def __post_init__(self) -> None:
        if not self.stages:
            refuse_contradictions(self)
            return
        if self.stages[0].needs_earlier_stage:
            raise ValueError(f"{self.name}: fresh_d and blend need an earlier stage")
        # Built now, so that a contradictory stage is an error before the training.
        _ = self.stage_recipes

    @cached_property
    def stage_recipes(self) -> tuple["GanRecipe", ...]:
        """Each stage as a recipe without stages; this recipe alone if it has no stages."""
        part, parts = self, []
        for stage in self.stages:
            changes = {"guides": stage.guides, "encoders": stage.encoders}
            part = derive(
                replace(part, stages=()) if part is self else part,
                weights=stage.weights,
                procedure=stage.procedure,
                **{name: value for name, value in changes.items() if value is not None},
            )
            parts.append(part)
        return tuple(parts) or (self,)

    @property
    def final_recipe(self) -> "GanRecipe":
        """The last stage as a recipe without stages."""
        return self.stage_recipes[-1]

    @property
    def last_stage(self) -> Stage:
        """The last stage; one without changes if the recipe has no stages."""
        return self.stages[-1] if self.stages else Stage(name=self.name)

    def until(self, stage: str) -> Self:
        """Return the recipe that ends after a stage, named after both."""
        names = [each.name for each in self.stages]
        stages = self.stages[: names.index(stage) + 1]
        if len(stages) == len(self.stages):
            return self
        family = self.name.removesuffix(f"-{names[-1]}")  # `flow-late` is named for its last stage
        return replace(self, name=f"{family}-{stage}", about=stages[-1].about, stages=stages)

    @property
    def earlier_stages(self) -> tuple[Self, ...]:
        """The recipes up to each stage before the last."""
        return tuple(self.until(stage.name) for stage in self.stages[:-1])

    @property
    def epochs(self) -> float:
        """Passes over the faces in the last stage."""
        return self.final_recipe.procedure.epochs

    @property
    def batch_size(self) -> int:
        """Faces a step in the last stage."""
        return self.final_recipe.procedure.batch_size

    @property
    def needs_face_recognizer(self) -> bool:
        """Whether a stage is trained with the shipped face recognizer."""
        return any(part.weights.likeness > 0 for part in self.stage_recipes)

    @property
    def classifiers(self) -> tuple[str, ...]:
        """The classifiers that G learns from in any stage: guides, then encoders."""
        if not self.stages:
            return self.guides + self.encoders
        return tuple(
            dict.fromkeys(name for part in self.stage_recipes for name in part.classifiers)
        )

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Names of the classifiers that are trained before this recipe."""
        return self.classifiers

    @property
    def backbone_weights(self) -> str | None:
        """The source of D's ResNet50 weights; None if D is another network."""
        return self.discriminator.backbone if self.discriminator.kind == "resnet50" else None

    def with_backbone(self, weights: str) -> Self:
        """Return the recipe with other weights for D's ResNet50.

        Raises:
            ValueError: D is none.
        """
        if self.backbone_weights is None:
            return super().with_backbone(weights)
        return derive(self, discriminator={"backbone": weights})

    def with_changes(self, **changes: Any) -> Self:
        """Return the recipe with changes of the procedure in its last stage."""
        if not self.stages:
            return derive(self, procedure=changes)
        last = self.stages[-1]
        changed = replace(last, procedure={**last.procedure, **changes})
        return replace(self, stages=(*self.stages[:-1], changed))
