"""Drawing: plots as PNG and SVG, the same bytes for the same numbers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_astroseg.engine.report.plots import Bars, Line, Plot, Values

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe & Ito's, told apart by nearly everybody."""

_SIZE_IN = (4.6, 3.7)
_DPI = 130
_MANY = len(_COLOURS)


def drawn(plot: Plot) -> dict[str, bytes]:
    """A plot as the contents of a `png` and a `svg` file."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = {}
    # A salt of its own: without one the names inside an SVG file differ at every call.
    with rc_context({"svg.hashsalt": plot.name, "svg.fonttype": "path", "font.size": 9}):
        figure = Figure(figsize=_SIZE_IN, layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure.add_subplot(), plot)
        for kind, about in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
            file = io.BytesIO()
            figure.savefig(file, format=kind, dpi=_DPI, metadata=about)
            made[kind] = file.getvalue()
    return made


def _draw(axes: Any, plot: Plot) -> None:
    if plot.diagonal:
        axes.plot((0, 1), (0, 1), color="0.7", lw=1, zorder=0)
    for place, words in plot.marks:
        axes.axvline(place, color="0.4", lw=1, ls="--", zorder=0)
        axes.annotate(words, (place, 0.98), xycoords=("data", "axes fraction"), rotation=90,
                      va="top", ha="right", fontsize=7, color="0.4")  # fmt: skip
    for line, colour in zip(plot.lines, _colours(len(plot.lines)), strict=True):
        _draw_line(axes, line, colour)
    for number, (bars, colour) in enumerate(zip(plot.bars, _COLOURS, strict=False)):
        _draw_bars(axes, bars, colour, number)
    if plot.ticks:
        axes.set_xticks(np.arange(len(plot.ticks)) + 0.5, plot.ticks)
    if plot.unit:
        axes.set_ylim(-0.02, 1.04)
    if plot.square:
        axes.set_xlim(-0.02, 1.02)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    if len(plot.lines) + len(plot.bars) > 1:
        axes.legend(fontsize=7, framealpha=0.8)


def _draw_line(axes: Any, line: Line, colour: Any) -> None:
    x, y = _numbers(line.x), _numbers(line.y)
    error = _numbers(line.error) if line.error else np.zeros_like(y)
    known = np.isfinite(x) & np.isfinite(y)
    x, y, error = x[known], y[known], np.nan_to_num(error[known])
    axes.plot(x, y, "o-" if line.dots else "-", ms=3, lw=1.3, color=colour, label=line.name)
    if line.error and line.dots:
        axes.errorbar(x, y, error, fmt="none", ecolor=colour, elinewidth=1, capsize=2)
    elif line.error:
        axes.fill_between(x, y - error, y + error, color=colour, alpha=0.15, linewidth=0)


def _draw_bars(axes: Any, bars: Bars, colour: str, number: int) -> None:
    edges, heights = _numbers(bars.edges), np.nan_to_num(_numbers(bars.heights))
    width = np.diff(edges) * (0.84 - 0.22 * number)  # the second stands before the first
    middles = (edges[1:] + edges[:-1]) / 2
    error = np.nan_to_num(_numbers(bars.error)) if bars.error else None
    axes.bar(middles, heights, width, color=colour, label=bars.name, yerr=error, capsize=3)


def _colours(count: int) -> Sequence[Any]:
    """Colours told apart; of many curves a ladder of one map."""
    from matplotlib import colormaps

    if count <= _MANY:
        return _COLOURS[:count]
    return list(colormaps["viridis"](np.linspace(0, 0.95, count)))


def _numbers(values: Values) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value for value in values], float)
