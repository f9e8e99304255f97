"""Make the model of spiral arms in the box: simulate its galaxies, train it, measure it.

    python benchmarks/make_spiral_model.py WORK [--measure-only]

WORK takes the galaxies and the two runs: eighteen epochs at the full rate, after which it comes no
further, then sixteen from there at a third of it; a quarter of an hour of two idle cores. The
weights are the same on the same machine and versions of the libraries; elsewhere rounding makes
them a little different.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from napari_astroseg.cli.main import main as astroseg
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.model import load_model
from napari_astroseg.recipes.recipe import Recipe

NAME = "spiral_arms_small"
BOX = Path(__file__).parents[1] / "napari_astroseg" / "engine" / "weights" / f"{NAME}.safetensors"
GALAXIES, SEED = 560, 1000
UNSEEN, UNSEEN_SEED = 200, 9000
FIRST = ("--set", "schedule.epochs=18")
THEN = ("--set", "schedule.learning_rate=3e-4", "schedule.epochs=16", "schedule.decay_every=10")
KEPT = ("galaxies", "accuracy", "precision", "jaccard", "both", "neither", "area_3", "area_found")


def main() -> None:
    """Run the steps that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--measure-only", action="store_true", help="the run is there already")
    options = parser.parse_args()
    galaxies, unseen, first, run = (
        options.work / name for name in ("galaxies", "unseen", "first", "run")
    )
    if not options.measure_only:
        simulate(galaxies, GALAXIES, SEED)
        for out, more in ((first, FIRST), (run, ("--from", first, *THEN))):
            learn = ["train", NAME, "--data", galaxies, "--out", out, "--name", NAME, *more]
            astroseg([str(word) for word in learn])
    simulate(unseen, UNSEEN, UNSEEN_SEED)
    found = evaluate(run, unseen)["figures"]
    model = load_model(run)
    card = dataclasses.replace(
        model.card,
        # What a picture is warned of may be told better by now than when the run began.
        recipe=model.recipe.replace(expects=Recipe.preset(NAME).expects),
        figures=model.card.figures | {f"unseen_{name}": round(found[name], 4) for name in KEPT},
        trained_on=f"{GALAXIES} simulated galaxies, seed {SEED}; a quarter of them to validate on",
        command=f"astroseg simulate spirals --out galaxies --n {GALAXIES} --seed {SEED}; "
        f"astroseg train {NAME} --data galaxies --out first --name {NAME} {' '.join(FIRST)}; "
        f"astroseg train {NAME} --data galaxies --out run --from first --name {NAME} "
        + " ".join(THEN),
        notes="Weights learnt from simulated galaxies and simulated volunteers only (recipe seed "
        f"0). The unseen figures are of {UNSEEN} more of them, seed {UNSEEN_SEED}. They tell "
        "that training works, not how well arms are found in real galaxies.",
    )
    dataclasses.replace(model, card=card).save(BOX)
    print(BOX, BOX.stat().st_size, "bytes")
    astroseg(["models", NAME])


def simulate(out: Path, n: int, seed: int) -> None:
    """So many galaxies of a seed in a folder."""
    words = ["simulate", "spirals", "--out", out, "--n", n, "--seed", seed, "--workers", 2]
    astroseg([str(word) for word in words])


if __name__ == "__main__":
    main()
