"""Redraw: a layer is drawn again when what it was waiting for has been read."""

from __future__ import annotations

import time
from typing import Any
from weakref import ref

from napari.layers import Image
from napari.utils.notifications import show_error
from qtpy.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.patient import PatientLevel, PatientStack
from napari_astroseg.gui.drawn.reads import Reads
from napari_astroseg.sky.looks.colourlevels import ColourLevel

_PAUSE_MS = 40
_SHARE = 3
"""Drawing again gets one part in so many of the window's time."""


class Redraw(QObject):
    """Draws one layer again, soon but not too often, as long as it is in its viewer.

    Parameters
    ----------
    layer
        A layer whose levels are patient.
    reads
        Where they are read.
    """

    refused = Signal(str)  # why something cannot be read; napari tells it, too
    _landed = Signal()

    def __init__(self, layer: Any, reads: Reads) -> None:
        super().__init__(QCoreApplication.instance())
        self._layer, self._reads = ref(layer), reads
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._draw)
        self._landed.connect(self._soon, Qt.ConnectionType.QueuedConnection)
        self.refused.connect(show_error, Qt.ConnectionType.QueuedConnection)
        self._rest_ms = _PAUSE_MS
        self._calls = self._landed.emit, self.refused.emit
        reads.listen(*self._calls)

    @property
    def layer(self) -> Any:
        """The layer, as long as somebody has it."""
        return self._layer()

    def end(self) -> None:
        """The layer has left its viewer."""
        self._reads.forget(*self._calls)
        self._pause.stop()
        self.deleteLater()

    def _soon(self) -> None:
        if not self._pause.isActive():
            self._pause.start(self._rest_ms)

    def _draw(self) -> None:
        layer = self._layer()
        if layer is None:
            return
        begun = time.perf_counter()
        layer.refresh(highlight=False, extent=False)
        cost_ms = 1e3 * (time.perf_counter() - begun)
        self._rest_ms = max(_PAUSE_MS, round(_SHARE * cost_ms))


def reads_of(layer: Any) -> list[Reads]:
    """Where a layer's levels are read, band by band; nothing for a layer that is not patient."""
    return [band.reads for band in _patient(layer)]


def _patient(layer: Any) -> list[PatientLevel | PatientStack]:
    """The finest level of each band of a layer that is patient."""
    if not isinstance(layer, Image) or not layer.multiscale:
        return []
    finest = bare(layer).data[0]
    bands = finest.bands if isinstance(finest, ColourLevel) else (getattr(finest, "level", None),)
    return [band for band in bands if isinstance(band, PatientLevel | PatientStack)]


def watch(event: Any) -> None:
    """A layer has come: draw it again whenever more of it has been read."""
    layer = bare(event.value)
    for reads in reads_of(layer) if QCoreApplication.instance() is not None else ():
        Redraw(layer, reads)


def unwatch(event: Any) -> None:
    """A layer has gone: what it has read is let go, for the layer may come back or be kept."""
    for redraw in redraws_of(event.value):
        redraw.end()
    for band in _patient(event.value):
        if not band.reads.watched:
            band.level.cache.clear()


def redraws_of(layer: Any) -> list[Redraw]:
    """What draws a layer again."""
    layer, application = bare(layer), QCoreApplication.instance()
    children = [] if application is None else application.children()
    return [each for each in children if isinstance(each, Redraw) and each.layer is layer]
