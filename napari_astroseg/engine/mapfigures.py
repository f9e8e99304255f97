"""Map figures: how a model and the regions of four maps agree, pixel by pixel (Zavagno+2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.batches import untrained
from napari_astroseg.engine.bootstrap import or_none, spread_of_curves, spreads, weights
from napari_astroseg.engine.events import TileDone
from napari_astroseg.engine.mapareas import (
    AREA_PX,
    OVER_THRESHOLDS,
    PART_AREAS,
    THRESHOLDS,
    Areas,
    Sum,
)
from napari_astroseg.engine.metrics import PixelCounts
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.predict import predict
from napari_astroseg.engine.worst import worst_first
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import PatchData
from napari_astroseg.sky.fourmaps import FourMaps, digest, open_four_maps
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.window import Window


def evaluate_maps(
    model: Model,
    data: Path,
    device: str,
    background: str = "one_vs_all",
    window: Window | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Figures of a model on aligned maps; see `evaluate`.

    Raises
    ------
    DataError
        When no pixel that counts is of a structure.
    """
    spec = model.recipe.data
    assert isinstance(spec, PatchData)
    fields, name = open_four_maps(data, background, spec.floor), digest(data)
    taught = name == model.card.data_digest
    counted = untrained(spec, fields) if taught else [np.ones_like(f.valid) for f in fields]
    told: list[Areas] = []
    places: list[tuple[str, Window]] = []
    for field, unseen in zip(fields, counted, strict=True):
        progress(f"predicting {field.name}", len(told), len(fields))
        inside = (window or Window.whole(unseen.shape)).clipped(unseen.shape)
        probability = _predicted(model, field, inside, device, progress)
        maps = field.target & field.valid, field.labelled & unseen, unseen
        truth, labelled, free = (each[inside.slices] for each in maps)
        least = model.recipe.prediction.min_area_px
        areas = Areas.of(probability, (truth, labelled, free), model.card.threshold, least)
        told.append(replace(areas, parts=areas.parts + len(places)))
        places += [(_file(field), part) for part in parts_of(inside)]
    areas = Areas.joined(told)
    (total,) = areas.summed(np.ones((1, len(areas.parts))))
    if not total.pixels.on.sum():
        where = " outside the areas that this model learnt from" if taught else ""
        raise DataError(f"{data} holds no labelled structure{where}; evaluate on a field that does")
    threshold = model.card.threshold
    draws = areas.summed(weights(len(areas.parts)))
    return {
        "recipe": model.recipe.name,
        "model": model.digest,
        "data": name,
        "figures": {**total.all_figures(threshold), "threshold": threshold},
        "errors": spreads([draw.all_figures(threshold) for draw in draws]),
        "thresholds": _over_thresholds(total, draws),
        "precision_recall": _tradeoff(total.pixels),
        "worst": worst_first("dice", _parts_told(areas, places, threshold)),
    }


def parts_of(window: Window) -> list[Window]:
    """The parts of a window that are told by themselves, in rows, as `Areas` numbers them."""
    side = AREA_PX * PART_AREAS
    return [
        Window(x, y, min(side, window.x_end - x), min(side, window.y_end - y))
        for y, x in product(
            range(window.y, window.y_end, side), range(window.x, window.x_end, side)
        )
    ]


def _predicted(
    model: Model, field: FourMaps, window: Window, device: str, progress: Progress
) -> NDArray[np.float32]:
    """Probability (height, width) of a structure in a window; NaN where missing."""
    probability = np.full(window.shape, np.nan, np.float32)
    for event in predict(model, field.image, window, device=device, force=True):
        if isinstance(event, TileDone):
            probability[event.window.moved(-window.x, -window.y).slices] = event.probability[0]
            progress(f"predicting {field.name}", event.done, event.total)
    return probability


def _over_thresholds(total: Sum, draws: Sequence[Sum]) -> dict[str, list[float | None]]:
    """Figures over `threshold`, each with its `_error`; None where there is none."""
    values, errors = total.curves(), spread_of_curves([draw.curves() for draw in draws])
    told: dict[str, list[float | None]] = {"threshold": [*THRESHOLDS]}
    for name, value, error in zip(OVER_THRESHOLDS, values, errors, strict=True):
        told |= {name: or_none(value), f"{name}_error": or_none(error)}
    return told


def _tradeoff(pixels: PixelCounts) -> dict[str, list[float | None]]:
    """Precision, recall and false-positive rate of pixels at each hundredth of probability."""
    at = np.arange(101) / 100
    return {
        "threshold": at.tolist(),
        "recall": or_none(np.array([pixels.recovery(each) for each in at])),
        "precision": or_none(np.array([pixels.precision(each) for each in at])),
        "false_positive_rate": or_none(
            np.array([1.0 - pixels.background_recovery(each) for each in at])
        ),
    }


def _parts_told(
    areas: Areas, places: Sequence[tuple[str, Window]], threshold: float
) -> list[dict[str, Any]]:
    """The figures of each part of a map that has any."""
    numbers = np.unique(areas.parts)
    told = []
    for number, total in zip(numbers, areas.summed(_members(areas.parts, numbers)), strict=True):
        file, part = places[number]
        window = [part.x, part.y, part.width, part.height]
        told.append({"name": file, "window": window, **total.figures(threshold, -1)})
    return told


def _members(parts: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 where an area is in a part, (parts, areas)."""
    return (parts == numbers[:, None]).astype(np.float64)


def _file(field: FourMaps) -> str:
    reference = field.image.reference
    assert reference is not None and reference.path is not None  # it was opened from a file
    return reference.path.name
