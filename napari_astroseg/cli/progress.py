"""Progress: the events of work, told on a terminal without filling it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from napari_astroseg.engine.events import (
    EpochDone,
    Event,
    Finished,
    ObjectsDone,
    Preparing,
    Started,
    StepDone,
    TileDone,
    TrialBegun,
    TrialDone,
    Warned,
)
from napari_astroseg.recipes.search import told as in_words
from napari_astroseg.sky.progress import Progress

_EVERY_S = 0.2


def told(events: Iterable[Event], quiet: bool = False) -> Iterator[Event]:
    """Pass events on, saying what they say; on a terminal the current line is redrawn."""
    teller = Teller(quiet)
    try:
        for event in events:
            teller.tell(event)
            yield event
    finally:
        teller.clear()  # an error's line must not land on it


@contextmanager
def steps_told(quiet: bool = False) -> Iterator[Progress]:
    """A callback for work on files that says how far it is, on a terminal only."""
    teller = Teller(quiet)

    try:
        yield teller.step
    finally:
        teller.clear()


class Teller:
    """Says events on standard error: lasting lines for what matters, one live line for the rest."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty() and not quiet
        self._drawn = 0
        self._last = 0.0
        self._begun = time.perf_counter()

    def tell(self, event: Event) -> None:
        """Say one event, if it is worth saying now."""
        match event:
            case Warned(message=message):
                self.line(f"warning: {message}")
            case Preparing(what=what, done=done, total=count):
                self.step(what, done, count)
            case Started(what=what, total=total, unit=unit, device=device):
                self._begun = time.perf_counter()
                self.line(f"{what}: {total} {unit if total != 1 else unit[:-1]} on {device}")
            case EpochDone():
                self.line(_epoch_line(event))
            case StepDone(step=step, total=total, loss=loss, patches_per_second=rate):
                self.live(f"  step {step}/{total}  loss {loss:.4f}  {rate:.0f} patches/s")
            case TileDone(done=done, total=total):
                self.live(f"  tile {done}/{total}  {self._left(done, total)}")
            case TrialBegun(number=number, changes=changes):
                self.line(f"trial {number}: {', '.join(in_words(changes))}")
            case TrialDone(number=number, figure=figure, state=state, best=best):
                self.line(f"trial {number} {state}: {figure:.4f}{'  *best*' if best else ''}")
            case ObjectsDone(done=done, total=total):
                self.live(f"  window {done}/{total}  {self._left(done, total)}")
            case Finished(seconds=seconds):
                self.line(f"done in {seconds:.1f} s")

    def step(self, what: str, done: int, total: int | None) -> None:
        """How far work on files is."""
        self.live(f"  {what}: {done / total:.0%}" if total else f"  {what}")

    def line(self, text: str) -> None:
        """A line that stays."""
        if not self._quiet:
            self.clear()
            print(text, file=sys.stderr, flush=True)

    def live(self, text: str) -> None:
        """A line that the next one replaces; nothing where there is no terminal."""
        now = time.perf_counter()
        if self._live and now - self._last > _EVERY_S:
            self._last = now
            print(f"\r{text:<{self._drawn}}", end="", file=sys.stderr, flush=True)
            self._drawn = len(text)

    def clear(self) -> None:
        """Wipe the live line."""
        if self._drawn:
            print(f"\r{'':<{self._drawn}}\r", end="", file=sys.stderr, flush=True)
            self._drawn = 0

    def _left(self, done: int, total: int) -> str:
        spent = time.perf_counter() - self._begun
        return f"{spent / done * (total - done):.0f} s left"


def _epoch_line(event: EpochDone) -> str:
    figures = "  ".join(f"{name} {value:.4f}" for name, value in event.validation.items())
    mark = "  *best*" if event.best else ""
    return (
        f"epoch {event.epoch}/{event.epochs}  loss {event.loss:.4f}  validation: {figures}"
        f"  {event.seconds:.1f} s{mark}"
    )
