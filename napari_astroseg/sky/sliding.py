"""Sliding: square windows of several sides over a mosaic, in blocks that are read at once.

Where a window lies depends on the image alone, not on the part of it that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_astroseg.sky.window import Window

_BLOCK_PX = 2048
"""Side up to which windows are read together."""


@dataclass(frozen=True)
class Block:
    """Windows of one side that are read together.

    Parameters
    ----------
    outer
        The pixels that they cover, all of them inside the image.
    windows
        Each of them, row by row.
    """

    outer: Window
    windows: tuple[Window, ...]


def blocks(
    window: Window, shape: tuple[int, int], sides: Sequence[int], step: float
) -> list[Block]:
    """All windows of an image of `shape` that touch `window`, largest sides first.

    Parameters
    ----------
    sides
        Of the windows, px; those that do not fit into the image are left out.
    step
        From a window to the next, as a fraction of its side. The last one of a row or column ends
        where the image does.
    """
    made = []
    for side in sorted(set(sides), reverse=True):
        if side > min(shape):
            continue
        far = max(1, round(side * step))
        rows = _runs(_places(window.y, window.y_end, shape[0], side, far), side, far)
        columns = _runs(_places(window.x, window.x_end, shape[1], side, far), side, far)
        made += [_block(xs, ys, side) for ys in rows for xs in columns]
    return made


def _block(xs: list[int], ys: list[int], side: int) -> Block:
    outer = Window(xs[0], ys[0], xs[-1] + side - xs[0], ys[-1] + side - ys[0])
    return Block(outer, tuple(Window(x, y, side, side) for y in ys for x in xs))


def _places(start: int, end: int, length: int, side: int, step: int) -> list[int]:
    """Where windows of a side begin along one axis, of those that reach into start … end."""
    last = length - side
    every = [*range(0, last, step), last]
    return [at for at in every if at < end and at + side > start]


def _runs(places: list[int], side: int, step: int) -> list[list[int]]:
    """Places parted so that the windows of a part are read at once."""
    longest = max(_BLOCK_PX, side + step)
    runs: list[list[int]] = []
    for at in places:
        if runs and at + side - runs[-1][0] <= longest:
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs
