"""Pace: how fast a training goes, and how long it will still take; smoothed, without Qt."""

from __future__ import annotations

import time
from collections.abc import Callable

from napari_astroseg.engine.events import EpochDone, StepDone

_NEW = 0.3
"""Weight of the newest epoch, or second of steps, beside all before."""

_LEAST_S = 1.0
"""Steps that took less than this together tell nothing of the time left."""


class Pace:
    """Of one training.

    Parameters
    ----------
    epochs
        How many it is to have.
    clock
        Seconds.
    """

    def __init__(self, epochs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._epochs, self._clock = epochs, clock
        self._rate: float | None = None
        self._rated = self._since = clock()
        self._epoch_s: float | None = None
        self._done = 0
        self._first: tuple[int, float] | None = None
        self._steps = (0, 0)

    @property
    def rate(self) -> float | None:
        """Stamps a second."""
        return self._rate

    @property
    def left_s(self) -> float | None:
        """Seconds to the end of the last epoch; None while nothing tells it."""
        if self._epoch_s is not None:
            spent = min(self._clock() - self._since, self._epoch_s)
            return max(0.0, (self._epochs - self._done) * self._epoch_s - spent)
        if self._first is None:
            return None
        first, began = self._first
        step, total = self._steps
        spent = self._clock() - began
        if spent < _LEAST_S or step <= first:
            return None
        return spent / (step - first) * (total * self._epochs - step)

    def step(self, event: StepDone) -> None:
        """A step was done."""
        now = self._clock()
        rate = event.patches_per_second
        if self._rate is None:
            self._rate = rate
        elif now > self._rated:
            weight = 1 - (1 - _NEW) ** (now - self._rated)
            self._rate += weight * (rate - self._rate)
        self._rated = now
        step = (event.epoch - 1) * event.total + event.step
        if self._first is None:
            self._first = step, now
        self._steps = step, event.total

    def epoch(self, event: EpochDone) -> None:
        """An epoch was done, validation and all."""
        before = event.seconds if self._epoch_s is None else self._epoch_s
        self._epoch_s = before + _NEW * (event.seconds - before)
        self._done, self._epochs = event.epoch, event.epochs
        self._since = self._clock()
