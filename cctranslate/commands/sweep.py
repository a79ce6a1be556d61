"""`cctranslate fit --sweep`: train a family of recipes and print them by Frechet distance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cctranslate.commands.progress import Progress

if TYPE_CHECKING:
    from cctranslate.commands.fit_request import FitRequest
    from cctranslate.recipes.kinds import AnyRecipe


def run_sweep(recipes: Sequence[AnyRecipe], request: FitRequest, root: Path) -> None:
    """Train and measure each recipe in `root/<its name>`, and go on with runs that are there."""
    from cctranslate import bundle
    from cctranslate.training import device as devices
    from cctranslate.training.data import fer2013
    from cctranslate.training.data.ferplus import load_votes
    from cctranslate.training.sweep import Sweep, by_distance, table, train

    chosen = devices.choose(request.device)
    progress = Progress(request.quiet)
    echo = partial(click.echo, err=True)
    sweep = Sweep(
        root=root,
        splits=fer2013.load(request.data, echo),
        votes=load_votes(request.votes) if request.votes else None,
        device=chosen,
        judge=bundle.shipped(),
        seed=request.seed,
        on_start=progress.start,
        on_tick=progress.tick,
        echo=echo,
    )
    click.echo(f"{len(recipes)} recipes on {chosen}, in {root}", err=True)
    try:
        rows = [train(sweep, recipe) for recipe in recipes]
    finally:
        progress.close()
    click.echo(table(by_distance(rows)))
