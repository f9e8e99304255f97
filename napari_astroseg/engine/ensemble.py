"""Ensemble: one stamp seen in several turns, by one network or by several; a mean and a spread.

A network that knew no direction would answer a mirrored stamp with the mirrored answer; how far
its answers differ tells how much of one is chance. Tiles stay exact: their corners and sides lie
on the network's stride, so a turned tile does, too, and sees what the turned image would show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_astroseg.engine.nets.base import Halo, Net
from napari_astroseg.sky.instances import Footprint
from napari_astroseg.sky.window import Window

Real = TypeVar("Real", np.float32, np.float64)


class Turn(NamedTuple):
    """Mirrored left to right or not, then so many quarter turns."""

    mirrored: bool = False
    quarters: int = 0

    def there(self, planes: Tensor) -> Tensor:
        """Planes (…, h, w) so turned."""
        return torch.rot90(planes.flip(-1) if self.mirrored else planes, self.quarters, (-2, -1))

    def back(self, answer: Tensor) -> Tensor:
        """An answer (…, h, w) to turned planes as it lies on the planes themselves."""
        upright = torch.rot90(answer, -self.quarters, (-2, -1))
        return upright.flip(-1) if self.mirrored else upright

    def halo(self, halo: Halo) -> Halo:
        """Where the context is by then."""
        top, bottom, left, right = halo
        if self.mirrored:
            left, right = right, left
        for _ in range(self.quarters % 4):
            top, bottom, left, right = right, left, top, bottom
        return Halo(top, bottom, left, right)

    def boxes_back(self, boxes: NDArray[np.float64], ends: float) -> NDArray[np.float64]:
        """Boxes (N, 4) found on turned planes as they lie on the planes themselves.

        Parameters
        ----------
        ends
            The sum of a square's two ends along an axis: 1 in units of its side, side − 1 in pixels
            whose centres are at whole numbers.
        """
        x0, y0, x1, y1 = boxes.T
        for _ in range(self.quarters % 4):
            x0, y0, x1, y1 = ends - y1, x0, ends - y0, x1
        if self.mirrored:
            x0, x1 = ends - x1, ends - x0
        return np.stack([x0, y0, x1, y1], -1)

    def mask_back(self, footprint: Footprint, side: int) -> Footprint:
        """The pixels of an object on a turned square as they lie on the square itself."""
        window, mask = footprint
        for _ in range(self.quarters % 4):
            window = Window(side - window.y_end, window.x, window.height, window.width)
            mask = np.rot90(mask, -1)
        if self.mirrored:
            window = Window(side - window.x_end, window.y, window.width, window.height)
            mask = mask[:, ::-1]
        return Footprint(window, np.ascontiguousarray(mask))


TURNS = tuple(
    Turn(mirrored, quarters)
    for mirrored, quarters in (
        *((False, 0), (True, 0)),
        *((False, 2), (True, 2)),
        *((False, 1), (True, 1), (False, 3), (True, 3)),
    )
)
"""All eight; of two the second is mirrored, four are those that keep rows rows."""


def asked(nets: list[Net], turns: int, planes: Tensor, halo: Halo = Halo()) -> Iterator[Tensor]:
    """Probabilities (n, classes, h, w) of each network, of planes (n, bands, h, w) in each turn."""
    for turn in TURNS[:turns]:
        given = turn.there(planes).contiguous(memory_format=torch.channels_last)
        for net in nets:
            yield turn.back(net.probability(net(given, turn.halo(halo)))).float()


def entropy(probability: NDArray[Real]) -> NDArray[Real]:
    """Bits of doubt whether a pixel is of a class, of probabilities of any shape; NaN stays."""
    yes = np.clip(probability, 1e-7, 1 - 1e-7)
    bits: NDArray[Real] = -(yes * np.log2(yes) + (1 - yes) * np.log2(1 - yes))
    return bits
