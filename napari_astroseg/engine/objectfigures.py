"""Object figures: how many stars and galaxies a model finds, and how precisely (Burke+2019)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.engine.bootstrap import drawn_numbers, or_none, spread_of_curves, spreads
from napari_astroseg.engine.findobjects import found_objects
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.objectmatches import (
    IOUS,
    RECALLS,
    Matches,
    best_cut,
    matched,
    told_figures,
)
from napari_astroseg.engine.objects import field_of, open_sets
from napari_astroseg.engine.worst import worst_first
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import SetData
from napari_astroseg.sky.instances import Footprint
from napari_astroseg.sky.progress import Progress, silent


def evaluate_objects(
    model: Model, data: Path, device: str, progress: Progress = silent
) -> dict[str, Any]:
    """Figures of a model on sets with masks; see `evaluate`.

    Raises
    ------
    DataError
        When no set has an object with a mask.
    """
    spec = model.recipe.data
    assert isinstance(spec, SetData)
    dataset = open_sets(spec, data)
    known = dataset.of("validation").tolist()
    if dataset.digest != model.card.data_digest:
        known += dataset.of("training").tolist()
    images: list[tuple[Matches, ...]] = []
    for number in sorted(known):
        progress("measuring images", len(images), len(known))
        field = field_of(dataset.items[number], spec)
        truth = [
            Footprint(thing.window, thing.mask)
            for thing in field.things
            if thing.window is not None and thing.mask is not None
        ]
        classes = np.array([1 + spec.kinds.index(thing.kind) for thing in field.things], np.int64)
        found = found_objects(model, field.image, device)
        images.append(matched(found, truth, classes, len(spec.kinds)))
    of_kind = joined(images, range(len(images)), len(spec.kinds))
    count = sum(each.count for each in of_kind)
    if not count:
        raise DataError(f"no set of {data} has an object with a mask; evaluate on sets that have")
    cut = model.card.threshold
    figures = told_figures(of_kind, spec.kinds, cut)
    drawn = [joined(images, some.tolist(), len(spec.kinds)) for some in drawn_numbers(len(images))]
    units = [
        {"name": dataset.items[number].name, **_of_image(each, spec.kinds, cut)}
        for number, each in zip(sorted(known), images, strict=True)
    ]
    return {
        "recipe": model.recipe.name,
        "model": model.digest,
        "data": dataset.digest,
        "figures": {
            "images": float(len(images)),
            "objects": float(count),
            **figures,
            "threshold": cut,
            "threshold_best": best_cut(of_kind),
        },
        "curves": curves(of_kind, spec.kinds),
        "overlaps": overlaps(of_kind, drawn, spec.kinds),
        "errors": spreads([told_figures(each, spec.kinds, cut) for each in drawn]),
        "worst": worst_first("ap50", units),
    }


def joined(
    images: Sequence[Sequence[Matches]], numbers: Sequence[int], kinds: int
) -> tuple[Matches, ...]:
    """Matches of each class on some of the images, any of them any number of times."""
    return tuple(
        Matches.joined(images[number][kind] for number in numbers) for kind in range(kinds)
    )


def curves(of_kind: Sequence[Matches], kinds: Sequence[str]) -> dict[str, Any]:
    """`recall`, and of each class, for each overlap, the best precision at that recall."""
    told: dict[str, Any] = {"recall": RECALLS.round(2).tolist()}
    for kind, each in zip(kinds, of_kind, strict=True):
        told[kind] = {
            f"{iou:.2f}": each.best_precision(level).round(4).tolist()
            for level, iou in enumerate(IOUS)
        }
    return told


def overlaps(
    of_kind: Sequence[Matches], drawn: Sequence[Sequence[Matches]], kinds: Sequence[str]
) -> dict[str, list[float | None]]:
    """`iou`, and of each class the average precision at that overlap, with its `_error`."""
    told: dict[str, list[float | None]] = {"iou": IOUS.tolist()}
    for at, kind in enumerate(kinds):
        error = spread_of_curves([each[at].precisions() for each in drawn])
        told |= {kind: or_none(of_kind[at].precisions()), f"{kind}_error": or_none(error)}
    return told


def _of_image(each: Sequence[Matches], kinds: Sequence[str], cut: float) -> dict[str, float]:
    """What is told of one image; of one without objects only what is found in vain."""
    figures = told_figures(each, kinds, cut)
    claimed = sum(int(np.count_nonzero(kind.scores >= cut)) for kind in each)
    count = sum(kind.count for kind in each)
    return {
        "ap50": 0.0 if not count and claimed else figures["ap50"],
        "precision": figures["precision"],
        "recall": figures["recall"],
        "objects": count,
        "found": claimed,
    }
