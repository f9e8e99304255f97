"""Curveplot: precision against recall, a panel for each class and a line for each overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from napari_astroseg.sky.files.writing import replacing


def write_curves(path: Path, curves: dict[str, Any]) -> Path:
    """Write curves as PNG: `recall`, and of each class the precision at it for each overlap."""
    kinds = [name for name in curves if name != "recall"]
    canvas = Figure(figsize=(4.2 * len(kinds), 3.8), layout="constrained")
    panels = canvas.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for panel, kind in zip(panels, kinds, strict=True):
        lines = curves[kind]
        colours = colormaps["viridis"](np.linspace(0, 1, len(lines)))
        for colour, (overlap, precision) in zip(colours, lines.items(), strict=True):
            panel.plot(curves["recall"], precision, color=colour, label=overlap)
        panel.set(title=kind, xlabel="recall", xlim=(0, 1), ylim=(0, 1.02))
    panels[0].set_ylabel("precision")
    panels[-1].legend(title="IoU", fontsize="x-small", title_fontsize="small")
    with replacing(path) as temporary:
        canvas.savefig(temporary, format="png", dpi=120)
    return path
