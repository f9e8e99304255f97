"""Walk: a list of detections, the queue of those that come, and where one is in it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detection, Detections
from napari_astroseg.review.queue import Done, Queue


class Walk:
    """Goes from one detection to another; whoever inherits deals the queue."""

    _detections: Detections
    _rows: dict[str, int]
    _queue: Queue
    _shown_at: float

    @property
    def detections(self) -> Detections:
        """All of the list, planted ones among them."""
        return self._detections

    @property
    def queue(self) -> Sequence[int]:
        """Rows that are judged, in their order."""
        return self._queue.rows

    @property
    def place(self) -> int:
        """Of the current one in the queue, from 0."""
        return self._queue.place

    @property
    def current(self) -> Detection | None:
        """What is looked at; None in an empty queue."""
        row = self._queue.row
        return None if row is None else self._detections[row]

    @property
    def done(self) -> Done:
        """How far the queue is."""
        return self._queue.done

    def next(self) -> Detection | None:
        """Go to the one behind; at the end, stay."""
        return self._go(self.place + 1)

    def previous(self) -> Detection | None:
        """Go to the one before."""
        return self._go(self.place - 1)

    def next_unjudged(self) -> Detection | None:
        """Go to the next without a verdict, from the start again after the end."""
        return self._go(self._queue.first_open(self.place + 1))

    def go(self, place: int) -> Detection | None:
        """Go to a place of the queue, from 0."""
        return self._go(place)

    def go_to(self, name: str) -> Detection | None:
        """Go to a detection by its name.

        Raises
        ------
        VettingError
            When it is not in the queue.
        """
        place = self.place_of(name)
        if place is None:
            raise VettingError(f"{name} is not in the queue; take away the filter")
        return self._go(place)

    def coming(self, count: int = 3) -> list[Detection]:
        """Those that come next, to be read ahead."""
        rows = self.queue[self.place + 1 : self.place + 1 + count]
        return [self._detections[row] for row in rows]

    def place_of(self, name: str) -> int | None:
        """Where a detection is in the queue; None when it is not."""
        row = self._rows.get(name)
        return None if row is None else self._queue.place_of(row)

    def _go(self, place: int) -> Detection | None:
        self._queue.go(place)
        self._shown_at = time.monotonic()
        return self.current
