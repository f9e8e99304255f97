"""Loader: what a training is fed with, whatever the layout of its data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.metrics import PixelCounts
from napari_astroseg.recipes.data import Augmentation

Planes = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """Stamps of sky: `planes` (N, bands, side, side), `target` and `weight` (N, 1, side, side).

    All float32. `weight` is 1 on labelled valid pixels and 0 elsewhere.
    """

    planes: Planes
    target: Planes
    weight: Planes


class Loader(ABC):
    """Batches of training and of validation.

    Attributes
    ----------
    digest
        Hexadecimal digits that change when the data do.
    told
        The data in words.
    notes
        What the user should know of them, one sentence each.
    """

    digest: str
    told: str
    notes: tuple[str, ...] = ()

    @abstractmethod
    def batches(self, number: int) -> tuple[int, Iterator[Batch]]:
        """How many batches epoch `number` has, and each; of seed and number alone."""

    @abstractmethod
    def validation_batches(self) -> Iterator[Batch]:
        """The validation stamps, never turned."""

    @abstractmethod
    def figures(self, counts: PixelCounts) -> dict[str, float]:
        """Validation figures, the one that tells the best epoch and `threshold` among them."""


def made_ahead(make: Callable[[int], Batch], starts: range) -> Iterator[Batch]:
    """The batch of each start, made while the one before is learnt from."""
    with ThreadPoolExecutor(1, thread_name_prefix="next-batch") as maker:
        following = maker.submit(make, starts[0])
        for start in starts:
            batch = following.result()
            if start + starts.step < starts.stop:
                following = maker.submit(make, start + starts.step)
            yield batch


def drawn_turns(rng: np.random.Generator, count: int, how: Augmentation) -> NDArray[np.int64]:
    """For each stamp: mirror rows, mirror columns, quarter turns; (count, 3)."""
    turns = rng.integers((2, 2, 4), size=(count, 3))
    return turns * np.array([how.flips, how.flips, how.rotations])


def turned(stamp: NDArray[np.generic], turn: NDArray[np.int64]) -> NDArray[np.generic]:
    """A stamp (planes, side, side) mirrored and turned."""
    mirrored = stamp[:, :: -1 if turn[0] else 1, :: -1 if turn[1] else 1]
    return np.rot90(mirrored, int(turn[2]), (1, 2))
