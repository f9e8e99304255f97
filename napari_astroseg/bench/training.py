"""Training: steps per second of the whole loop, over the bare step on the same batch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import torch

from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn
from napari_astroseg.engine.events import StepDone
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Net
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.train import train
from napari_astroseg.errors import TrainingError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.simulate import write_filaments

_TARGET = 0.97
_AREAS = 5
"""The map is so many patches wide and high."""


def measure(plan: Plan, model: Model, scratch: Path) -> Iterator[Measurement]:
    """The recipe's own network and batch; steps of the loop and bare ones taken in turn."""
    side = model.recipe.data.side_px
    write_filaments(scratch / "skies", 1, _AREAS * side, seed=1)
    recipe = model.recipe.replace(
        data__positions=0,
        data__anywhere=20_000,  # one epoch that outlasts the watch
        data__split={"area_px": side},
        schedule__epochs=1,
        schedule__precision="32-true",
    )
    steps = _steps(recipe, Run(scratch / "skies", scratch / "run", device="cpu"))
    bare = bare_step(recipe)

    def ours() -> None:
        for _ in range(plan.steps):
            if next(steps, None) is None:
                raise TrainingError("the epoch is too short to time; lower the plan's steps")

    def bare_steps() -> None:
        for _ in range(plan.steps):
            bare()

    def free_step() -> object:  # its batch was made while the bare steps ran
        return next(steps)

    _, *timed = in_turn(plan, free_step, ours, bare_steps)
    steps.close()
    pair = Pair(*timed)
    rate, bare_rate = plan.steps / pair.ours_s, plan.steps / pair.bare_s
    size = recipe.schedule.batch_size
    how = f"{rate:.2f} / {bare_rate:.2f} steps/s: {size} patches of {side}² px"
    yield Measurement.at_least("training", 1.0 / pair.ratio, "× bare", _TARGET, how)


def bare_step(recipe: Recipe) -> Callable[[], object]:
    """Forward, backward and Adam on one batch that is there already."""
    net = build(recipe.family).train()
    assert isinstance(net, Net)
    optimiser = torch.optim.Adam(net.parameters(), lr=recipe.schedule.learning_rate)
    bands = int(getattr(recipe.family, "bands", 1))
    shape = recipe.schedule.batch_size, 1, recipe.data.side_px, recipe.data.side_px
    planes = torch.randn(shape[0], bands, *shape[2:])
    target, weight = (torch.rand(shape) > 0.8).float(), torch.ones(shape)

    def step() -> object:
        optimiser.zero_grad(set_to_none=True)
        loss = net.loss(net(planes), target, weight)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return float(loss.detach())

    return step


def _steps(recipe: Recipe, run: Run) -> Generator[StepDone, None, None]:
    """The optimiser steps of a training."""
    for event in train(recipe, run):
        if isinstance(event, StepDone):
            yield event
