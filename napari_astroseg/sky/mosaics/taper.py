"""Taper: how far inside its tile a pixel lies, so that tiles fade out before they end.

The distance to the nearest edge or missing pixel comes from one coarse look at the tile, taken
when tiles first overlap and kept. A pixel's weight therefore does not depend on which window of
the mosaic is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.grids.grid import Doubles
from napari_astroseg.sky.pixels import PixelSource

_SIDE = 128
"""About how many places along a side are looked at."""

_LEAST = 1e-2
"""Distance given to pixels at the very edge, px: they still count where nothing else is."""


class Taper:
    """Weights of a tile's pixels: the squared distance to where its values end, px².

    Squared, so that neither the picture nor its slope jumps where a tile begins.
    """

    def __init__(self, pixels: PixelSource) -> None:
        from scipy.ndimage import distance_transform_edt  # only mosaics need it

        height, width = pixels.shape
        self._shape = pixels.shape
        self._step = step = max(1, -(-max(height, width) // _SIDE))
        seen = pixels[step // 2 : height : step, step // 2 : width : step]
        present = np.pad(np.isfinite(seen), 1)
        distance = distance_transform_edt(present) * step - step / 2
        self._distance = np.where(present, distance, 0.0).astype(np.float32)

    def __call__(self, rows: range, columns: range) -> NDArray[np.float32]:
        """Weights of rows × columns of the tile."""
        y, x = np.array(rows, float), np.array(columns, float)
        inside = _between(_between(self._distance, self._place(y), 0), self._place(x), 1)
        edge_y = np.minimum(y, self._shape[0] - 1 - y) + 0.5
        edge_x = np.minimum(x, self._shape[1] - 1 - x) + 0.5
        distance = np.minimum(inside, np.minimum(edge_y[:, None], edge_x[None, :]))
        return (np.maximum(distance, _LEAST) ** 2).astype(np.float32)

    def _place(self, px: Doubles) -> Doubles:
        """Where pixels lie on the padded coarse lattice."""
        return (px - self._step // 2) / self._step + 1


def _between(values: NDArray[Any], places: Doubles, axis: int) -> Doubles:
    """Linear interpolation along one axis."""
    low = np.clip(np.floor(places).astype(int), 0, values.shape[axis] - 2)
    share = np.clip(places - low, 0.0, 1.0)
    share = share[:, None] if axis == 0 else share[None, :]
    return values.take(low, axis) * (1 - share) + values.take(low + 1, axis) * share
