"""Bubble figures: how many bubbles of a catalogue a model finds, and what it finds besides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.engine.bubbles import boxes_of, open_tiles
from napari_astroseg.engine.detect import detect
from napari_astroseg.engine.events import Finished
from napari_astroseg.engine.matches import Matches
from napari_astroseg.engine.model import Model
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import BubbleData
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objects import Objects

_DRAWS = 200
"""Bootstrap draws of sky areas behind each error."""


def evaluate_bubbles(model: Model, data: Path, device: str) -> dict[str, Any]:
    """Figures of a model on Spitzer tiles with a catalogue; see `evaluate`.

    Raises
    ------
    DataError
        When no tile shows a bubble of the catalogue.
    """
    spec = model.recipe.data
    assert isinstance(spec, BubbleData)
    dataset = open_tiles(spec, data)
    seen_in_training = model.card.data_digest.startswith(dataset.digest)
    numbers = dataset.of("validation") if seen_in_training else range(len(dataset))
    parts = []
    for number in numbers:
        item = dataset.items[int(number)]
        objects = _detected(model, item.image, device)
        parts.append(Matches.of(objects, boxes_of(item.truth()), int(number)))
    matches = Matches.joined(parts) if parts else None
    if matches is None or not len(matches.best):
        raise DataError(
            f"no tile of {data} shows a bubble of its catalogue; evaluate on tiles that do"
        )
    cut, best = model.card.threshold, matches.best_cut()
    rng = np.random.default_rng(0)
    draws = [_figures(matches.drawn(rng), cut, best) for _ in range(_DRAWS)]
    figures = _figures(matches, cut, best)
    return {
        "recipe": model.recipe.name,
        "model": model.digest,
        "data": dataset.digest,
        "figures": {"tiles": float(len(parts)), "bubbles": float(len(matches.best)), **figures,
                    "threshold": cut, "threshold_best": best},
        "errors": {name: float(np.nanstd([draw[name] for draw in draws])) for name in figures},
    }  # fmt: skip


def _detected(model: Model, image: SkyImage, device: str) -> Objects:
    objects = Objects.none()
    for event in detect(model, image, device=device, force=True):
        if isinstance(event, Finished):
            objects = event.result["objects"]
    return objects


def _figures(matches: Matches, cut: float, best: float) -> dict[str, float]:
    return {**matches.figures(cut), "f2_best": matches.figures(best)["f2"]}
