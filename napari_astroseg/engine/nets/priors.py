"""Priors: the 8732 boxes that SSD300 starts from (Liu+2016, for VOC)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAPS = (38, 19, 10, 5, 3, 1)
"""Cells along a side of each map."""

PER_CELL = (4, 6, 6, 6, 4, 4)
"""Boxes of each cell of a map."""

_SIDE = 300
_STEPS = (8, 16, 32, 64, 100, 300)
"""Pixels from one cell to the next."""

_SIZES = (30, 60, 111, 162, 213, 264, 315)
"""Pixels: each map's square, of which the next one's is the larger."""

_RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
"""Width over height, each also upright."""


def priors() -> NDArray[np.float32]:
    """(8732, 4): middle x, middle y, width, height in units of the side; none longer than 1.

    Map by map, row by row; of each cell first the squares, then the others.
    """
    made = []
    for cells, step, size, larger, ratios in zip(
        MAPS, _STEPS, _SIZES, _SIZES[1:], _RATIOS, strict=False
    ):
        middles = (np.arange(cells) + 0.5) * step
        shapes = [(size, size), (np.sqrt(size * larger),) * 2]
        for ratio in ratios:
            long, short = size * np.sqrt(ratio), size / np.sqrt(ratio)
            shapes += [(long, short), (short, long)]
        y, x, shape = np.meshgrid(middles, middles, np.arange(len(shapes)), indexing="ij")
        sides = np.array(shapes)[shape.ravel()]
        made.append(np.column_stack((x.ravel(), y.ravel(), sides)))
    boxes = np.concatenate(made) / _SIDE
    return np.clip(boxes, 0.0, 1.0).astype(np.float32)
