"""Recipes on the command line: options that name them, and printing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from cctranslate.recipes.kinds import AnyRecipe


class RecipeName(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A recipe by its name."""

    name = "recipe"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> AnyRecipe:
        """Return the recipe; the error suggests names that are close."""
        from cctranslate.recipes import registry

        try:
            return registry.find(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the names of recipes and of recipes up to a stage."""
        from cctranslate.recipes import registry

        return [CompletionItem(n) for n in registry.names() if n.startswith(incomplete)]


class SweepName(click.ParamType):  # type: ignore[type-arg]
    """A sweep by its name."""

    name = "sweep"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of a sweep; the error suggests names that are close."""
        from cctranslate.recipes import registry
        from cctranslate.recipes.original import log_t1_to_t27 as original_log

        if value not in original_log.SWEEPS:
            names = registry.suggestion(value, tuple(original_log.SWEEPS))
            self.fail(f"no sweep {value!r}: {names}", param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the names of sweeps."""
        from cctranslate.recipes.original import log_t1_to_t27 as original_log

        return [CompletionItem(n) for n in original_log.SWEEPS if n.startswith(incomplete)]


def chosen_recipes(recipe: AnyRecipe | None, sweep: str | None) -> Sequence[AnyRecipe]:
    """Return the recipe, the default one, or those of a sweep.

    Raises:
        ValueError: Both a recipe and a sweep are named.
    """
    from cctranslate.recipes import registry
    from cctranslate.recipes.original import log_t1_to_t27

    if sweep is None:
        return [recipe or registry.find(registry.DEFAULT)]
    if recipe is not None:
        raise ValueError("--sweep names its recipes itself: leave --recipe out")
    return log_t1_to_t27.SWEEPS[sweep]


def check_stage(
    stage: AnyRecipe, recipes: Sequence[AnyRecipe], sweep: str | None, changes: Sequence[object]
) -> None:
    """Check that `--stage` fits the other options.

    Args:
        stage: The recipe to stop after.
        recipes: The recipe of `--recipe`, or those of the sweep.
        sweep: The sweep, if one is named.
        changes: Values of the options that change a recipe; None if not given.

    Raises:
        ValueError: The recipe does not build on the stage, or an option cannot go with it.
    """
    from cctranslate.recipes import registry

    (recipe, *_) = recipes
    names = tuple(each.name for each in registry.trained_before(recipe))
    if sweep is not None:
        raise ValueError("--sweep trains whole recipes: leave --stage out")
    if stage.name not in (*names, recipe.name):
        near = registry.suggestion(stage.name, names) if names else "it has no stages"
        raise ValueError(f"{recipe.name} does not build on {stage.name}: {near}")
    if stage.name != recipe.name and any(change is not None for change in changes):
        raise ValueError(
            "--epochs, --batch-size, --lr and --backbone change only what is trained last: leave "
            f"them out with --stage, or train {stage.name} by --recipe {stage.name}"
        )


def print_recipes() -> None:
    """Print the recipes in their groups, each with its stages and what it builds on."""
    from textwrap import wrap

    from cctranslate.recipes import registry
    from cctranslate.recipes.gan import GanRecipe

    for number, (heading, recipes) in enumerate(registry.GROUPS.items()):
        click.echo(("\n" if number else "") + f"{heading}:")
        for recipe in recipes:
            click.echo(f"  {recipe.name:14} {recipe.about}")
            if recipe.prerequisites:
                for line in wrap(f"builds on {', '.join(recipe.prerequisites)}", 100):
                    click.echo(f"{'':17}{line}")
            for stage in recipe.stages if isinstance(recipe, GanRecipe) else ():
                click.echo(f"    {recipe.name}-{stage.name:14} {stage.about}")


def print_recipe(recipe: AnyRecipe) -> None:
    """Print a recipe as JSON, and to stderr what is trained first and the sizes of networks."""
    import json

    from cctranslate.recipes.registry import trained_before
    from cctranslate.recipes.serialization import to_json

    click.echo(json.dumps(to_json(recipe), indent=2))
    before = trained_before(recipe)
    if before:
        click.echo(f"trained first: {', '.join(each.name for each in before)}", err=True)
    from cctranslate.training.networks.registry import sizes  # torch takes a second

    for name, count in sizes(recipe).items():
        click.echo(f"{name}: {count:,} parameters", err=True)
