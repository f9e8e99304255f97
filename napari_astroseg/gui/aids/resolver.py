"""Resolver: one name at a time asked of the name service, off the window's thread."""

from __future__ import annotations

import threading
from contextlib import suppress

from astropy.coordinates import SkyCoord
from qtpy.QtCore import QObject, Qt, Signal

from napari_astroseg.errors import AstroSegError
from napari_astroseg.sky.coords import sesame


class Resolver(QObject):
    """Asks for a name, and forgets the answer when it is no longer wanted.

    A network cannot be hurried: what is cancelled goes on by itself until its time is out, and
    nobody listens.
    """

    found = Signal(str, object)
    failed = Signal(str)
    _came = Signal(int, str, object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._number = 0
        self._asking = False
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def asking(self) -> bool:
        """Whether an answer is awaited."""
        return self._asking

    def ask(self, name: str) -> None:
        """Ask for a name; `found` or `failed` follows, unless it is cancelled."""
        self._number += 1
        self._asking = True
        work = threading.Thread(target=self._work, args=(self._number, name), daemon=True)
        work.start()

    def cancel(self) -> None:
        """Wait for no answer."""
        self._number += 1
        self._asking = False

    def _work(self, number: int, name: str) -> None:
        position: SkyCoord | None = None
        sentence = ""
        try:
            position = sesame.resolve(name)
        except AstroSegError as error:
            sentence = str(error)
        except Exception as error:
            # The thread's border: whatever went wrong is told in the window.
            sentence = f"{name!r} could not be looked up ({type(error).__name__}: {error})"
        with suppress(RuntimeError):  # this object is gone: nobody waits for the answer
            self._came.emit(number, name, position, sentence)

    def _take(self, number: int, name: str, position: SkyCoord | None, sentence: str) -> None:
        if number != self._number:
            return
        self._asking = False
        if position is None:
            self.failed.emit(sentence)
        else:
            self.found.emit(name, position)
