"""Train a recipe on data; the run's folder is then a model that `predict` takes."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from napari_astroseg.errors import RecipeError, TrainingError

if TYPE_CHECKING:
    from napari_astroseg.recipes.recipe import Recipe

HELP = "train a recipe on data"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument(
        "recipe",
        metavar="RECIPE",
        help="a preset's name, a YAML file, or a model whose recipe to use",
    )
    verb.add_argument("--data", required=True, type=Path, metavar="D", help="folder of the data")
    verb.add_argument("--out", required=True, type=Path, metavar="RUN", help="the run's folder")
    verb.add_argument("--name", default="", help="what the model's card calls it")
    verb.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="change fields of the recipe, e.g. schedule.epochs=5 'family.channels=[16,32]'",
    )
    verb.add_argument(
        "--from",
        dest="start_from",
        default="",
        metavar="MODEL",
        help="begin with a trained model's weights (fine-tuning)",
    )
    verb.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    verb.add_argument(
        "--devices",
        type=int,
        default=1,
        metavar="N",
        help="devices that share each batch, a process for each; on the CPU so many processes",
    )
    verb.add_argument(
        "--nodes",
        type=int,
        default=1,
        metavar="N",
        help="machines with so many devices each; started there by torchrun or srun",
    )
    verb.add_argument("--resume", action="store_true", help="go on where the run stopped")


def run(options: argparse.Namespace) -> int:
    """Train, telling losses as they come."""
    from napari_astroseg.cli.progress import told
    from napari_astroseg.engine.checkpoint import LAST_FILE
    from napari_astroseg.engine.events import Finished
    from napari_astroseg.engine.run import Run
    from napari_astroseg.engine.runlock import RunLock
    from napari_astroseg.engine.train import train
    from napari_astroseg.recipes.figurenames import words_of

    recipe = recipe_named(options.recipe).replace(**assignments(options.set))
    if (options.out / LAST_FILE).exists() and not options.resume:
        raise TrainingError(
            f"{options.out} holds a training already; add --resume to go on with it, or choose "
            "another --out"
        )
    where = Run(
        data=options.data,
        out=options.out,
        device=options.device,
        start_from=options.start_from,
        resume=options.resume,
        command=options.command,
        name=options.name,
        devices=options.devices,
        nodes=options.nodes,
    )
    # Machines that train together are one training, each with a process in the folder.
    with RunLock(options.out) if options.nodes == 1 else nullcontext():
        for event in told(train(recipe, where), options.quiet):
            if isinstance(event, Finished):
                best = event.result
                figure = recipe.data.figure
                value = best["figures"].get(figure, float("nan"))
                told_as = f"validation {words_of(figure)} = {value:.3f}"
                print(f"best epoch {best['epoch']}, {told_as}: {best['model']}")
    return 0


def recipe_named(name: str) -> Recipe:
    """A preset, a YAML file, or the recipe inside a trained model."""
    from napari_astroseg.engine.card import read_card
    from napari_astroseg.recipes.recipe import Recipe, preset_names

    path = Path(name)
    if name in preset_names():  # whatever folders of that name lie about
        return Recipe.preset(name)
    if path.is_dir() or path.suffix == ".safetensors":
        return read_card(path).recipe
    return Recipe.open(name)


def assignments(words: list[str]) -> dict[str, Any]:
    """`a.b=value` words as a mapping; values are read as YAML.

    Raises
    ------
    RecipeError
        When a word has no `=` or its value is not YAML.
    """
    changes = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise RecipeError(f"--set takes KEY=VALUE, not {word!r}; e.g. schedule.epochs=5")
        try:
            changes[key] = _number(yaml.safe_load(value))
        except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
            raise RecipeError(f"the value of {key} is not YAML: {value!r}; quote it") from error
    return changes


def _number(value: Any) -> Any:
    """YAML reads 1e-3 as text (it wants 1.0e-3); people write the former."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
