"""Queue: rows that are judged, in their order, where one is in it, and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Done:
    """How far a queue is.

    Parameters
    ----------
    judged, total
        Detections of the queue with a verdict of the vetter's, and all.
    counts
        Verdict → how often it stands.
    """

    judged: int
    total: int
    counts: Mapping[str, int]


class Queue:
    """One walks in it, and never out of it.

    Parameters
    ----------
    rows
        In their order, each once.
    among
        Rows that there are in all.
    given
        (row, verdict) of all that have one, in the queue or not.
    """

    def __init__(
        self, rows: NDArray[np.int64], among: int, given: Iterable[tuple[int, str]] = ()
    ) -> None:
        self.rows: list[int] = rows.tolist()
        self.place = 0
        """Of the current one, from 0."""
        self._places = np.full(among, -1, np.int64)
        self._places[rows] = np.arange(len(rows))
        self._open = np.ones(len(rows), bool)
        self._verdicts: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        for row, verdict in given:
            self.note(row, verdict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def row(self) -> int | None:
        """The current one; None in an empty queue."""
        return self.rows[self.place] if self.rows else None

    @property
    def done(self) -> Done:
        """How far it is."""
        return Done(self._counts.total(), len(self.rows), dict(+self._counts))

    def place_of(self, row: int) -> int | None:
        """Where a row is; None when it is not in the queue."""
        place = int(self._places[row])
        return place if place >= 0 else None

    def go(self, place: int) -> None:
        """Go to a place, or to the nearest that there is."""
        self.place = min(max(0, place), max(0, len(self.rows) - 1))

    def first_open(self, start: int) -> int:
        """The first place from there on without a verdict, from the start again after the end.

        Where all have one, the place that one is at.
        """
        behind = np.flatnonzero(self._open[start:])
        if len(behind):
            return start + int(behind[0])
        before = np.flatnonzero(self._open[:start])
        return int(before[0]) if len(before) else self.place

    def note(self, row: int, verdict: str | None) -> None:
        """A row has this verdict from now on, or none."""
        place = int(self._places[row])
        if place < 0:
            return
        before = self._verdicts.pop(row, None)
        if before is not None:
            self._counts[before] -= 1
        if verdict is not None:
            self._verdicts[row] = verdict
            self._counts[verdict] += 1
        self._open[place] = verdict is None
