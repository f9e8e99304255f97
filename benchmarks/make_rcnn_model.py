"""Make the model of stars and galaxies in the box: simulate its sets, train it, measure it.

    python benchmarks/make_rcnn_model.py WORK [--measure-only]

WORK takes the sets and the run; a run that was stopped is gone on with. Needs GalSim. Some twenty
minutes of one core that computes bfloat16; of another one leave out that setting below. The weights
are the same on the same machine and versions of the libraries; elsewhere rounding makes them a
little different.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path

from napari_astroseg.cli.main import main as astroseg
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.model import load_model

NAME = "astro_rcnn_small"
BOX = Path(__file__).parents[1] / "napari_astroseg" / "engine" / "weights" / f"{NAME}.safetensors"
SETS, SIDE, SEED = 56, 512, 100
UNSEEN, UNSEEN_SEED = 14, 9000
CHANGES = ("--set", "schedule.precision=bf16-mixed", "data.validation=0.15")


def main() -> None:
    """Run the steps that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--measure-only", action="store_true", help="the run is there already")
    options = parser.parse_args()
    sets, unseen, run = (options.work / name for name in ("sets", "unseen", "run"))
    if not options.measure_only:
        simulate(sets, SETS, SEED)
        learn = ["train", NAME, "--data", sets, "--out", run, "--name", NAME, "--resume", *CHANGES]
        astroseg([str(word) for word in learn])
    simulate(unseen, UNSEEN, UNSEEN_SEED)
    found = evaluate(run, unseen)
    told = {name: value for name, value in found["figures"].items() if math.isfinite(value)}
    model = load_model(run)
    card = dataclasses.replace(
        model.card,
        figures=model.card.figures | {f"unseen_{k}": round(v, 4) for k, v in told.items()},
        trained_on=f"{SETS} simulated sets of {SIDE} x {SIDE} px, seed {SEED}; "
        f"{model.card.trained_on}",
        command=f"astroseg simulate multiband --out sets --n {SETS} --size {SIDE} --seed {SEED}; "
        f"astroseg train {NAME} --data sets --out run --name {NAME} {' '.join(CHANGES)}",
        notes="Weights learnt from simulated sets only (recipe seed 0). The unseen figures are of "
        f"{UNSEEN} more of them, seed {UNSEEN_SEED}. They tell that training works, not how well "
        "real stars and galaxies are told apart.",
    )
    dataclasses.replace(model, card=card).save(BOX)
    print(BOX, BOX.stat().st_size, "bytes")
    print(found["figures"], found["errors"], sep="\n")
    astroseg(["models", NAME])


def simulate(out: Path, n: int, seed: int) -> None:
    """So many sets of a seed in a folder."""
    words = ["simulate", "multiband", "--out", out, "--n", n, "--size", SIDE, "--seed", seed]
    astroseg([str(word) for word in words])


if __name__ == "__main__":
    main()
