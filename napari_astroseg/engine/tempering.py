"""Tempering: probabilities that mean what they say, by one number fitted on truth (Guo+2017).

A network's scores are divided by a temperature before they become probabilities: above 1 they move
towards a half, below 1 away from it. The order of pixels stays, so that regions stay as they are
when the threshold moves along.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from napari_astroseg.engine.batches import untrained
from napari_astroseg.engine.calibration import Reliability
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.engine.temperature import log_odds, tempered
from napari_astroseg.errors import DataError, MisfitError
from napari_astroseg.recipes.data import PatchData
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.fourmaps import digest, open_four_maps
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.window import Window

_RANGE = 0.05, 20.0
"""Temperatures that are looked at: beyond, every answer is a half, or no doubt is left."""


_FARTHEST, _STEP = 20.0, 0.05
"""Log-odds that are told apart: single precision ends near 17."""


class OddsCounts:
    """How many pixels on and off target there are at each step of log-odds."""

    def __init__(self) -> None:
        self.odds = np.arange(-_FARTHEST, _FARTHEST + _STEP / 2, _STEP)
        self.on = np.zeros(len(self.odds), np.int64)
        self.off = np.zeros(len(self.odds), np.int64)

    def add(
        self, probability: NDArray[Any], target: NDArray[np.bool_], counted: NDArray[np.bool_]
    ) -> None:
        """Count the pixels where `counted`; all arrays of one shape."""
        odds = np.clip(log_odds(probability[counted].astype(np.float64)), -_FARTHEST, _FARTHEST)
        binned = np.rint((odds + _FARTHEST) / _STEP).astype(np.intp)
        hit = target[counted]
        self.on += np.bincount(binned[hit], minlength=len(self.on))
        self.off += np.bincount(binned[~hit], minlength=len(self.off))

    def temperature(self) -> float:
        """The one under which the truth is likeliest."""

        def surprise(log_temperature: float) -> float:
            scaled = self.odds / np.exp(log_temperature)
            total: float = (self.on * np.logaddexp(0, -scaled)).sum()
            return total + float((self.off * np.logaddexp(0, scaled)).sum())

        best = minimize_scalar(surprise, bounds=tuple(np.log(_RANGE)), method="bounded")
        return round(float(np.exp(best.x)), 4)

    def reliability(self, temperature: float) -> Reliability:
        """How probabilities of that temperature meet the truth."""
        told = 1 / (1 + np.exp(-self.odds / temperature))
        on = Reliability.of(told, np.ones(len(told), bool), self.on)
        off = Reliability.of(told, np.zeros(len(told), bool), self.off)
        return Reliability(on.sums + off.sums)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A model calibrated on maps.

    Parameters
    ----------
    model
        With `temperature` in its card, and its threshold moved along.
    before, after
        How its probabilities met the truth without it, and with it.
    """

    model: Model
    before: Reliability
    after: Reliability


def calibrate(
    model: Model,
    data: Path,
    *,
    background: str = "one_vs_all",
    window: Window | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> Calibrated:
    """Fit the temperature on all labelled pixels of maps that the model has not learnt from.

    In a folder that it learnt from, only what it did not learn from counts.

    Raises
    ------
    MisfitError
        When the model is of something else than maps.
    DataError
        When the maps hold no truth.
    """
    if not isinstance(model.recipe.data, PatchData):
        raise MisfitError(
            f"{model.card.name} learns from {model.recipe.data.layout} data, and only models of "
            "maps can be calibrated: leave out --calibrate"
        )
    bare = dataclasses.replace(model, card=dataclasses.replace(model.card, temperature=1.0))
    counts = OddsCounts()
    spec = model.recipe.data
    fields = open_four_maps(data, background, spec.floor)
    taught = digest(data) == model.card.data_digest
    counted = untrained(spec, fields) if taught else [np.ones_like(f.valid) for f in fields]
    for done, (field, unseen) in enumerate(zip(fields, counted, strict=True), start=1):
        inside = (window or Window.whole(field.target.shape)).clipped(field.target.shape)
        answer = predicted(predict(bare, field.image, inside, device=device, force=True), inside)[0]
        known = (field.labelled & unseen)[inside.slices] & np.isfinite(answer)
        counts.add(answer, (field.target & field.valid)[inside.slices], known)
        progress("calibrating", done, len(fields))
    if not counts.on.sum() or not counts.off.sum():
        raise DataError(
            f"{data} does not hold both structure and background; calibrate on maps that do"
        )
    temperature = counts.temperature()
    threshold = float(tempered(np.array(_untempered(model)), temperature))
    card = dataclasses.replace(model.card, temperature=temperature, threshold=round(threshold, 4))
    return Calibrated(
        dataclasses.replace(model, card=card),
        counts.reliability(1.0),
        counts.reliability(temperature),
    )


def write_reliability(path: Path, calibrated: Calibrated) -> Path:
    """Draw the fraction of pixels that are structure against what was told of them."""
    canvas = Figure(figsize=(4.4, 4.0), layout="constrained")
    panel = canvas.subplots()
    panel.plot((0, 1), (0, 1), color="0.7", lw=1)
    temperature = calibrated.model.card.temperature
    both = {"as it was": calibrated.before, f"T = {temperature:g}": calibrated.after}
    for words, told in both.items():
        curve = told.curve()
        x, y = ([point[key] for point in curve] for key in ("probability", "true"))
        panel.plot(x, y, "o-", ms=3, label=f"{words}, ECE {told.error():.3f}")
    panel.set_xlabel("probability")
    panel.set_ylabel("fraction of pixels that are")
    panel.legend(loc="upper left", fontsize="small")
    with replacing(path) as temporary:
        canvas.savefig(temporary, format="png", dpi=120)
    return path


def _untempered(model: Model) -> float:
    """The model's threshold on probabilities without a temperature."""
    return float(tempered(np.array(model.card.threshold), 1.0 / model.card.temperature))
