"""Make the model of bubbles in the box: simulate its tiles, train it, measure it, write its card.

    python benchmarks/make_bubble_model.py WORK [--measure-only]

WORK takes the tiles and the two runs: three epochs at the full rate, then two from there at a
fifth of it. Some half an hour of one core that computes bfloat16; of another one leave out that
setting below, and it takes twice as long. The weights are the same on the same machine and versions
of the libraries; elsewhere rounding makes them a little different.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from napari_astroseg.cli.main import main as astroseg
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.model import load_model

NAME = "bubbles_small"
BOX = Path(__file__).parents[1] / "napari_astroseg" / "engine" / "weights" / f"{NAME}.safetensors"
TILES, SEED = 96, 100
UNSEEN, UNSEEN_SEED = 24, 9000
BOTH = ("--set", "schedule.precision=bf16-mixed", "data.validation=0.06")
FIRST = (*BOTH, "schedule.epochs=3")
THEN = (*BOTH, "schedule.epochs=2", "schedule.learning_rate=4e-4")
KEPT = ("tiles", "bubbles", "f2", "precision", "recall", "new", "f2_best")


def main() -> None:
    """Run the steps that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--measure-only", action="store_true", help="the run is there already")
    options = parser.parse_args()
    tiles, unseen, first, run = (
        options.work / name for name in ("tiles", "unseen", "first", "run")
    )
    if not options.measure_only:
        simulate(tiles, TILES, SEED)
        for out, more in ((first, FIRST), (run, ("--from", first, *THEN))):
            learn = ["train", NAME, "--data", tiles, "--out", out, "--name", NAME, *more]
            astroseg([str(word) for word in learn])
    simulate(unseen, UNSEEN, UNSEEN_SEED)
    found = evaluate(run, unseen)
    told = {f"unseen_{name}": round(found["figures"][name], 4) for name in KEPT}
    model = load_model(run)
    card = dataclasses.replace(
        model.card,
        figures=model.card.figures | told,
        trained_on=f"{TILES} simulated tiles of 1024 x 1024 px, seed {SEED}; "
        f"{model.card.trained_on.partition(';')[0]}",
        command=f"astroseg simulate bubbles --out tiles --n {TILES} --size 1024 --seed {SEED}; "
        f"astroseg train {NAME} --data tiles --out first --name {NAME} {' '.join(FIRST)}; "
        f"astroseg train {NAME} --data tiles --out run --from first --name {NAME} "
        + " ".join(THEN),
        notes="Weights learnt from simulated tiles only (recipe seed 0). The unseen figures are of "
        f"{UNSEEN} more of them, seed {UNSEEN_SEED}. They tell that training works, not how well "
        "bubbles are found in the Galaxy.",
    )
    dataclasses.replace(model, card=card).save(BOX)
    print(BOX, BOX.stat().st_size, "bytes")
    print(found["figures"], found["errors"], found["sizes"], sep="\n")
    astroseg(["models", NAME])


def simulate(out: Path, n: int, seed: int) -> None:
    """So many tiles of a seed in a folder."""
    words = ["simulate", "bubbles", "--out", out, "--n", n, "--size", 1024, "--seed", seed]
    astroseg([str(word) for word in words])


if __name__ == "__main__":
    main()
