"""Options that take the name of a recipe or of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from cctranslate.recipes.spec import AnyRecipe


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
        """Return the name, if there is such a sweep."""
        from cctranslate.recipes import original_log, registry

        if value not in original_log.SWEEPS:
            names = registry.suggestion(value, tuple(original_log.SWEEPS))
            self.fail(f"no sweep {value!r}: {names}", param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the names of sweeps."""
        from cctranslate.recipes import original_log

        return [CompletionItem(n) for n in original_log.SWEEPS if n.startswith(incomplete)]
