"""What training and predicting say while they work: small frozen records, torch-free.

Both are generators of these. Closing the generator cancels the work; the last event of work
that came to its end is `Finished`. All of them travel through a pipe unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.spread import Spread
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window


@dataclass(frozen=True)
class Event:
    """The base of all that work says."""


@dataclass(frozen=True)
class Preparing(Event):
    """Data are read before work begins: `done` of `total`, None where that is not known."""

    what: str
    done: int
    total: int | None


@dataclass(frozen=True)
class Started(Event):
    """Work begins: `total` steps of `unit` (tiles, epochs) on `device`."""

    what: str
    total: int
    unit: str
    device: str = "cpu"


@dataclass(frozen=True)
class Warned(Event):
    """Something the user should know that does not stop the work; one sentence."""

    message: str


@dataclass(frozen=True)
class StepDone(Event):
    """One optimiser step: its number from 1, of how many in all, and its loss."""

    step: int
    total: int
    epoch: int
    loss: float
    patches_per_second: float


@dataclass(frozen=True)
class EpochDone(Event):
    """One pass over the training patches, from 1, with the validation figures after it."""

    epoch: int
    epochs: int
    loss: float
    validation: dict[str, float]
    learning_rate: float
    best: bool
    seconds: float


@dataclass(frozen=True)
class MemoryUsed(Event):
    """What a training holds, bytes: of main memory, and on its graphics card where it has one."""

    main: int
    device: int | None = None
    device_total: int | None = None


@dataclass(frozen=True, eq=False)
class ExamplesDone(Event):
    """A few validation stamps after an epoch, the same ones each time, as small pictures.

    Attributes
    ----------
    classes
        What is told apart, C names.
    image
        (N, height, width, 3) uint8, row 0 at the bottom of the sky.
    truth, answer
        (N, C, height, width) uint8: 255 where a class is, or is found for certain. Of objects in
        boxes, the outlines of these.
    """

    epoch: int
    classes: tuple[str, ...]
    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    answer: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class TileDone(Event):
    """One tile predicted.

    Attributes
    ----------
    probability
        (classes, height, width) float32, NaN where missing; background is no class.
    deviation
        How unsure each class is, of the same shape; None where nothing tells.
    spread
        What `deviation` is; None without one.
    """

    window: Window
    probability: NDArray[np.float32]
    done: int
    total: int
    deviation: NDArray[np.float32] | None = None
    spread: Spread | None = None


@dataclass(frozen=True, eq=False)
class ObjectsDone(Event):
    """Objects found in a window, on the image's pixels; another window may find them again.

    Attributes
    ----------
    spread
        What the objects' `doubts` are; None where they have none.
    """

    window: Window
    objects: Objects
    done: int
    total: int
    spread: Spread | None = None


@dataclass(frozen=True)
class TrialBegun(Event):
    """A search trains with some fields changed: the trial's number, from 0, and the changes."""

    number: int
    changes: dict[str, Any]


@dataclass(frozen=True)
class TrialDone(Event):
    """A trial of a search came to its end.

    Attributes
    ----------
    figure
        Its best validation figure; NaN where there is none.
    state
        `complete`, `pruned` (ended early, as others are better), or `failed`.
    best
        Whether it is the best so far.
    """

    number: int
    changes: dict[str, Any]
    figure: float
    state: str
    best: bool


@dataclass(frozen=True)
class Finished(Event):
    """Work came to its end.

    Attributes
    ----------
    result
        Names and plain values: paths, figures, seconds.
    """

    result: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
