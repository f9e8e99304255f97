"""CursorBox: the sky under the cursor, line by line."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QFontDatabase
from qtpy.QtWidgets import QFormLayout, QGroupBox, QLabel

from napari_astroseg.gui import layers
from napari_astroseg.gui.asking import AWAITED, asking
from napari_astroseg.gui.ties import Ties

_PAUSE_MS = 30
_LINES = {"ICRS": "icrs", "Galactic": "galactic", "Value": "value", "Pixel": "pixel"}
_PLANE = "Plane"


class CursorBox(QGroupBox):
    """Sky position, raw value and pixel under a viewer's cursor.

    Parameters
    ----------
    viewer
        The viewer whose cursor it follows.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__("Under the cursor")
        self._viewer = viewer
        self.setToolTip("The raw value, whatever the stretch. Pixels count from 0")
        self.lines = {title: words() for title in (*_LINES, _PLANE)}
        rows = QFormLayout(self)
        figures = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        for title, label in self.lines.items():
            label.setFont(figures)
            rows.addRow(title, label)
        self._plane_title = rows.labelForField(self.lines[_PLANE])
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.read)
        self._ties = Ties(self)
        self._ties.tie(viewer.cursor.events.position, self._read_soon)
        self._ties.tie(viewer.layers.selection.events.active, self._read_soon)
        self._ties.tie(viewer.dims.events.current_step, self._read_soon)
        self._patient = asking()
        if self._patient is not None:
            self._patient.answered.connect(self._answered)
        self.read()

    def read(self) -> None:
        """Show what lies under the cursor now."""
        readout = layers.cursor_readout(self._viewer)
        for title, field in _LINES.items():
            self.lines[title].setText(getattr(readout, field) or "–")
        plane = layers.plane_told(self._viewer)
        self.lines[_PLANE].setText(plane)
        for part in (self.lines[_PLANE], self._plane_title):
            part.setVisible(bool(plane))

    def untie(self) -> None:
        """Follow the cursor no more."""
        self._ties.untie()
        self._pause.stop()
        if self._patient is not None:
            self._patient.answered.disconnect(self._answered)
            self._patient = None

    def _answered(self) -> None:
        """Tell what has been found, here and in the status bar."""
        self.read()
        if isinstance(self._viewer.status, dict) and AWAITED in str(self._viewer.status):
            self._viewer.update_status_from_cursor()

    def _read_soon(self, _event: Any = None) -> None:
        """Read after a pause: a moving cursor sends far more events than anyone can read."""
        if not self._pause.isActive():
            self._pause.start()


def words() -> QLabel:
    """A line of words that wraps and can be copied."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)  # it quotes files, layers and servers
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
