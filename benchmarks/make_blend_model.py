"""Make the model of blended galaxies in the box: simulate its fields, train it, measure it.

    python benchmarks/make_blend_model.py WORK [--measure-only]

WORK takes the fields and the runs; a run that was stopped is gone on with. Needs GalSim. An hour
and a half on two thirds of a core that computes bfloat16; of another one leave out that setting
below. The weights are the same on the same machine and versions of the libraries; elsewhere
rounding makes them a little different.

It learns in three stages, each from where the last one ended: on fields as they are; on fields that
are three times as crowded, so that a stamp holds three times as much to learn; and on fresh fields
as they are, with a loss that is nearer to the paper's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from pathlib import Path

from safetensors.torch import load_file

from napari_astroseg.cli.main import main as astroseg
from napari_astroseg.engine.checkpoint import LAST_FILE
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.sky.simulate import galaxies

NAME = "blended_galaxies_small"
BOX = Path(__file__).parents[1] / "napari_astroseg" / "engine" / "weights" / f"{NAME}.safetensors"
SIDE = 4096
CROWDED = galaxies.GalaxySettings(galaxies=540.0)
UNSEEN, UNSEEN_SIDE, UNSEEN_SEED = 2, 2048, 900


@dataclasses.dataclass(frozen=True)
class Stage:
    """One of the trainings: fields by seed and numbers, and what differs from the preset."""

    name: str
    seed: int
    numbers: range
    settings: galaxies.GalaxySettings
    changes: tuple[str, ...]

    @property
    def told(self) -> str:
        """Its data in words."""
        crowd = ", three times as crowded" if self.settings == CROWDED else ""
        return f"{len(self.numbers)} fields of {SIDE} x {SIDE} px (seed {self.seed}{crowd})"


STAGES = (
    Stage(
        "plain", 100, range(6), galaxies.GalaxySettings(),
        ("family.beta=0.05", "schedule.epochs=2"),
    ),
    Stage(
        "crowded", 200, range(4), CROWDED,
        (
            "family.beta=0.3", "schedule.epochs=5", "schedule.learning_rate=1.5e-3",
            "schedule.decay=0.9", "data.validation=0.03",
        ),
    ),
    Stage(
        "fresh", 100, range(6, 10), galaxies.GalaxySettings(),
        (
            "family.cross_entropy=20", "family.beta=0.06", "schedule.epochs=4",
            "schedule.learning_rate=8e-4", "schedule.decay=0.6",
        ),
    ),
)  # fmt: skip
ALWAYS = ("schedule.precision=bf16-mixed",)


def main() -> None:
    """Run the steps that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--measure-only", action="store_true", help="the runs are there already")
    options = parser.parse_args()
    if not options.measure_only:
        begun = None
        for stage in STAGES:
            begun = learnt(options.work, stage, begun)
    run, unseen = options.work / STAGES[-1].name, options.work / "unseen"
    words = ["simulate", "galaxies", "--out", unseen, "--n", UNSEEN, "--size", UNSEEN_SIDE]
    astroseg([str(word) for word in (*words, "--seed", UNSEEN_SEED)])
    astroseg(["evaluate", str(run), str(unseen), "--out", str(options.work)])
    told = json.loads((options.work / "evaluation.json").read_text(encoding="utf-8"))
    figures = {f"unseen_{k}": v for k, v in told["figures"].items() if v is not None}
    model = load_model(run)
    card = dataclasses.replace(
        model.card,
        name=NAME,
        figures=model.card.figures
        | {name: round(value, 4) for name, value in figures.items() if math.isfinite(value)},
        trained_on="simulated stamps of 128 px: " + ", then ".join(s.told for s in STAGES),
        command=f"astroseg simulate galaxies --out plain --n 10 --size {SIDE} --seed 100, six of "
        "the fields first and four last; crowded fields and all trainings by "
        "benchmarks/make_blend_model.py: "
        + "; ".join(f"{s.name}: --set {' '.join((*ALWAYS, *s.changes))}" for s in STAGES),
        notes="Weights learnt from simulated galaxies only (recipe seed 0). The unseen figures are "
        f"of {UNSEEN} more fields of {UNSEEN_SIDE} x {UNSEEN_SIDE} px, seed {UNSEEN_SEED}: they "
        "tell that training works, not how well real galaxies are told apart.",
    )
    dataclasses.replace(model, card=card).save(BOX)
    print(BOX, BOX.stat().st_size, "bytes")
    astroseg(["models", NAME])


def learnt(work: Path, stage: Stage, begun: Path | None) -> Path:
    """Simulate a stage's fields, train on them, and give the model of the last epoch."""
    fields, run = work / f"fields-{stage.name}", work / stage.name
    fields.mkdir(parents=True, exist_ok=True)
    for number in stage.numbers:
        if not (fields / f"stamps_WithNoise_field_{number:03d}.npy").exists():
            galaxies.write(fields, number, SIDE, stage.seed, stage.settings)
    words = ["train", NAME, "--data", fields, "--out", run, "--name", NAME, "--resume"]
    words += ["--from", begun] if begun else []
    astroseg([str(word) for word in (*words, "--set", *ALWAYS, *stage.changes)])
    # The model that a run keeps is that of its best epoch; learning goes on from the last one.
    model, last = load_model(run), run / "latest.safetensors"
    weights = {k[4:]: v for k, v in load_file(run / LAST_FILE).items() if k.startswith("net.")}
    model.net.load_state_dict(weights)
    Model(model.card, model.net).save(last)
    return last


if __name__ == "__main__":
    main()
