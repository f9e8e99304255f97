"""Patches: how fast they come out of a large map on disk, over what a training step consumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from napari_astroseg.bench.fields import write_survey
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn
from napari_astroseg.bench.training import bare_step
from napari_astroseg.engine.loader import drawn_turns, turned
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.prepare import prepared
from napari_astroseg.recipes.data import Augmentation
from napari_astroseg.sky.normalise import valid_pixels
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

_TARGET = 2.0


def measure(plan: Plan, model: Model, scratch: Path) -> Iterator[Measurement]:
    """The recipe's own patches and batch, cut, normalised and turned by one thread."""
    recipe, side = model.recipe, plan.large_px[0]
    batch = recipe.schedule.batch_size
    path = write_survey(scratch / f"survey-{side}.fits", side)
    cut = _cutting(model, path, batch)
    step = bare_step(recipe)
    pair = Pair(*in_turn(plan, cut, step))
    path.unlink()
    rate, used = batch / pair.ours_s, batch / pair.bare_s
    how = (
        f"{rate:,.0f} / {used:,.1f} patches/s: of {recipe.data.side_px}² px anywhere in a "
        f"{side}² px map in the system's cache, by one thread, against steps of {batch} on all"
    )
    yield Measurement.at_least("patches", rate / used, "× consumed", _TARGET, how)


def _cutting(model: Model, path: Path, count: int) -> Callable[[], object]:
    """The making of so many patches."""
    recipe, image = model.recipe, open_image(path)
    side = recipe.data.side_px
    rng = np.random.default_rng(0)

    def once() -> object:
        corners = rng.integers(0, np.array(image.shape) - side + 1, (count, 2))
        turns = drawn_turns(rng, count, Augmentation())
        made = np.empty((count, 1, side, side), np.float32)
        for number, (y, x) in enumerate(corners.tolist()):
            values = image.cutout(Window(x, y, side, side))
            planes = prepared(values, valid_pixels(values, recipe.data.floor), recipe)
            made[number] = turned(planes[None], turns[number])
        return made

    return once
