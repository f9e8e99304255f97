"""Loader: what a training is fed with, whatever the layout of its data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.batch import Batch
from napari_astroseg.recipes.data import Augmentation

Planes = NDArray[np.float32]
Made = TypeVar("Made")


class Judge(ABC):
    """Gathers a network's answers on validation stamps, and says how good they are."""

    @abstractmethod
    def add(self, answer: Any, batch: Any) -> None:
        """Take in the answer to one batch."""

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """The figures: the one that tells the best epoch and `threshold` among them."""


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
    def judge(self) -> Judge:
        """A new judge of the validation stamps."""


def made_ahead(make: Callable[[int], Made], starts: range) -> Iterator[Made]:
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
