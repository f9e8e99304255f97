"""Make the model in the box: simulate its skies, train it, measure it, write its card.

    python benchmarks/make_box_model.py WORK [--real IMAGE] [--measure-only]

WORK takes the skies and the run. `--real` names the image of a four-map field that no weight has
seen; figures on it go into the card. About half an hour on one core. The weights are the same on
the same machine and versions of the libraries; elsewhere rounding makes them a little different.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from napari_astroseg.cli.main import main as astroseg
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.model import load_model
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

BOX = Path(__file__).parents[1] / "napari_astroseg" / "engine" / "weights" / "filaments.safetensors"
SKIES, SIZE, SEED = 60, 512, 1000
KEPT = ("dice", "recovery", "background_recovery", "average_precision", "roc_auc", "missed", "new")


def main() -> None:
    """Run the steps that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--real", type=Path, help="image of a real four-map field")
    parser.add_argument("--measure-only", action="store_true", help="the run is there already")
    options = parser.parse_args()
    skies, run = options.work / "skies", options.work / "run"
    if not options.measure_only:
        make = ["simulate", "filaments", "--out", skies, "--n", SKIES, "--size", SIZE]
        astroseg([str(word) for word in (*make, "--seed", SEED)])
        learn = ["train", "filaments_small", "--data", skies, "--out", run, "--name", "filaments"]
        astroseg([str(word) for word in learn])
    model = load_model(run)
    figures = dict(model.card.figures)
    if options.real is not None:
        figures |= measured(run, options.real)
    card = dataclasses.replace(
        model.card,
        recipe=Recipe.preset("filaments_small"),  # its prediction part may be newer than the run
        figures=figures,
        trained_on=f"{SKIES} simulated skies of {SIZE} x {SIZE} px, seeds {SEED} to "
        f"{SEED + SKIES - 1}; 54 to train on, 6 whole skies to validate on",
        command=f"astroseg simulate filaments --out skies --n {SKIES} --size {SIZE} --seed {SEED}; "
        "astroseg train filaments_small --data skies --out run --name filaments",
        notes="Weights learnt from simulated skies only (recipe seed 0). What the simulator calls "
        "a region was chosen by comparison with one real Hi-GAL field, the one the higal figures "
        "are of: they are not from a field the method has never seen.",
    )
    dataclasses.replace(model, card=card).save(BOX)
    print(BOX, BOX.stat().st_size, "bytes")
    astroseg(["models", "filaments"])


def measured(run: Path, image: Path) -> dict[str, float]:
    """Figures on a real field, one against all over its valid pixels, and by halves."""
    found = evaluate(run, image)["figures"]
    told = {f"higal_{name}": round(found[name], 3) for name in KEPT}
    height, width = open_image(image).shape
    half = width // 2
    for name, x in (("left", 0), ("right", half)):
        part = evaluate(run, image, window=Window(x, 0, width - half, height))["figures"]
        told[f"higal_dice_{name}"] = round(part["dice"], 3)
    return told


if __name__ == "__main__":
    main()
