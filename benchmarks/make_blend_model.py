"""Make the model of blended galaxies in the box: simulate its fields, train it, measure it.

    python benchmarks/make_blend_model.py WORK [--measure-only]

WORK takes the fields and the run; a run that was stopped is gone on with. Needs GalSim. Some twenty
minutes of one core that computes bfloat16; of another one leave out that setting below. The weights
are the same on the same machine and versions of the libraries; elsewhere rounding makes them a
little different.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from pathlib import Path

from napari_astroseg.cli.main import main as astroseg
from napari_astroseg.engine.model import load_model

NAME = "blended_galaxies_small"
BOX = Path(__file__).parents[1] / "napari_astroseg" / "engine" / "weights" / f"{NAME}.safetensors"
FIELDS, SIDE, SEED = 3, 4096, 100
UNSEEN, UNSEEN_SIDE, UNSEEN_SEED = 2, 2048, 900
CHANGES = ("--set", "schedule.precision=bf16-mixed")


def main() -> None:
    """Run the steps that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--measure-only", action="store_true", help="the run is there already")
    options = parser.parse_args()
    fields, unseen, run = (options.work / name for name in ("fields", "unseen", "run"))
    if not options.measure_only:
        simulate(fields, FIELDS, SIDE, SEED)
        learn = ["train", NAME, "--data", fields, "--out", run, "--name", NAME, "--resume"]
        astroseg([str(word) for word in (*learn, *CHANGES)])
    simulate(unseen, UNSEEN, UNSEEN_SIDE, UNSEEN_SEED)
    astroseg(["evaluate", str(run), str(unseen), "--out", str(options.work)])
    told = json.loads((options.work / "evaluation.json").read_text(encoding="utf-8"))
    figures = {f"unseen_{k}": v for k, v in told["figures"].items() if v is not None}
    model = load_model(run)
    card = dataclasses.replace(
        model.card,
        name=NAME,
        figures=model.card.figures
        | {name: round(value, 4) for name, value in figures.items() if math.isfinite(value)},
        trained_on=f"{FIELDS} simulated fields of {SIDE} x {SIDE} px in stamps of 128, "
        f"seed {SEED}; 15 % of the stamps to validate on",
        command=f"astroseg simulate galaxies --out fields --n {FIELDS} --size {SIDE} "
        f"--seed {SEED}; astroseg train {NAME} --data fields --out run --name {NAME} "
        + " ".join(CHANGES),
        notes="Weights learnt from simulated galaxies only (recipe seed 0). The unseen figures are "
        f"of {UNSEEN} more fields of {UNSEEN_SIDE} x {UNSEEN_SIDE} px, seed {UNSEEN_SEED}: they "
        "tell that training works, not how well real galaxies are told apart.",
    )
    dataclasses.replace(model, card=card).save(BOX)
    print(BOX, BOX.stat().st_size, "bytes")
    astroseg(["models", NAME])


def simulate(out: Path, n: int, side: int, seed: int) -> None:
    """So many fields of a seed in a folder."""
    words = ["simulate", "galaxies", "--out", out, "--n", n, "--size", side, "--seed", seed]
    astroseg([str(word) for word in words])


if __name__ == "__main__":
    main()
