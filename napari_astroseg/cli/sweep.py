"""Train a recipe with many settings, and keep the best as a recipe."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_astroseg.cli.train import assignments, recipe_named

HELP = "search the settings of a recipe that learn best"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("recipe", metavar="RECIPE", help="as for train")
    verb.add_argument("--data", required=True, type=Path, metavar="D", help="folder of the data")
    verb.add_argument("--out", required=True, type=Path, metavar="F", help="the search's folder")
    verb.add_argument(
        "--search",
        nargs="+",
        action="extend",
        required=True,
        metavar="FIELD=VALUES",
        help="what to try: schedule.learning_rate=1e-4..1e-2:log 'family.bottleneck=[64, 128]'",
    )
    verb.add_argument(
        "--grid", action="store_true", help="try every combination instead of searching"
    )
    verb.add_argument("--trials", type=int, default=20, metavar="N", help="trainings in all")
    verb.add_argument("--processes", type=int, default=1, metavar="N", help="trainings at a time")
    verb.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="as for train"
    )
    verb.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    verb.add_argument("--resume", action="store_true", help="go on where the search stopped")


def run(options: argparse.Namespace) -> int:
    """Search, telling trials as they end."""
    from napari_astroseg.cli.progress import told
    from napari_astroseg.engine.events import Finished
    from napari_astroseg.engine.run import Sweep
    from napari_astroseg.engine.runlock import RunLock
    from napari_astroseg.engine.sweep import sweep
    from napari_astroseg.recipes.figurenames import words_of
    from napari_astroseg.recipes.search import told as in_words

    recipe = recipe_named(options.recipe).replace(**assignments(options.set))
    how = Sweep(
        data=options.data,
        out=options.out,
        words=tuple(options.search),
        trials=options.trials,
        grid=options.grid,
        processes=options.processes,
        device=options.device,
        command=options.command,
        resume=options.resume,
    )
    with RunLock(how.out):
        for event in told(sweep(recipe, how), options.quiet):
            if isinstance(event, Finished):
                best = event.result
                changes = " ".join(in_words(best["changes"]))
                figure = f"validation {words_of(recipe.data.figure)} = {best['figure']:.3f}"
                print(f"best trial {best['trial']} ({changes}), {figure}: {best['best']}")
    return 0
