"""Ensemble: one stamp seen in several turns, by one network or by several; a mean and a spread.

A network that knew no direction would answer a mirrored stamp with the mirrored answer; how far
its answers differ tells how much of one is chance. Tiles stay exact: their corners and sides lie
on the network's stride, so a turned tile does, too, and sees what the turned image would show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_astroseg.engine.nets.base import Halo, Net


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


def entropy(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bits of doubt whether a pixel is of a class, of probabilities of any shape; NaN stays."""
    yes = np.clip(probability, 1e-7, 1 - 1e-7)
    bits: NDArray[np.float32] = -(yes * np.log2(yes) + (1 - yes) * np.log2(1 - yes))
    return bits
