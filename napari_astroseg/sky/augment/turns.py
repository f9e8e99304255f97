"""Turn: one of the eight ways to lay a square upon itself, of images and of boxes alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
"""(N, 4) x_min, y_min, x_max, y_max of edges, px, with pixel centres at whole numbers."""


@dataclass(frozen=True)
class Turn:
    """A mirroring, then quarter turns.

    Parameters
    ----------
    quarters
        Quarter turns as `np.rot90` takes them, from rows towards columns.
    mirrored
        Whether columns are reversed before.
    """

    quarters: int = 0
    mirrored: bool = False

    @property
    def inverse(self) -> Turn:
        """What takes it back."""
        return self if self.mirrored else Turn(-self.quarters % 4)

    def planes(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (…, H, W) so turned: a view, (…, W, H) after an odd number of quarters."""
        seen = values[..., ::-1] if self.mirrored else values
        return np.rot90(seen, self.quarters, (-2, -1))

    def boxes(self, boxes: Boxes, shape: tuple[int, int]) -> Boxes:
        """Boxes (N, 4) on an image of `shape` (H, W), so turned."""
        height, width = shape
        left, low, right, top = np.asarray(boxes, float).reshape(-1, 4).T
        if self.mirrored:
            left, right = width - 1 - right, width - 1 - left
        for _ in range(self.quarters % 4):
            left, low, right, top = low, width - 1 - right, top, width - 1 - left
            height, width = width, height
        return np.stack((left, low, right, top), 1)


STILL = Turn()
QUARTERS = tuple(Turn(n) for n in (1, 2, 3))
FLIPS = (Turn(0, True), Turn(2, True))
"""Left and right exchanged; low and high exchanged."""
