"""Plot: contrast against significance, for every comparison image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.comparing.comparison import Comparison
from napari_astroseg.sky.comparing.contrast import SURE
from napari_astroseg.sky.files.writing import replacing

_FAR = 8.0 * SURE
"""Significances beyond this would squeeze the others on a linear scale."""


def write_plot(path: Path, comparison: Comparison) -> Path:
    """A panel for each image: contrast across, significance up, coloured by score if known."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seen = comparison.seen
    figure = Figure(figsize=(5.2 * len(seen), 4.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    table = comparison.catalogue.table
    score = np.asarray(table["score"], float) if "score" in table.colnames else None
    for place, each in enumerate(seen, start=1):
        axes = figure.add_subplot(1, len(seen), place)
        contrast = np.asarray(table[f"contrast_{each.key}"], float)
        significance = np.asarray(table[f"significance_{each.key}"], float)
        known = np.isfinite(contrast) & np.isfinite(significance)
        axes.axhspan(-SURE, SURE, color="0.93", zorder=0)
        axes.axvline(0.0, color="0.6", linewidth=0.8)
        if known.any():
            drawn = axes.scatter(
                100.0 * contrast[known],
                significance[known],
                c="#0072b2" if score is None else score[known],
                vmin=None if score is None else 0.0,
                vmax=None if score is None else 1.0,
                s=14,
                linewidths=0,
            )
            if score is not None and place == len(seen):
                figure.colorbar(drawn, ax=axes, label="score")
        else:
            axes.text(0.5, 0.5, "no structure has a contrast", transform=axes.transAxes,
                      ha="center")  # fmt: skip
        _scaled(axes, significance[known])
        axes.set_xlabel("contrast [%]")
        axes.set_ylabel("significance [standard errors]" if place == 1 else "")
        axes.set_title(each.image.name.replace("$", r"\$"), fontsize=10)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
    return path


def _scaled(axes: Any, significance: NDArray[np.float64]) -> None:
    """Logarithmic beyond twice what is sure, where a few would squeeze all others together."""
    furthest = float(np.abs(significance).max(initial=0.0))
    if furthest <= _FAR:
        return
    axes.set_yscale("symlog", linthresh=2.0 * SURE)
    ladder = [step * 10.0**power for power in range(1, 9) for step in (1.0, 2.0, 5.0)]
    steps = [0.0, SURE, *(step for step in ladder if step <= furthest)]
    low, high = significance.min(), significance.max()
    ticks = sorted({sign * step + 0.0 for sign in (-1.0, 1.0) for step in steps})
    axes.set_yticks([tick for tick in ticks if min(low, -SURE) <= tick <= max(high, SURE)])
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.minorticks_off()
