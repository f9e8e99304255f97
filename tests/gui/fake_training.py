"""Stand-ins for training and searching, run in a process of their own, and light."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from gui.make_model import write_model

from napari_astroseg.engine.events import (
    EpochDone,
    Event,
    ExamplesDone,
    Finished,
    MemoryUsed,
    Preparing,
    Started,
    StepDone,
    TrialBegun,
    TrialDone,
)
from napari_astroseg.engine.run import Run
from napari_astroseg.errors import DataError


def reads_long(recipe: Any, run: Any) -> Iterator[Event]:
    """Reads its data without end."""
    while True:
        yield Preparing("reading NGC files", 3, 10)
        time.sleep(0.05)


def train(recipe: Any, run: Any) -> Iterator[Event]:
    """Two steps an epoch; leaves what a run leaves."""
    run.out.mkdir(parents=True, exist_ok=True)
    (run.out / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    epochs = recipe.schedule.epochs
    yield Started("a fake training", epochs, "epochs")
    for epoch in range(1, epochs + 1):
        for step in (1, 2):
            time.sleep(0.05)
            yield StepDone(step, 2, epoch, 1.0 / (epoch + step), 100.0)
        yield MemoryUsed(300 * 2**20, 2**30, 4 * 2**30)
        figures = {"loss": 1.0 / epoch, "dice": 0.5 + 0.1 * (epoch == 2), "threshold": 0.5}
        (run.out / "last.safetensors").write_bytes(b"")
        write_model(run.out / "model.safetensors", run.name, recipe)
        yield stamps(epoch)
        yield EpochDone(epoch, epochs, 1.0 / epoch, figures, 1e-3, epoch in (1, 2), 0.1)
    yield Finished({"model": str(run.out / "model.safetensors"), "figures": {"dice": 0.6}})


def stamps(epoch: int) -> ExamplesDone:
    """Three stamps, of which the network finds ever more."""
    image = np.full((3, 8, 8, 3), 100, np.uint8)
    truth = np.zeros((3, 1, 8, 8), np.uint8)
    truth[..., :4, :] = 255
    answer = (truth * min(1.0, 0.25 * epoch)).astype(np.uint8)
    return ExamplesDone(epoch, ("structure",), image, truth, answer)


def search(recipe: Any, how: Any) -> Iterator[Event]:
    """Thresholds, of which 2 is the best."""
    best = 0.0
    yield Started("a fake search", 3, "trials")
    for number, threshold in enumerate((1, 2, 3)):
        changes = {"data.threshold": threshold}
        yield TrialBegun(number, changes)
        changed, out = recipe.replace(schedule__epochs=1), how.out / f"trial-{number:04d}"
        yield from (
            each for each in train(changed, Run(how.data, out)) if type(each) is not Finished
        )
        figure = 0.9 - abs(threshold - 2) / 10
        yield TrialDone(number, changes, figure, "complete", figure > best)
        best = max(best, figure)
    (how.out / "best.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    told = {"best": str(how.out / "best.yaml"), "trial": 1, "changes": {"data.threshold": 2}}
    yield Finished(told | {"figure": 0.9})


def nothing_to_learn(recipe: Any, run: Any) -> Iterator[Event]:
    yield Preparing("reading", 0, 1)
    raise DataError("nothing can be learnt from this; add maps")
