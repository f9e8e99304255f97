"""Tiles: a window cut into pieces with context around them, and a canvas that takes the answers.

A tile's answer is exact when its context reaches as far as the network looks and its corner lies
on the network's stride. Both hold by construction here, so a tiled answer is the untiled one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.window import Window


@dataclass(frozen=True)
class Tile:
    """A piece of work: the part that is wanted, and what must be read for it.

    Attributes
    ----------
    core
        Pixels to be answered; corner and sides are multiples of the stride.
    outer
        `core` with its context; it may hang over the right and lower edges by less than a
        stride, never over the left and upper ones.
    """

    core: Window
    outer: Window

    @property
    def halo(self) -> tuple[int, int, int, int]:
        """Context on each side: top, bottom, left, right."""
        return (
            self.core.y - self.outer.y,
            self.outer.y_end - self.core.y_end,
            self.core.x - self.outer.x,
            self.outer.x_end - self.core.x_end,
        )


def cut(
    window: Window, shape: tuple[int, int], tile_px: int, stride: int, reach: int
) -> list[Tile]:
    """Tiles that together cover `window` of an image of `shape`, row by row.

    Parameters
    ----------
    tile_px
        Wished side; sides differ from it by at most half, so that no slivers are left over.
    stride
        Corners and sides are multiples of it.
    reach
        Context wanted on every side, a multiple of `stride`.
    """
    edge = Window(0, 0, _up(shape[1], stride), _up(shape[0], stride))
    area = _aligned(window.clipped(shape), stride)
    rows, columns = (
        _stops(area.y, area.height, tile_px, stride),
        _stops(area.x, area.width, tile_px, stride),
    )
    tiles = []
    for y, y_end in rows:
        for x, x_end in columns:
            core = Window(x, y, x_end - x, y_end - y)
            outer = core.grown(reach).overlap(edge)
            assert outer is not None  # the core lies inside
            tiles.append(Tile(core, outer))
    return tiles


def patch_corners(core: Window, patch_px: int, step: int) -> list[tuple[int, int]]:
    """Corners (x, y) on the multiples of `step` of all square patches that touch `core`."""
    xs = range(_up(core.x - patch_px + 1, step), core.x_end, step)
    ys = range(_up(core.y - patch_px + 1, step), core.y_end, step)
    return [(x, y) for y in ys for x in xs]


def taper(patch_px: int) -> NDArray[np.float32]:
    """Weights (patch, patch) that fall smoothly from the middle to the edge, never to zero."""
    ramp = np.sin(np.pi * (np.arange(patch_px) + 0.5) / patch_px) ** 2
    return np.outer(ramp, ramp).astype(np.float32) + np.float32(1e-3)


class Canvas:
    """Answers of tiles put together over `window`: (classes, height, width), NaN until told."""

    def __init__(self, window: Window, classes: int = 1) -> None:
        self.window = window
        self.values = np.full((classes, *window.shape), np.nan, np.float32)

    def put(self, where: Window, values: NDArray[np.float32]) -> None:
        """Lay `values` (classes, h, w) of `where` down; what lies outside is dropped."""
        shared = where.overlap(self.window)
        if shared is None:
            return
        rows, columns = shared.moved(-where.x, -where.y).slices
        to_rows, to_columns = shared.moved(-self.window.x, -self.window.y).slices
        self.values[:, to_rows, to_columns] = values[:, rows, columns]


def _up(n: int, step: int) -> int:
    """The next multiple of `step` that is not below `n`."""
    return -(-n // step) * step


def _aligned(window: Window, stride: int) -> Window:
    """The smallest window with corners on `stride` that holds `window`."""
    x, y = window.x // stride * stride, window.y // stride * stride
    return Window(x, y, _up(window.x_end, stride) - x, _up(window.y_end, stride) - y)


def _stops(start: int, length: int, tile_px: int, stride: int) -> list[tuple[int, int]]:
    """Cut a length into nearly equal runs, each a multiple of `stride`, about `tile_px` long."""
    count = max(1, round(length / tile_px))
    side = _up(-(-length // count), stride)
    end = start + length
    return [(at, min(at + side, end)) for at in range(start, end, side)]
