"""Timing: several ways of doing something, timed in turn, so that a drifting machine hits all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from napari_astroseg.bench.plan import Plan

_MAX_ROUNDS = 15


@dataclass(frozen=True)
class Pair:
    """Seconds of ours and of the bare way, taken in turn."""

    ours: tuple[float, ...]
    bare: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of ours over median of the bare way."""
        return self.ours_s / self.bare_s

    @property
    def ours_s(self) -> float:
        """Median seconds of ours."""
        return statistics.median(self.ours)

    @property
    def bare_s(self) -> float:
        """Median seconds of the bare way."""
        return statistics.median(self.bare)


def in_turn(plan: Plan, *ways: Callable[[], object]) -> list[tuple[float, ...]]:
    """Seconds of each way, round by round, one after the other.

    A first round goes unheeded; then rounds follow until the plan's time is spent.
    """
    for way in ways:
        way()
    rounds: list[tuple[float, ...]] = []
    until = time.perf_counter() + plan.budget_s
    while len(rounds) < plan.rounds or (len(rounds) < _MAX_ROUNDS and time.perf_counter() < until):
        rounds.append(tuple(seconds(way) for way in ways))
    return list(zip(*rounds, strict=True))


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def words(duration_s: float) -> str:
    """A duration with three figures, in ms or s."""
    return f"{duration_s * 1e3:.3g} ms" if duration_s < 1 else f"{duration_s:.3g} s"
