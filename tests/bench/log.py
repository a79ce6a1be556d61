"""The original's experiment log with numbers: each recipe for as many images, measured alike.

    python tests/bench/log.py fer2013.csv --votes ferplus.csv -o runs/log --images 40000
    python tests/bench/log.py fer2013.csv -o runs/log --images 40000 --device cuda t24 flow-start

Prints one Markdown table of the rows that there are, and says below what could not run. A row that
is kept in OUT is not run again, so that the table can be filled in run by run, on several machines:
copy their OUT/<recipe> together. Of ours it is `flow-start`, which begins from nothing as they do;
it trains its teachers first, or takes those that lie in OUT/flow-start/teachers.
"""

import argparse
import json
import sys
from pathlib import Path

from cctranslate import bundle
from cctranslate.errors import UserError
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.original import code_differences, log_t1_to_t27
from cctranslate.recipes.registry import find, override
from cctranslate.recipes.serialization import to_json
from cctranslate.training import device, sweep
from cctranslate.training.data import fer2013
from cctranslate.training.data.ferplus import load_votes

LOG = (
    *log_t1_to_t27.LOG,
    *code_differences.ALL,
    *log_t1_to_t27.T26_WEIGHTS,
    log_t1_to_t27.T26_SLOW,
)
ALL = (*(recipe.name for recipe in LOG), "flow-start")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="FER2013 in any form that `fit` reads")
    parser.add_argument("recipes", nargs="*", default=ALL, help="those to run, all if none")
    parser.add_argument("--votes", type=Path, help="FER+ votes")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/log"))
    parser.add_argument("--images", type=int, default=40_000, help="faces each recipe sees")
    parser.add_argument("--faces", type=int, help="PublicTest faces to measure on, all if not said")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--backbone", help="ResNet50's weights: a file, or `random`")
    return parser.parse_intermixed_args()


def body(recipe: AnyRecipe) -> str:
    """What a recipe is at a budget that is not its own."""
    same = recipe.with_changes(epochs=1.0) if isinstance(recipe, GanRecipe) else recipe
    return json.dumps({**to_json(same), "name": "", "about": ""})


def main() -> None:
    """Print the table."""
    asked = arguments()
    common = sweep.Sweep(
        root=asked.out,
        splits=fer2013.load(asked.data),
        votes=load_votes(asked.votes) if asked.votes else None,
        device=device.choose(asked.device),
        judge=bundle.shipped(),
        images=asked.images,
        faces=asked.faces,
    )
    rows: list[sweep.Row] = []
    refused: list[str] = []
    seen: dict[str, AnyRecipe] = {}
    for name in asked.recipes:
        backed = find(name).backbone_weights is not None
        recipe = override(find(name), backbone=asked.backbone if backed else None)
        # At one budget t6, t13 and t23 are t5, t11 and t22: they only run for longer.
        first = seen.setdefault(body(recipe), recipe)
        try:
            row = sweep.train(common, first)
        except UserError as error:
            refused.append(f"{name}: {error}")
            continue
        rows.append(row if first is recipe else row | {"recipe": f"{name} (is {row['recipe']})"})
        print(f"{name} done", file=sys.stderr, flush=True)
    print(sweep.table(rows))
    print("\n".join(refused), file=sys.stderr)


if __name__ == "__main__":
    main()
