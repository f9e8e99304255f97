"""Ladder: the masks at several thresholds side by side, as Rey Deutsch et al. (2023) show them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.votes.votemap import LADDER, VoteMap
from napari_astroseg.sky.window import Window

_MOST_PX = 600
"""Side of a panel beyond which every second, third … pixel is drawn."""

_MASK = (0.21, 0.94, 0.78)
_IN_A_ROW = 3


def ladder_figure(votes: VoteMap, thresholds: Sequence[int] = LADDER) -> Any:
    """A matplotlib figure with a panel for each threshold: the picture, the mask, its area.

    Raises
    ------
    VoteError
        When a threshold is below 1.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(thresholds) // _IN_A_ROW)
    figure = Figure((3.1 * min(len(thresholds), _IN_A_ROW), 3.3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    step = max(1, -(-max(votes.shape) // _MOST_PX))
    picture, areas = _picture(votes, step), votes.areas()
    up = _north_is_up(votes)
    for place, threshold in enumerate(thresholds, 1):
        axes = figure.add_subplot(rows, min(len(thresholds), _IN_A_ROW), place)
        mask = votes.at_least(threshold)[step // 2 :: step, step // 2 :: step]
        shown = picture.copy()
        shown[mask] = 0.45 * shown[mask] + 0.55 * np.array(_MASK)
        axes.imshow(shown, origin="lower" if up else "upper", interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"th = {threshold}: {areas[threshold]:,} px", fontsize=10)
    figure.suptitle(f"{votes.name} of {votes.image.name}".replace("$", r"\$"), fontsize=11)
    return figure


def ladder_png(votes: VoteMap, thresholds: Sequence[int] = LADDER) -> bytes:
    """The same as a PNG."""
    told = BytesIO()
    ladder_figure(votes, thresholds).savefig(told, format="png", dpi=90)
    return told.getvalue()


def write_ladder(path: Path, votes: VoteMap, thresholds: Sequence[int] = LADDER) -> Path:
    """Write the same; `.svg` and `.pdf` are drawn with lines, anything else is a PNG.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    figure, kind = ladder_figure(votes, thresholds), path.suffix.lower().lstrip(".")
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind if kind in {"svg", "pdf"} else "png", dpi=150)
    return path


def _picture(votes: VoteMap, step: int) -> NDArray[np.float64]:
    """What the volunteers saw, (h, w, 3) from 0 to 1; the counts where it is not at hand."""
    every = slice(step // 2, None, step)
    if votes.picture is not None and votes.picture.planes is not None:
        values = votes.picture.cutout(Window.whole(votes.shape))[:3, every, every]
        return np.moveaxis(np.nan_to_num(values) / 255.0, 0, -1).clip(0, 1)
    grey = votes.counts[every, every] / max(votes.most, 1)
    return np.repeat(0.8 * grey[..., None], 3, -1)


def _north_is_up(votes: VoteMap) -> bool:
    """Whether north is towards the last row; so it is held to be without a WCS."""
    from napari_astroseg.sky.coords.orientation import orientation

    height, width = votes.shape
    around = orientation(votes.image, width / 2, height / 2)
    return around is None or bool(around.north[1] >= 0)
