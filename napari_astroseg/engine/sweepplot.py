"""Sweepplot: what a search found, as a figure: trial after trial, and over each field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_astroseg.engine.study import Study
from napari_astroseg.recipes.figurenames import words_of
from napari_astroseg.recipes.search import Choice, Range
from napari_astroseg.sky.files.writing import replacing

_COLOURS = {"complete": "#1f77b4", "pruned": "#b0b0b0", "fail": "#d62728"}


def write_plot(path: Path, study: Study, figure: str) -> Path:
    """Write the figure as PNG: `figure` is the axis that is the higher the better."""
    table, fields = study.table(), study.search.fields
    canvas = Figure(figsize=(4.0 * (1 + len(fields)), 3.6), layout="constrained")
    first, *panels = canvas.subplots(1, 1 + len(fields), sharey=True, squeeze=False)[0]
    _scatter(first, table["trial"], table)
    finite = np.where(table["state"] == "complete", table["figure"], -np.inf)
    first.step(table["trial"], np.maximum.accumulate(finite), where="post", color="black", lw=1)
    first.set_xlabel("trial")
    first.set_ylabel(words_of(figure))
    for panel, (name, how) in zip(panels, fields.items(), strict=True):
        _over(panel, name, how, table)
    for state, colour in _COLOURS.items():
        if state in table["state"]:
            first.scatter([], [], color=colour, label="failed" if state == "fail" else state)
    first.legend(loc="lower right", fontsize="small")
    with replacing(path) as temporary:
        canvas.savefig(temporary, format="png", dpi=120)
    return path


def _over(panel: Any, name: str, how: Choice | Range, table: Any) -> None:
    """One panel: the figure over what was tried of a field."""
    panel.set_xlabel(name)
    if isinstance(how, Choice):
        places = {value: place for place, value in enumerate(how.values)}
        _scatter(panel, [places.get(value, np.nan) for value in table[name]], table)
        panel.set_xticks(list(places.values()), [str(value) for value in places])
        return
    _scatter(panel, table[name], table)
    if how.log:
        panel.set_xscale("log")


def _scatter(panel: Any, places: Any, table: Any) -> None:
    colours = [_COLOURS[state] for state in table["state"]]
    panel.scatter(places, table["figure"], c=colours, s=18)
