"""Scoring: each galaxy that was found looked at again, in the middle of a stamp of its own.

In the stamps of a fixed grid a galaxy may lie anywhere, or be cut. So a stamp is centred on every
detection and answered again; of what is found in it the central object is kept, and the pixels of
that are summed: one score for a galaxy, in every sample, hence with an uncertainty
(Bretonnière+2021).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.measure import label

from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.detect import work_told
from napari_astroseg.engine.model import Model, torch_device
from napari_astroseg.engine.nets.sampling import SamplingNet
from napari_astroseg.engine.prepare import prepared
from napari_astroseg.engine.sampled import draws_for, noise_at
from napari_astroseg.engine.scorestore import ScoreStore
from napari_astroseg.errors import MisfitError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.normalise import valid_pixels
from napari_astroseg.sky.structures import any_class
from napari_astroseg.sky.window import Window

_AT_ONCE = 8
"""Stamps whose samples are held in memory together: 50 MB at 50 samples of 128 pixels."""

_NEAR_PX = 5
"""A central object reaches this close to the middle: detections have their centre there."""

_WORDS = {
    "score": "mean probability over the galaxy, in a stamp centred on it",
    "uncertainty": "standard deviation of that over the samples",
    "summed": "sum of the probabilities over the galaxy, in pixels",
    "overlap": "fraction of the samples in which some of it overlaps another galaxy",
}


@dataclass(frozen=True, eq=False)
class Scores:
    """One number for each of N detections; 0, and NaN as `uncertainty`, where nothing was found.

    Parameters
    ----------
    score, uncertainty
        Mean probability over the central object, and its standard deviation over the samples.
    summed
        The sum of its probabilities, pixels.
    overlap
        Fraction of samples in which a pixel of it is likeliest an overlap.
    """

    score: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    summed: NDArray[np.float64]
    overlap: NDArray[np.float64]


def add_scores(
    catalogue: Catalogue,
    model: Model,
    image: SkyImage,
    threshold: float,
    device: str | Cluster = "auto",
    store: Path | None = None,
    resume: bool = False,
) -> None:
    """Put the scores of its detections into a catalogue, in the place of those from the grid.

    See `score_galaxies`.
    """
    table = catalogue.table
    places = np.stack([np.asarray(table[name], np.float64) for name in ("x", "y")], 1)
    found = score_galaxies(
        model, image, places, threshold=threshold, device=device, store=store, resume=resume
    )
    for name, words in _WORDS.items():
        table[name] = getattr(found, name)
        table[name].info.description = words


def score_galaxies(
    model: Model,
    image: SkyImage,
    places: NDArray[np.float64],
    *,
    threshold: float | None = None,
    samples: int | None = None,
    device: str | Cluster = "auto",
    store: Path | None = None,
    resume: bool = False,
) -> Scores:
    """Scores of detections at `places` (N, 2) of columns x, y, pixels of the image.

    Parameters
    ----------
    threshold
        Probability from which a pixel belongs to an object; the model's own by default.
    samples
        Draws, as many as the recipe says by default.
    store
        File that takes the scores as they are found, so that a killed run resumes.
    resume
        Keep what `store` holds of these very detections.

    Raises
    ------
    MisfitError
        When the model's network draws no samples.
    OutputError
        When the disk refuses.
    """
    where = torch_device(device)
    net = model.swift(where)
    draws = draws_for(net, model.recipe, model.card.name, samples)
    if draws is None or not isinstance(net, SamplingNet):
        raise MisfitError(
            f"{model.card.name} draws no samples, so galaxies cannot be scored by it; choose a "
            "model of the recipe blended_galaxies"
        )
    level = model.card.threshold if threshold is None else threshold
    side, seed = model.recipe.data.side_px, model.recipe.schedule.seed
    kept = None
    if store is not None:
        kept = ScoreStore(store, _work(model, image, places, level, draws), resume)
    told = np.zeros((4, len(places)))
    for start in range(0, len(places), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        known = None if kept is None else kept.get(start)
        if known is not None:
            told[:, here] = known
            continue
        windows = [Window.around(x, y, side) for x, y in places[here]]
        planes = np.stack([_stamp(model, image, window) for window in windows])
        noise = noise_at([(window.x, window.y) for window in windows], draws, net.latent, seed)
        with torch.inference_mode():
            given = torch.from_numpy(planes).to(where)
            every = torch.stack([each.cpu() for each in net.drawn(given, noise.to(where))], 1)
        for slot, each in enumerate(every.numpy()):
            told[:, start + slot] = scored(each, level)
        if kept is not None:
            kept.put(start, told[:, here])
    return Scores(*told)


def scored(samples: NDArray[np.float32], threshold: float) -> tuple[float, float, float, float]:
    """Score, uncertainty, sum and overlap of the central object of samples (n, classes, H, W)."""
    galaxy = any_class(samples)
    mask = central(galaxy.mean(0) >= threshold)
    if not mask.any():
        return 0.0, float("nan"), 0.0, 0.0
    sums = galaxy[:, mask].sum(1, dtype=np.float64)
    background = 1.0 - galaxy
    overlap = samples[:, -1] > np.maximum(background, samples[:, :-1].max(1))
    area = float(mask.sum())
    shared = overlap[:, mask].any(1).mean()
    return float(sums.mean() / area), float(sums.std() / area), float(sums.mean()), float(shared)


def central(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected object (H, W) that comes closest to the middle; none where all are far.

    Objects touch by corners, too.
    """
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    away = np.hypot(rows - height // 2, columns - width // 2)
    if not len(away) or away.min() > _NEAR_PX:
        return np.zeros_like(mask)
    nearest = int(away.argmin())
    labels = label(mask, connectivity=2)
    kept: NDArray[np.bool_] = labels == labels[rows[nearest], columns[nearest]]
    return kept


def _work(
    model: Model, image: SkyImage, places: NDArray[np.float64], threshold: float, draws: int
) -> str:
    """What makes two runs the same work, as text."""
    told = {
        "work": work_told(model, image, Window.whole(image.shape)),
        "places": hashlib.sha256(np.ascontiguousarray(places).tobytes()).hexdigest(),
        "threshold": threshold,
        "draws": draws,
        "at_once": _AT_ONCE,
    }
    return json.dumps(told, sort_keys=True)


def _stamp(model: Model, image: SkyImage, window: Window) -> NDArray[np.float32]:
    """The input (1, side, side) of a window, which may hang over the image's edge."""
    values = image.cutout(window)
    return prepared(values, valid_pixels(values, model.recipe.data.floor), model.recipe)[None]
