"""Plots: what `evaluate` tells, as curves and bars in plain numbers, whoever draws them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Values = tuple[float | None, ...]


@dataclass(frozen=True)
class Line:
    """A curve.

    Parameters
    ----------
    name
        For the key.
    x, y
        Its points; where y is None there is none.
    error
        One standard deviation of y, or nothing.
    dots
        Whether its points are marked.
    """

    name: str
    x: Values
    y: Values
    error: Values = ()
    dots: bool = False


@dataclass(frozen=True)
class Bars:
    """Bars from one edge to the next.

    Parameters
    ----------
    name
        For the key.
    edges, heights
        N + 1 edges of N bars.
    error
        One standard deviation of each height, or nothing.
    """

    name: str
    edges: Values
    heights: Values
    error: Values = ()


@dataclass(frozen=True)
class Plot:
    """A picture of one thing.

    Parameters
    ----------
    name
        Of its files.
    title, x, y
        What it shows, and along which axes.
    ticks
        What stands below each bar instead of numbers.
    unit
        Whether y, and `square` x too, run from 0 to 1.
    diagonal
        Whether the line of x = y is drawn, on which curves should lie.
    marks
        Places along x that are marked, and what is there.
    """

    name: str
    title: str
    x: str
    y: str
    lines: tuple[Line, ...] = ()
    bars: tuple[Bars, ...] = ()
    ticks: tuple[str, ...] = ()
    unit: bool = True
    square: bool = False
    diagonal: bool = False
    marks: tuple[tuple[float, str], ...] = ()


def plots_of(told: Mapping[str, Any]) -> list[Plot]:
    """The plots that the paper of an evaluation's recipe shows, of all that it tells."""
    return [plot for part, make in _MAKERS.items() if told.get(part) for plot in make(told)]


def _thresholds(told: Mapping[str, Any]) -> Iterator[Plot]:
    pixels = _lines(told["thresholds"], "threshold", ("dice", "recovery", "background_recovery"))
    structures = _lines(told["thresholds"], "threshold", ("missed", "new"))
    marks = _marked(told, "threshold")
    yield Plot("dice", "Pixels", "threshold", "figure", pixels, marks=marks)
    yield Plot(
        "structures", "Structures", "threshold", "fraction of structures", structures, marks=marks
    )


def _pixels(told: Mapping[str, Any]) -> Iterator[Plot]:
    at = {name: tuple(values) for name, values in told["precision_recall"].items()}
    curve = Line("pixels", at["recall"], at["precision"])
    yield Plot(
        "precision-recall", "Precision and recall", "recall", "precision", (curve,), square=True
    )
    rates = Line("pixels", at["false_positive_rate"], at["recall"])
    yield Plot(
        "roc", "ROC", "false-positive rate", "recall", (rates,), square=True, diagonal=True
    )  # fmt: skip


def _histograms(told: Mapping[str, Any]) -> Iterator[Plot]:
    for name, counts in told["histograms"].items():
        edges = tuple(step / len(counts) for step in range(len(counts) + 1))
        bars = (Bars("galaxies", edges, tuple(counts)),)
        yield Plot(
            f"histogram-{name}",
            f"{name.capitalize()} of each galaxy",
            name,
            "galaxies",
            bars=bars,
            unit=False,
            marks=_marked(told, name, "mean"),
        )
    parts = ("both", "neither", "only_volunteers", "only_network")
    yield _barred(told, "agreement", "Who sees a structure", "fraction of galaxies", parts)
    votes = tuple(name for name in told["figures"] if name.removeprefix("area_").isdigit())
    numbers = tuple(float(name.removeprefix("area_")) for name in votes)
    area = Line("volunteers", numbers, *_with_errors(told, votes), dots=True)
    found = told["figures"]["area_found"]
    network = Line("network", (numbers[0], numbers[-1]), (found, found))
    yield Plot("area", "Area marked", "votes or more", "part of a picture", (area, network),
               unit=False)  # fmt: skip


def _curves(told: Mapping[str, Any]) -> Iterator[Plot]:
    recall = tuple(told["curves"]["recall"])
    for kind, levels in told["curves"].items():
        if kind == "recall":
            continue
        lines = tuple(Line(f"IoU {iou}", recall, tuple(y)) for iou, y in levels.items())
        yield Plot(
            f"precision-recall-{kind}", f"{kind.capitalize()}: precision and recall", "recall",
            "precision", lines, square=True,
        )  # fmt: skip


def _overlaps(told: Mapping[str, Any]) -> Iterator[Plot]:
    kinds = [name for name in told["overlaps"] if name != "iou" and not name.endswith("_error")]
    lines = _lines(told["overlaps"], "iou", kinds)
    yield Plot("average-precision", "Average precision", "least IoU", "AP", lines)


def _found(told: Mapping[str, Any]) -> Iterator[Plot]:
    names = tuple(
        f"{figure}_{kind}"
        for kind in ("isolated", "blended")
        for figure in ("completeness", "purity")
    )
    yield _barred(told, "completeness-purity", "Completeness and purity", "fraction", names)
    lines = []
    for name, words in (("galaxy", "any galaxy"), ("overlap", "overlap")):
        curve = told["reliability"][name]
        x, y = (tuple(point[key] for point in curve) for key in ("probability", "true"))
        lines.append(Line(words, x, y, dots=True))
    yield Plot(
        "reliability", "Calibration", "probability", "fraction of pixels that are", tuple(lines),
        square=True, diagonal=True,
    )  # fmt: skip


def _magnitudes(told: Mapping[str, Any]) -> Iterator[Plot]:
    rows = told["magnitudes"]
    middles = tuple((row["from"] + row["to"]) / 2 for row in rows)
    for name, title, words in (
        ("detected", "Detected", "fraction detected"),
        ("iou", "IoU", "IoU (blended: of the overlap)"),
        ("variance", "Uncertainty", "variance of the samples"),
    ):
        lines = []
        for kind in ("isolated", "blended"):
            y, error = (tuple(row[kind][key] for row in rows) for key in (name, f"{name}_error"))
            lines.append(Line(kind, middles, y, error, dots=True))
        yield Plot(
            f"magnitude-{name}", f"{title} by magnitude", "magnitude", words, tuple(lines),
            unit=name != "variance",
        )  # fmt: skip


def _scan(told: Mapping[str, Any]) -> Iterator[Plot]:
    lines = _lines(told["scan"], "cut", ("f2", "precision", "recall"))
    marks = (*_marked(told, "threshold"), *_marked(told, "threshold_best", "best"))
    yield Plot("f2-scan", "F2 over the score cut", "score cut", "figure", lines, marks=marks)


def _sizes(told: Mapping[str, Any]) -> Iterator[Plot]:
    steps = [f"{step:g}" for step in told["sizes"]["arcmin"]]
    ticks = (*(f"{a}–{b}′" for a, b in pairwise(steps)), f"> {steps[-1]}′")
    edges = tuple(float(step) for step in range(len(ticks) + 1))
    bars = tuple(Bars(name, edges, tuple(told["sizes"][name])) for name in ("bubbles", "recovered"))
    yield Plot("sizes", "Catalogue bubbles by size", "semi-major axis", "bubbles", bars=bars,
               ticks=ticks, unit=False)  # fmt: skip


_MAKERS = {
    "thresholds": _thresholds,
    "precision_recall": _pixels,
    "histograms": _histograms,
    "curves": _curves,
    "overlaps": _overlaps,
    "reliability": _found,
    "magnitudes": _magnitudes,
    "scan": _scan,
    "sizes": _sizes,
}
"""By the part of an evaluation that they show."""


def _lines(table: Mapping[str, Any], x: str, names: Sequence[str]) -> tuple[Line, ...]:
    """A curve for each named column, with its errors."""
    at = tuple(table[x])
    return tuple(
        Line(name.replace("_", " "), at, tuple(table[name]), tuple(table[f"{name}_error"]),
             dots=len(at) < 15)
        for name in names
    )  # fmt: skip


def _barred(
    told: Mapping[str, Any], name: str, title: str, y: str, figures: tuple[str, ...]
) -> Plot:
    """A bar for each of some figures."""
    edges = tuple(float(step) for step in range(len(figures) + 1))
    bars = (Bars(y, edges, *_with_errors(told, figures)),)
    ticks = tuple(figure.replace("_", "\n") for figure in figures)
    return Plot(name, title, "", y, bars=bars, ticks=ticks)


def _with_errors(told: Mapping[str, Any], names: Sequence[str]) -> tuple[Values, Values]:
    """Figures and their errors."""
    values, errors = told["figures"], told["errors"]
    return tuple(values[name] for name in names), tuple(errors.get(name) for name in names)


def _marked(
    told: Mapping[str, Any], figure: str, words: str = "model's"
) -> tuple[tuple[float, str], ...]:
    """A mark where a figure lies along x, if there is any."""
    value = told["figures"].get(figure)
    return () if value is None or math.isnan(value) else ((float(value), words),)
