"""Loading: the layers of a project, opened one after the other off the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from qtpy.QtCore import QObject, Qt, Signal

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.layers import LayerData
from napari_astroseg.gui.sessions.reopening import Reopening
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.project import Layer
from napari_astroseg.sky.progress import Stopped


@dataclass(frozen=True, eq=False)
class Came:
    """A layer as napari takes it, or why there is none."""

    told: Layer
    data: LayerData | None
    refused: str = ""


class Loading(QObject):
    """Opens the layers that are no dock's; `came` for each, then `ended`."""

    came = Signal(object)
    ended = Signal()
    _word = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run: _Run | None = None
        self._word.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether layers are still to come."""
        return self._run is not None

    def begin(self, layers: tuple[Layer, ...], found: FoundPlaces, canvas: tuple[int, int]) -> None:
        """Open them, from the bottom up."""
        self.close()
        wanted = [layer for layer in layers if layer.source is not None]
        self._run = _Run(wanted, found, canvas, self._tell)
        self._run.thread.start()

    def close(self) -> None:
        """Open nothing more, and give the thread a moment to end."""
        run, self._run = self._run, None
        if run is not None:
            run.stop.set()
            run.thread.join(2.0)

    def _tell(self, run: _Run, word: Came | None) -> None:
        with suppress(RuntimeError):  # this object is gone: nobody listens
            self._word.emit(run, word)

    def _take(self, run: _Run, word: Came | None) -> None:
        if run is not self._run:
            return
        if word is not None:
            self.came.emit(word)
            return
        run.thread.join(1.0)
        self._run = None
        self.ended.emit()


class _Run:
    """The layers in a thread; `tell(run, word)` is given each, and None at the end."""

    def __init__(
        self,
        layers: list[Layer],
        found: FoundPlaces,
        canvas: tuple[int, int],
        tell: Callable[[_Run, Came | None], None],
    ) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self._layers, self._tell = layers, tell
        self._reopening = Reopening(found, canvas, self._progress)

    def _work(self) -> None:
        for layer in self._layers:
            if self.stop.is_set():
                break
            try:
                came = Came(layer, self._reopening.data(layer))
            except Stopped:
                break
            except AstroSegError as error:
                came = Came(layer, None, str(error))
            except Exception as error:
                # The thread's border: whatever went wrong is told in the window.
                reason = " ".join(str(error).split())[:200]
                came = Came(layer, None, f"{type(error).__name__}: {reason}")
            self._tell(self, came)
        self._tell(self, None)

    def _progress(self, _what: str, _done: int, _total: int | None) -> None:
        if self.stop.is_set():
            raise Stopped
