"""Blend figures: how a model and the truth of overlapping galaxies agree (Bretonnière+2021)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.engine.blended import batch_arrays, open_stamps, spec_of
from napari_astroseg.engine.blendobjects import KINDS, Galaxies, Objects, catalogued
from napari_astroseg.engine.bootstrap import spread, spreads, weights
from napari_astroseg.engine.calibration import Reliability
from napari_astroseg.engine.model import Model, torch_device
from napari_astroseg.engine.nets.sampling import SamplingNet, folded
from napari_astroseg.engine.sampled import draws_for
from napari_astroseg.engine.worst import worst_first
from napari_astroseg.errors import DataError
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.structures import any_class

_DEEMED_SKY = 0.01
"""Pixels below this probability of a galaxy are left out of its calibration: they are 96 % of all,
and would make any answer look calibrated."""

Sums = dict[str, NDArray[np.float64]]
"""What is counted in a stamp, or in many together, by name."""


def evaluate_blended(
    model: Model,
    data: Path,
    device: str,
    progress: Progress = silent,
    samples: int | None = None,
) -> dict[str, Any]:
    """Figures of a model on a folder of stamps; see `evaluate`.

    Raises
    ------
    DataError
        When no stamp shows a galaxy.
    """
    stamps = open_stamps(spec_of(model.recipe), data, progress)
    seen_in_training = stamps.digest == model.card.data_digest
    numbers = stamps.of("validation") if seen_in_training else np.arange(len(stamps))
    edges = _magnitude_edges(stamps, numbers)
    each = _counted(model, stamps, numbers, edges, torch_device(device), samples, progress)
    total = {name: counts.sum(0) for name, counts in each.items()}
    if not total["true"].sum():
        raise DataError(f"no stamp of {data} shows a galaxy; evaluate on stamps that do")
    count = len(numbers)
    drawn = [
        {name: np.tensordot(weight, counts, 1) for name, counts in each.items()}
        for weight in weights(count)
    ]
    names = [stamps.items[int(number)].name for number in numbers]
    return {
        "recipe": model.recipe.name,
        "model": model.digest,
        "data": stamps.digest,
        "figures": {"stamps": float(count), **figures_of(total)},
        "errors": spreads([figures_of(sums) for sums in drawn]),
        "magnitudes": magnitudes_of(total, edges, drawn),
        "reliability": {name: Reliability(total[name]).curve() for name in ("galaxy", "overlap")},
        "worst": worst_first("dice", _of_stamps(each, names)),
    }


def figures_of(sums: Sums) -> dict[str, float]:
    """The paper's figures of what was counted; NaN where there is nothing to count."""
    told: dict[str, float] = {}
    for at, kind in enumerate(KINDS):
        true, detected, met, found, right = (
            sums[name][at] for name in ("true", "detected", "met", "found", "right")
        )
        told[f"completeness_{kind}"] = _ratio(met, true)
        told[f"purity_{kind}"] = _ratio(right, found)
        told[f"detected_{kind}"] = _ratio(detected, true)
        told[f"iou_{kind}"] = _ratio(sums["iou"][at], detected)
        told |= {f"authors_{name}_{kind}": value for name, value in _as_authors(sums, at).items()}
    empty, kept_empty = sums["empty"]
    told["null"] = _ratio(kept_empty, empty)
    for name, short in (("class", "ece"), ("galaxy", "ece_galaxy"), ("overlap", "ece_overlap")):
        told[short] = Reliability(sums[name]).error()
    return told


def _as_authors(sums: Sums, at: int) -> dict[str, float]:
    """What the authors' code counts: of isolated ones whether they are found, of blends as what.

    An isolated one that is taken for a blend counts against the purity of blends alone.
    """
    true, detected, met, found, right, real = (
        sums[name][at] for name in ("true", "detected", "met", "found", "right", "real")
    )
    isolated = KINDS[at] == "isolated"
    missed, wrong = (true - detected, found - real) if isolated else (detected - met, real - right)
    return {
        "completeness": _ratio(met, met + missed),
        "purity": _ratio(right, right + wrong),
        "iou": _ratio(sums["iou_met"][at], met),
    }


def magnitudes_of(
    sums: Sums, edges: NDArray[np.float64], drawn: Sequence[Sums] = ()
) -> list[dict[str, Any]]:
    """For each bin of magnitude and kind: galaxies, fraction detected, mean IoU and variance.

    Each with its `_error`, the standard deviation over the draws; None where there is none.
    """
    told = _by_magnitude(sums)
    others = [_by_magnitude(each) for each in drawn]
    rows = []
    for low, (start, stop) in enumerate(pairwise(edges)):
        row: dict[str, Any] = {"from": float(start), "to": float(stop)}
        for at, kind in enumerate(KINDS):
            row[kind] = {"galaxies": int(sums["galaxies"][at, low, 0])}
            for name, values in told.items():
                error = spread([float(each[name][at, low]) for each in others])
                row[kind] |= {name: _or_none(values[at, low]), f"{name}_error": _or_none(error)}
        rows.append(row)
    return rows


def _by_magnitude(sums: Sums) -> dict[str, NDArray[np.float64]]:
    """Fraction detected, mean IoU and variance, (kinds, bins); NaN where nothing is there."""
    galaxies, detected, shared, variance = np.moveaxis(sums["galaxies"], -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "detected": detected / galaxies,
            "iou": shared / detected,
            "variance": variance / detected,
        }


def _counted(
    model: Model,
    stamps: Dataset,
    numbers: NDArray[np.intp],
    edges: NDArray[np.float64],
    device: torch.device,
    samples: int | None,
    progress: Progress,
) -> Sums:
    """What is counted in each stamp, (stamps, …)."""
    net = model.swift(device)
    assert isinstance(net, SamplingNet)
    draws = draws_for(net, model.recipe, model.card.name, samples)
    assert draws is not None
    generator = torch.Generator().manual_seed(model.recipe.schedule.seed % 2**63)
    size = model.recipe.schedule.batch_size
    threshold, least = model.card.threshold, model.recipe.prediction.min_area_px
    rows = []
    for start in range(0, len(numbers), size):
        progress("measuring stamps", start, len(numbers))
        mine = numbers[start : start + size]
        planes, truth, _ = batch_arrays(stamps, mine, model.recipe)
        with torch.inference_mode():
            given = torch.from_numpy(planes).to(device)
            answers = net.samples(given, draws, generator)
            with_any = (torch.cat((each, each.sum(1, keepdim=True)), 1) for each in answers)
            mean, variance = (each.cpu().numpy() for each in folded(with_any))
        for slot, number in enumerate(mine):
            objects = Objects.of(mean[slot, :-1], variance[slot], truth[slot, 0], threshold, least)
            galaxies = Galaxies.of(objects, catalogued(stamps.items[int(number)]), edges)
            rows.append(_row(objects, galaxies, mean[slot, :-1], truth[slot, 0], threshold))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _row(
    objects: Objects,
    galaxies: Galaxies,
    probability: NDArray[np.float32],
    truth: NDArray[Any],
    threshold: float,
) -> Sums:
    """What is counted in one stamp."""
    galaxy = any_class(probability)
    every = np.concatenate((1.0 - galaxy[None], probability))
    deemed, found, true = galaxy >= _DEEMED_SKY, galaxy >= threshold, truth > 0
    return {
        **objects.counts(),
        "galaxies": galaxies.sums,
        "class": Reliability.of(every.max(0), every.argmax(0) == truth).sums,
        "galaxy": Reliability.of(galaxy[deemed], truth[deemed] > 0).sums,
        "overlap": Reliability.of(probability[-1][deemed], truth[deemed] == len(KINDS)).sums,
        "pixels": np.array([each.sum() for each in (found, true, found & true)], np.float64),
    }


def _of_stamps(each: Sums, names: Sequence[str]) -> list[dict[str, Any]]:
    """What is told of each stamp: Dice of galaxies' pixels, and how many objects there are."""
    found, true, shared = each["pixels"].T
    with np.errstate(invalid="ignore"):  # 0 / 0 of an empty stamp left empty is the NaN wanted
        dice = 2 * shared / (found + true)
    counts = {
        "objects": each["true"].sum(1),
        "found": each["found"].sum(1),
        "blended": each["true"][:, KINDS.index("blended")],
    }
    return [
        {
            "name": name,
            "dice": float(dice[at]),
            **{column: int(values[at]) for column, values in counts.items()},
        }
        for at, name in enumerate(names)
    ]


def _magnitude_edges(stamps: Dataset, numbers: NDArray[np.intp]) -> NDArray[np.float64]:
    """Whole magnitudes around all galaxies; none where no catalogue lies beside the stamps."""
    told = [catalogued(stamps.items[int(number)])["magnitude"] for number in numbers]
    every = np.concatenate(told) if told else np.zeros(0)
    if not len(every):
        return np.zeros(0)
    return np.arange(math.floor(every.min()), math.ceil(every.max()) + 1.0)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
