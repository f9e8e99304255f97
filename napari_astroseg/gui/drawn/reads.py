"""Reads: the chunks that are wanted now, read in the background, the newest wish first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.drawn.stretched import Stretched
from napari_astroseg.sky.pyramids.chunks import CHUNK, Floats, runs
from napari_astroseg.sky.pyramids.pyramid import Level
from napari_astroseg.sky.pyramids.pyramidfile import Store

if TYPE_CHECKING:
    from napari_astroseg.sky.looks.stretch import Stretch

PATIENCE_S = 0.01
"""How long the window's thread waits for what is being read."""
RETRY_S = 10.0
"""What could not be read is not tried again before that."""
_VIEWS = 4
"""Views that are held: of a few levels, where one image is drawn in more than one place."""
_GLIMPSE_S = 0.2
"""A picture that is not complete yet is not drawn again more often than this."""
_QUICK_S = 0.1
"""Only where a read takes less than this are neighbours read before anybody looks at them."""

_HOLE = np.full((CHUNK, CHUNK), np.nan, np.float32)
"""A chunk of nothing, for what cannot be read; it reaches over the edges."""

Place = tuple[int, int]
"""Chunk row, chunk column."""

_Job = tuple[int, range]
"""A chunk row, and neighbours in it."""


class Reads:
    """Reads for the levels of one image; safe to use from any thread.

    The chunks of the latest view of each level are held until the next: a view larger than the
    cache still comes to be complete, and does not chase its own tail. What is asked for through
    a stretch is stretched where it is read, too.
    """

    def __init__(self) -> None:
        self.stretched = Stretched()
        self._landed: list[Callable[[], None]] = []
        self._refused: list[Callable[[str], None]] = []
        self._change = threading.Condition()
        self._views: dict[_Key, _View] = {}
        self._failed: dict[tuple[_Key, Place], float] = {}
        self._told = False
        self._drawn_s = 0.0
        self._last_s = 0.0
        self._thread: threading.Thread | None = None

    @property
    def watched(self) -> bool:
        """Whether anybody will draw again what was drawn too early."""
        return bool(self._landed)

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._thread is not None

    def listen(self, landed: Callable[[], None], refused: Callable[[str], None]) -> None:
        """Be told when a picture drawn too early can be drawn better, and why one cannot.

        Both are called in the reading thread; the second once, until it can be read again.
        """
        with self._change:
            self._landed.append(landed)
            self._refused.append(refused)

    def forget(self, landed: Callable[[], None], refused: Callable[[str], None]) -> None:
        """Call these no more; with nobody left to call, read nothing more either."""
        with self._change:
            self._landed = [call for call in self._landed if call is not landed]
            self._refused = [call for call in self._refused if call is not refused]
            if not self._landed:
                self._views.clear()
                self.stretched.clear()

    def ask(
        self,
        level: Level,
        places: Sequence[Place],
        ring: Sequence[Place] = (),
        stretch: Stretch | None = None,
    ) -> dict[Place, Floats]:
        """The chunks at some places of a level, as many as come within `PATIENCE_S`.

        The others are read on, until the same level is asked for something else; whoever asks
        again for the same gets what is there by then. `ring` is what
        might be asked next, `stretch` how it will be drawn.
        """
        key = _key(level)
        with self._change:
            view = _View(level, level.store, tuple(places), stretch)
            before = self._views.pop(key, None)
            if before is not None and before.store is view.store:
                found = ((place, before.held.get(place)) for place in places)
                view.held.update((p, c) for p, c in found if c is not None and c is not _HOLE)
            for place in places:
                if place not in view.held:
                    chunk = level.kept(*place, view.store)
                    chunk = self._hole(key, place) if chunk is None else chunk
                    if chunk is not None:
                        view.held[place] = chunk
            view.to_read = _jobs([place for place in places if place not in view.held])
            first = before is None or before.places != view.places
            if before is None or first:
                new = (p for p in ring if (key, p) not in self._failed)
                view.ring = _jobs([p for p in new if level.kept(*p, view.store) is None])
            else:
                view.ring = before.ring
            self._views[key] = view  # the newest comes last
            while len(self._views) > _VIEWS:
                self._views.pop(next(iter(self._views)))
            if view.to_read or view.ring:
                self._start()
            hope = self._last_s < PATIENCE_S  # of what takes longer than that, none
            if view.to_read and first and hope:  # whoever draws it again will be told of the rest
                self._change.wait_for(lambda: view.complete, PATIENCE_S)
            view.short = not view.complete
            return dict(view.held)

    def wait(self, timeout_s: float = 5.0) -> None:
        """Until nothing is left to read."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _hole(self, key: _Key, place: Place) -> Floats | None:
        """Missing data, where reading has failed lately."""
        failed_at = self._failed.get((key, place))
        lately = failed_at is not None and time.monotonic() - failed_at < RETRY_S
        return _HOLE if lately else None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._change:
                job = self._next(self._last_s < _QUICK_S)
                if job is None:
                    self._thread = None
                    return
            begun = time.perf_counter()
            self._read(*job)
            self._last_s = time.perf_counter() - begun

    def _next(self, quick: bool) -> tuple[Level, _Job] | None:
        """What to read now: for the newest view, and only then what lies around it."""
        newest = list(self._views.values())[::-1]
        for view in newest:
            if view.to_read:
                return view.level, view.to_read.pop(0)
        for view in newest if quick else ():
            if view.ring:
                return view.level, view.ring.pop(0)
        return None

    def _read(self, level: Level, job: _Job) -> None:
        row, columns = job
        sentence = ""
        try:
            read = level.read_chunks(row, columns)
        except AstroSegError as error:
            sentence = str(error)
        except Exception as error:
            # The thread's border: a picture with a hole and a sentence, not a dead thread.
            name = level.image.name
            sentence = f"{name} cannot be read on ({type(error).__name__}: {error}); open it again"
        if sentence:
            read = dict.fromkeys(columns, _HOLE)
        view = self._views.get(_key(level))
        stretch = None if view is None else view.stretch
        if stretch is not None:
            for chunk in read.values():
                self.stretched.of(chunk, stretch)
        self._land(level, {(row, column): chunk for column, chunk in read.items()}, sentence)

    def _land(self, level: Level, chunks: dict[Place, Floats], sentence: str) -> None:
        key = _key(level)
        with self._change:
            view = self._views.get(key)
            wanted = set() if view is None else chunks.keys() & set(view.places)
            if view is not None and view.store is level.store:
                view.held.update({place: chunks[place] for place in wanted})
            better = view is not None and view.short and bool(wanted) and self._worth_it(view)
            tell = bool(sentence) and not self._told
            if sentence:
                self._told = True
                self._failed.update({(key, place): time.monotonic() for place in chunks})
            elif self._healed(key, chunks):
                self._told = False  # it can be read again: the next failure is news
            landed = list(self._landed) if better else []
            refused = list(self._refused) if tell else []
            self._change.notify_all()
        for draw in landed:
            draw()
        for say in refused:
            say(sentence)

    def _worth_it(self, view: _View) -> bool:
        """Whether a view that was drawn too early is to be drawn again now."""
        now = time.monotonic()
        done = view.complete or view.store is not view.level.store
        if not done and now - self._drawn_s < _GLIMPSE_S:
            return False
        self._drawn_s = now
        return True

    def _healed(self, key: _Key, places: Iterable[Place]) -> bool:
        """Whether any of the places could not be read before."""
        failed = [(key, place) for place in places if (key, place) in self._failed]
        for each in failed:
            del self._failed[each]
        return bool(failed)


_Key = tuple[int, int]
"""Plane and factor: which level of the image."""


@dataclass
class _View:
    """What was last asked of one level."""

    level: Level
    store: Store | None
    places: tuple[Place, ...]
    stretch: Stretch | None = None
    held: dict[Place, Floats] = field(default_factory=dict)
    to_read: list[_Job] = field(default_factory=list)
    ring: list[_Job] = field(default_factory=list)
    short: bool = False  # drawn with something else in place of what was missing

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return len(self.held) == len(self.places)


def _key(level: Level) -> _Key:
    return level.number, level.factor


def _jobs(places: Sequence[Place]) -> list[_Job]:
    """Neighbours in a row together, the middle rows first."""
    rows: dict[int, list[int]] = {}
    for row, column in places:
        rows.setdefault(row, []).append(column)
    middle = sum(rows) / max(1, len(rows))
    ordered = sorted(rows, key=lambda row: abs(row - middle))
    return [(row, run) for row in ordered for run in runs(sorted(rows[row]))]
