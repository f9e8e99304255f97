"""Bringing: images fetched or opened, and put onto the reference, off the window's thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from napari_astroseg.errors import AstroSegError, ImageError
from napari_astroseg.gui import layers
from napari_astroseg.gui.comparing.brought import Compared, grid_told, prepared
from napari_astroseg.gui.comparing.origins import FromFile, FromLayer, FromSurvey, Origin, View
from napari_astroseg.gui.intake.places import choices_in
from napari_astroseg.gui.look.remembered import Look
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.contents import Entry
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, Stopped

_PAUSE_S = 0.1
"""Progress is told no oftener than this."""


@dataclass(frozen=True, eq=False)
class Wish:
    """What to bring onto what.

    Parameters
    ----------
    origin
        Where the image comes from.
    layer, onto
        The reference: its layer, which no thread but the window's may touch, and its image.
    view
        What is in view of it.
    look
        How to draw what comes; None for a first look.
    shown
        What a layer shows of the same origin already. The same part of a survey is not brought
        again.
    """

    origin: Origin
    layer: Any
    onto: SkyImage
    view: View
    look: Look | None = None
    shown: Compared | None = None


@dataclass(frozen=True, eq=False)
class Brought:
    """What has come; `data` is None where a layer shows it already."""

    wish: Wish
    about: Compared
    data: layers.LayerData | None


@dataclass(frozen=True, eq=False)
class Choose:
    """A file with several images, none of which is plainly the one that is meant."""

    wish: Wish
    entries: tuple[Entry, ...]


@dataclass(frozen=True, eq=False)
class Refused:
    """Why nothing has come, in one sentence; and whether points marked by hand would help."""

    wish: Wish
    sentence: str
    by_hand: bool = False


def bring(wish: Wish, progress: Progress) -> Brought | Choose | Refused:
    """Fetch or open an image, and put it onto the reference's pixels; any thread.

    Raises
    ------
    AstroSegError
        When it cannot be had, or cannot be placed.
    Stopped
        When `progress` asks for it.
    """
    origin = wish.origin
    if isinstance(origin, FromFile) and origin.hdu is None:
        entries = choices_in(Address.of(origin.place), progress)
        if entries:
            return Choose(wish, entries)
    if isinstance(origin, FromSurvey):
        origin = origin.at(wish.onto, wish.view)
        if wish.shown is not None and wish.shown.field == origin.field:
            return Brought(wish, wish.shown, None)
    opened = origin.open(wish.onto, wish.view, progress)
    source = opened.plane(0)
    first = "" if opened.count == 1 else f" (plane 1 of {opened.count})"
    name = f"{origin.name}{first}"
    progress(f"aligning {origin.name}", 0, None)
    try:
        found = origin.match(source, wish.onto)
    except ImageError as error:
        if source.wcs is not None and wish.onto.wcs is not None:
            raise
        before = "" if isinstance(origin, FromLayer) else "open it and "
        return Refused(wish, f"{error}, or {before}match it by hand below", True)
    field = origin.field if isinstance(origin, FromSurvey) else None
    grid = grid_told(wish.onto)
    about = Compared(origin.key, name, found.how, grid, origin.attribution, field)
    if isinstance(origin, FromLayer) and found.image is source:  # it lies there already
        return Brought(wish, about, None)
    image = replace(found.image, name=f"{name} on {wish.onto.name}")
    return Brought(wish, about, prepared(image, source, about, wish.look))


class Bringing(QObject):
    """Brings what is wished, one after the other; answers arrive in the window's thread.

    A newer wish for the same origin takes the place of an older one. A server that hangs cannot be
    interrupted at once: its thread is left to end by itself, and heard no more.
    """

    answered = Signal(object)  # Brought, Choose or Refused
    progressed = Signal(str, object, object)  # what, done, total or None
    ended = Signal()
    _came = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Wish] = deque()
        self._run: _Run | None = None
        self._left: list[_Run] = []
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether something is on its way."""
        return self._run is not None

    def ask(self, wish: Wish) -> None:
        """Bring what is wished, after what was wished before."""
        key = wish.origin.key
        self._waiting = deque(each for each in self._waiting if each.origin.key != key)
        self._waiting.append(wish)
        if self._run is not None and self._run.wish.origin.key == key:
            self._leave()
        if self._run is None:
            self._next()

    def cancel(self) -> None:
        """Bring nothing more, and let go of what is on its way."""
        self._waiting.clear()
        if self._run is not None:
            self._leave()
            self.ended.emit()

    def close(self) -> None:
        """Cancel, and give the threads a moment to end."""
        self._waiting.clear()
        if self._run is not None:
            self._leave()
        for run in self._left:
            run.thread.join(2.0)

    def _leave(self) -> None:
        """Tell what runs to stop, and hear it no more."""
        run, self._run = self._run, None
        if run is not None:
            run.stop.set()
            self._left = [each for each in self._left if each.thread.is_alive()] + [run]

    def _next(self) -> None:
        self._run = _Run(self._waiting.popleft(), self._tell)
        self._run.thread.start()

    def _tell(self, run: _Run, word: object) -> None:
        with suppress(RuntimeError):  # this object is gone: nobody listens
            self._came.emit(run, word)

    def _take(self, run: _Run, word: object) -> None:
        if run is not self._run:
            return
        if isinstance(word, _Progress):
            self.progressed.emit(word.what, word.done, word.total)
        elif word is not None:
            self.answered.emit(word)
        else:
            run.thread.join(1.0)
            self._run = None
            if self._waiting:
                self._next()
            else:
                self.ended.emit()


@dataclass(frozen=True)
class _Progress:
    what: str
    done: int
    total: int | None


class _Run:
    """One wish in a thread; `tell(run, word)` is given its answer, and None at the end."""

    def __init__(self, wish: Wish, tell: Callable[[_Run, object], None]) -> None:
        self.wish, self.stop = wish, threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self._tell = tell
        self._told = 0.0

    def _work(self) -> None:
        try:
            self._tell(self, bring(self.wish, self._progress))
        except Stopped:
            pass  # as the user wished
        except AstroSegError as error:
            self._tell(self, Refused(self.wish, str(error)))
        except Exception as error:
            # The thread's border: whatever went wrong is told in the window.
            reason = " ".join(str(error).split())[:200]
            name = self.wish.origin.name
            self._tell(self, Refused(self.wish, f"{name}: {type(error).__name__}: {reason}"))
        self._tell(self, None)

    def _progress(self, what: str, done: int, total: int | None) -> None:
        if self.stop.is_set():
            raise Stopped
        now = time.monotonic()
        if now - self._told > _PAUSE_S:
            self._told = now
            self._tell(self, _Progress(what, done, total))
