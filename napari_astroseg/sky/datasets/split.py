"""Split: what is trained on and what is kept for validation, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.datasets.truth import Item

Part = Literal["training", "validation", "unlabelled"]
PARTS: tuple[Part, ...] = ("training", "validation", "unlabelled")

AREA_PX = 64
FOLDS = 5
"""Sky areas of a map are dealt round-robin to so many folds; the first one validates."""


@dataclass(frozen=True, eq=False)
class Chosen(Sequence[Item]):
    """Some of many items, made when they are asked for.

    Parameters
    ----------
    items
        All of them.
    numbers
        Which are chosen.
    """

    items: Sequence[Item]
    numbers: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> Chosen: ...

    def __getitem__(self, index: int | slice) -> Item | Chosen:
        if isinstance(index, slice):
            return Chosen(self.items, self.numbers[index])
        return self.items[int(self.numbers[index])]


def parted(items: Sequence[Item], share: float) -> tuple[Part, ...]:
    """The part of each item.

    Groups are put in the order of a hash of their names, which knows nothing of the sky, and the
    first `share` of them validate: at least one of two or more.
    """
    groups = [item.group or item.name if item.learning else None for item in items]
    order = sorted({group for group in groups if group is not None}, key=_hash)
    kept = round(share * len(order))
    if share > 0 and len(order) > 1:
        kept = min(max(kept, 1), len(order) - 1)
    validation = set(order[:kept])

    def part(group: str | None) -> Part:
        if group is None:
            return "unlabelled"
        return "validation" if group in validation else "training"

    return tuple(map(part, groups))


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
