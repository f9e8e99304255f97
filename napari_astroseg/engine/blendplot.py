"""Blendplot: figures of overlapping galaxies as a picture: by magnitude, and how calibrated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_astroseg.engine.blendobjects import KINDS
from napari_astroseg.sky.files.writing import replacing

_COLOURS = ("#1f77b4", "#d62728")
_BY_MAGNITUDE = {
    "detected": "fraction detected",
    "iou": "IoU (blended: of the overlap)",
    "variance": "variance of the samples",
}
_CURVES = {"galaxy": "any galaxy", "overlap": "overlap"}


def write_plot(path: Path, told: dict[str, Any]) -> Path:
    """Write what `evaluate_blended` tells as PNG: by magnitude where known, and calibration."""
    rows = told["magnitudes"]
    panels = len(_BY_MAGNITUDE) * bool(rows) + 1
    canvas = Figure(figsize=(3.8 * panels, 3.6), layout="constrained")
    *by_magnitude, last = canvas.subplots(1, panels, squeeze=False)[0]
    for panel, (name, words) in zip(by_magnitude, _BY_MAGNITUDE.items(), strict=False):
        for kind, colour in zip(KINDS, _COLOURS, strict=True):
            _points(panel, rows, kind, name, colour)
        panel.set_xlabel("magnitude")
        panel.set_ylabel(words)
        if name != "variance":
            panel.set_ylim(0.0, 1.02)
    if rows:
        by_magnitude[0].legend(loc="lower left", fontsize="small")
    last.plot((0, 1), (0, 1), color="0.7", lw=1)
    for (name, words), colour in zip(_CURVES.items(), _COLOURS, strict=True):
        curve = told["reliability"][name]
        x, y = ([point[key] for point in curve] for key in ("probability", "true"))
        last.plot(x, y, "o-", ms=3, color=colour, label=words)
    last.set_xlabel("probability")
    last.set_ylabel("fraction of pixels that are")
    last.legend(loc="upper left", fontsize="small")
    with replacing(path) as temporary:
        canvas.savefig(temporary, format="png", dpi=120)
    return path


def _points(panel: Any, rows: list[dict[str, Any]], kind: str, name: str, colour: str) -> None:
    known = [row for row in rows if row[kind][name] is not None]
    middle = np.array([(row["from"] + row["to"]) / 2 for row in known])
    values, errors = ([row[kind][key] for row in known] for key in (name, f"{name}_error"))
    panel.errorbar(middle, values, errors, fmt="o-", ms=4, capsize=2, color=colour, label=kind)
