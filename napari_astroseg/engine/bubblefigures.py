"""Bubble figures: how many bubbles of a catalogue a model finds, and what it finds besides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.bootstrap import DRAWS, SEED, or_none, spread_of_curves, spreads
from napari_astroseg.engine.bubbles import Boxes, boxes_of, open_tiles
from napari_astroseg.engine.detect import detect
from napari_astroseg.engine.events import Finished, ObjectsDone
from napari_astroseg.engine.matches import CUTS, Matches
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.worst import worst_first
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import BubbleData
from napari_astroseg.sky.datasets.bubblecatalogue import BOX
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.progress import Progress, silent

SIZES_ARCMIN = (0.0, 0.3, 0.6, 1.2, 2.4)
"""Semi-major axes from which a bin goes to the next, the last to any size."""

_SCANNED = ("f2", "precision", "recall", "new")


def evaluate_bubbles(
    model: Model, data: Path, device: str, progress: Progress = silent
) -> dict[str, Any]:
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
    parts, names, majors = [], [], [np.zeros(0)]
    for number in numbers:
        item = dataset.items[int(number)]
        image, boxes = item.image, boxes_of(item.truth())
        found = _detected(model, image, device, progress)
        parts.append(Matches.of(found, boxes, int(number)))
        names.append(item.name)
        majors.append(_majors(boxes, image))
    matches = Matches.joined(parts) if parts else None
    if matches is None or not len(matches.best):
        raise DataError(
            f"no tile of {data} shows a bubble of its catalogue; evaluate on tiles that do"
        )
    cut, best = model.card.threshold, matches.best_cut()
    rng = np.random.default_rng(SEED)
    drawn = [matches.drawn(rng) for _ in range(DRAWS)]
    figures = _figures(matches, cut, best)
    units = [{"name": name, **_of_tile(part, cut)} for name, part in zip(names, parts, strict=True)]
    return {
        "recipe": model.recipe.name,
        "model": model.digest,
        "data": dataset.digest,
        "figures": {"tiles": float(len(parts)), "bubbles": float(len(matches.best)), **figures,
                    "threshold": cut, "threshold_best": best},
        "sizes": _by_size(matches.best >= cut, np.concatenate(majors)),
        "scan": _scan(matches, drawn),
        "errors": spreads([_figures(each, cut, best) for each in drawn]),
        "worst": worst_first("f2", units),
    }  # fmt: skip


def _scan(matches: Matches, drawn: Sequence[Matches]) -> dict[str, list[float | None]]:
    """Figures over the score `cut`, each with its `_error`; None where there is none."""
    values, errors = _scanned(matches), spread_of_curves([_scanned(each) for each in drawn])
    told: dict[str, list[float | None]] = {"cut": CUTS.tolist()}
    for name, value, error in zip(_SCANNED, values, errors, strict=True):
        told |= {name: or_none(value), f"{name}_error": or_none(error)}
    return told


def _scanned(matches: Matches) -> NDArray[np.float64]:
    """(4, 46) the figures of `_SCANNED` at each of `CUTS`."""
    told = [matches.figures(float(cut)) for cut in CUTS]
    return np.array([[each[name] for each in told] for name in _SCANNED])


def _of_tile(matches: Matches, cut: float) -> dict[str, float]:
    """What is told of one tile; of one without bubbles only what is found in vain."""
    figures = matches.figures(cut)
    bubbles, new = len(matches.best), int(figures["new"])
    lost = not bubbles and new > 0
    return {
        "f2": 0.0 if lost else figures["f2"],
        "precision": figures["precision"],
        "recall": figures["recall"],
        "bubbles": bubbles,
        "new": new,
    }


def _detected(model: Model, image: SkyImage, device: str, progress: Progress) -> Objects:
    objects = Objects.none()
    for event in detect(model, image, device=device, force=True):
        if isinstance(event, ObjectsDone):
            progress(f"searching {image.name}", event.done, event.total)
        if isinstance(event, Finished):
            objects = event.result["objects"]
    return objects


def _majors(boxes: Boxes, image: SkyImage) -> Boxes:
    """Semi-major axes (M,) of the bubbles in boxes (M, 4), arcmin."""
    scale = image.pixel_scale_arcsec
    assert scale is not None  # the boxes come from the sky
    return (boxes[:, 2] - boxes[:, 0]) / 2 / BOX * scale / 60


def _by_size(recovered: NDArray[np.bool_], majors: Boxes) -> dict[str, list[float]]:
    """Bubbles, and those recovered, of each bin: from one of `arcmin` to the next."""
    bins = np.digitize(majors, SIZES_ARCMIN[1:])
    counts = [np.bincount(bins[own], minlength=len(SIZES_ARCMIN))
              for own in (np.ones(len(bins), bool), recovered)]  # fmt: skip
    bubbles, found = (count.astype(float).tolist() for count in counts)
    return {"arcmin": list(SIZES_ARCMIN), "bubbles": bubbles, "recovered": found}


def _figures(matches: Matches, cut: float, best: float) -> dict[str, float]:
    return {**matches.figures(cut), "f2_best": matches.figures(best)["f2"]}
