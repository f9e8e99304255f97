"""Contour lines: where a layer's values cross some levels, as fine as the view shows them.

What to trace is asked in the window's thread (`wish_for`) and traced in any other (`lines_for`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.gui.aids.view import camera_of, world_of
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.contourlevels import chosen_levels, cut
from napari_astroseg.gui.layers import plane_in_view
from napari_astroseg.gui.look.looks import drawn_levels
from napari_astroseg.gui.predicting.overlays import METADATA as PREDICTION

Floats = NDArray[np.float64]

MOST_POINTS = 60_000
"""Lines of more points than this are traced in coarser values."""
_FEWEST = 16
"""Values a side that are not made coarser any more."""
_COARSE = 2.0
"""Screen pixels between neighbouring values, at most."""
_MARGIN = 0.25
"""How far lines reach beyond the view, of its width and height: a pan finds them there."""


@dataclass(frozen=True, eq=False)
class LinesWish:
    """What to trace.

    Parameters
    ----------
    source
        Values, (rows, columns) or (planes, rows, columns); sliced in the tracing thread.
    coarsest
        The whole of them, as coarse as there is, from which levels are chosen.
    plane
        Which plane.
    rows, columns
        The part of `source` that is traced.
    factor
        Pixels of the finest level for one of `source`.
    corner, linear
        world (x, y) = linear @ pixel (x, y) + corner, for pixels of the finest level.
    levels
        At which values; None: `count` of them are chosen.
    sigma
        By how much values are smoothed at least, in pixels of `source`.
    """

    source: Any
    coarsest: Any
    plane: int
    rows: slice
    columns: slice
    factor: float
    corner: Floats
    linear: Floats
    levels: tuple[float, ...] | None
    count: int
    sigma: float


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines as they are drawn.

    Parameters
    ----------
    points
        (N, 2) x, y in the world, from `origin`.
    joined
        (N,) whether a point is joined to the next.
    origin
        Where they are counted from: single precision would not do for the whole of a mosaic.
    levels
        The values along them.
    smoothed_px
        Standard deviation of the Gaussian that the values were smoothed with, pixels of the
        finest level.
    above, below
        Those of the levels that all the values in view are below, and above.
    """

    points: NDArray[np.float32]
    joined: NDArray[np.bool_]
    origin: tuple[float, float]
    levels: tuple[float, ...]
    smoothed_px: float
    above: tuple[float, ...] = ()
    below: tuple[float, ...] = ()


def wish_for(
    viewer: Any,
    layer: Any,
    canvas: tuple[float, float],
    levels: tuple[float, ...] | None,
    count: int,
) -> LinesWish | None:
    """What to trace of a layer for a canvas of that width and height; main thread.

    None where the layer lies outside the view.
    """
    layer = bare(layer)
    camera = camera_of(viewer)
    corner, linear = world_of(layer)
    half = np.array(canvas, float) * (0.5 + _MARGIN) / camera.zoom
    middle = np.array([camera.center[-1], camera.center[-2]], float)
    signs = np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)])
    seen = (middle + signs * half - corner) @ np.linalg.inv(linear).T
    sources = _sources(layer)
    finest = sources[0].shape[-2:]
    zoom = camera.zoom * float(np.sqrt(abs(np.linalg.det(linear))))
    factors = [finest[-1] / each.shape[-1] for each in sources]
    best = max((n for n, f in enumerate(factors) if f * zoom <= _COARSE), default=0)
    source, factor = sources[best], factors[best]
    (left, top), (right, bottom) = seen.min(axis=0), seen.max(axis=0)
    rows = _span(top, bottom, factor, source.shape[-2])
    columns = _span(left, right, factor, source.shape[-1])
    if rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
        return None
    plane = plane_in_view(viewer, layer)
    threshold = _threshold(layer)
    where = (plane, rows, columns, factor, corner, linear)
    # A prediction is smooth, and its lines are the outlines of its regions.
    sigma = 0.0 if threshold else 1.0
    return LinesWish(source, sources[-1], *where, levels or threshold, count, sigma)


def lines_for(wish: LinesWish) -> Lines:
    """The lines of a wish; any thread. It may read.

    Where that gives more lines than an eye can follow, they are those of coarser values.
    """
    from contourpy import LineType, contour_generator

    values = np.asarray(cut(wish.source, wish.plane, wish.rows, wish.columns), np.float32)
    levels = wish.levels or chosen_levels(wish.coarsest, wish.plane, wish.count)
    factor, sigma = wish.factor, wish.sigma
    while True:
        smooth = smoothed(values, sigma)
        generator: Any = contour_generator(
            z=smooth, line_type=LineType.ChunkCombinedOffset, name="serial"
        )
        traced = [generator.lines(level) for level in levels]
        parts = [(p[0], o[0]) for p, o in traced if p[0] is not None]
        most = sum(len(some) for some, _ in parts)
        if most <= MOST_POINTS or min(values.shape) < _FEWEST:
            break
        values, factor, sigma = halved(values), 2 * factor, max(sigma, 1.0)
    points = np.concatenate([np.empty((0, 2)), *(points for points, _ in parts)])
    joined = np.ones(len(points), bool)
    at = 0
    for some, offsets in parts:
        joined[at + offsets[1:].astype(np.intp) - 1] = False
        at += len(some)
    starts = np.array([wish.columns.start, wish.rows.start], float)
    pixels = (points + 0.5) * factor + starts * wish.factor - 0.5
    world = pixels @ wish.linear.T + wish.corner
    origin = world.mean(axis=0).round() if len(world) else np.zeros(2)
    return Lines(
        (world - origin).astype(np.float32),
        joined,
        (float(origin[0]), float(origin[1])),
        tuple(levels),
        sigma * factor,
        *_missed(smooth, levels),
    )


def smoothed(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Values (height, width) smoothed by a Gaussian; missing ones stay missing and weigh nothing.

    `sigma` is its standard deviation in pixels.
    """
    from scipy.ndimage import gaussian_filter

    if sigma == 0:
        return values
    there = np.isfinite(values)
    if there.all():
        return np.asarray(gaussian_filter(values, sigma))
    weights = gaussian_filter(there.astype(np.float32), sigma)
    sums = gaussian_filter(np.where(there, values, np.float32(0)), sigma)
    return np.where(there, sums / np.maximum(weights, np.float32(1e-6)), np.float32(np.nan))


def halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 × 2 values, of those that are not missing; an odd row or column is left out."""
    height, width = (side // 2 for side in values.shape)
    blocks = values[: 2 * height, : 2 * width].reshape(height, 2, width, 2)
    there = np.isfinite(blocks)
    counts = there.sum((1, 3), dtype=np.float32)
    sums = np.where(there, blocks, np.float32(0)).sum((1, 3))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.float32(np.nan))


def _sources(layer: Any) -> Sequence[Any]:
    """A layer's levels with raw values, finest first, or all it has."""
    drawn = drawn_levels(layer)
    if drawn:
        return drawn
    return list(layer.data) if layer.multiscale else [layer.data]


def _missed(
    values: NDArray[np.float32], levels: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Levels that all values are below, and those that all are above."""
    known = values[np.isfinite(values)]
    if not known.size:
        return (), ()
    low, high = float(known.min()), float(known.max())
    return tuple(n for n in levels if n > high), tuple(n for n in levels if n < low)


def _threshold(layer: Any) -> tuple[float, ...] | None:
    """Of a prediction, the level that its user has chosen."""
    said = layer.metadata.get(PREDICTION)
    return (float(said["threshold"]),) if said else None


def _span(low: float, high: float, factor: float, length: int) -> slice:
    start = int(np.clip(np.floor((low + 0.5) / factor), 0, length))
    stop = int(np.clip(np.ceil((high + 0.5) / factor), 0, length))
    return slice(start, max(start, stop))
