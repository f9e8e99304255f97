"""Linking: other programs go where one looks, and one goes where they point."""

from __future__ import annotations

import hashlib
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QPushButton, QWidget

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.inorder import InOrder
from napari_astroseg.gui.settings import data_folder
from napari_astroseg.gui.vetting.desk import Desk
from napari_astroseg.gui.vetting.queuebox import narrow, row_of
from napari_astroseg.review.outcome import Outcome, catalogue_of, write_outcome
from napari_astroseg.review.samp import SampLink, table_id
from napari_astroseg.sky.shapes.shape import coordinates

_LEADS = ("Others stay", "Others go to each object", "Others follow the cursor")
_EACH, _CURSOR = 1, 2
_PAUSE_S = 0.15
"""Between two places that others are pointed to, while the cursor moves."""
_LEAST_PX = 10.0
"""An object is meant where somebody points as near as this, or inside it."""


class Linking(QObject):
    """The controls, and what they do with the desk that is followed.

    Parameters
    ----------
    viewer
        Whose cursor others may follow.
    hub
        Of `SampLink`; by default the one that runs.
    """

    said = Signal(str)
    refused = Signal(str)
    _pointed = Signal(float, float)
    _row = Signal(str, int)

    def __init__(self, viewer: Any, parent: QObject | None = None, hub: Any = None) -> None:
        super().__init__(parent)
        self._viewer, self._hub = bare(viewer), hub
        self._desk: Desk | None = None
        self._link: SampLink | None = None
        self._rows: tuple[str, ...] = ()
        self._table = ""
        self._sent_at = 0.0
        self._led = False
        self._work = InOrder(self)
        self._work.refused.connect(self._lost)
        self._pointed.connect(self._go_there, Qt.ConnectionType.QueuedConnection)
        self._row.connect(self._go_to_row, Qt.ConnectionType.QueuedConnection)
        self.box = QWidget()
        self._build()
        self.follow(None)

    @property
    def busy(self) -> bool:
        """Whether something is being sent."""
        return self._work.busy

    @property
    def linked(self) -> bool:
        """Whether there is a line to a hub."""
        return self._link is not None

    def follow(self, desk: Desk | None) -> None:
        """Work for this desk from now on; None for none."""
        self._desk = desk
        if desk is not None:
            desk.shown.connect(self._shown)
        lack = "" if desk is not None else "Nothing is being judged yet"
        if desk is not None and desk.session.detections.frame is None:
            lack = "The list has no positions on the sky"
        allow(self.send, lack, "Send what was judged to TOPCAT and Aladin, by SAMP")
        allow(self.point, lack, "Point TOPCAT, Aladin or DS9 at this object, by SAMP")

    def shut_down(self) -> None:
        """Close the line."""
        if self._cursor in self._viewer.mouse_move_callbacks:
            self._viewer.mouse_move_callbacks.remove(self._cursor)
        self._work.wait()
        self._unlink()

    def point_here(self) -> None:
        """Point the others at the object that is looked at, once."""
        current = None if self._desk is None else self._desk.session.current
        if current is not None and current.frame is not None:
            there = coordinates(current.lon, current.lat, current.frame).icrs
            self._send_point(float(there.ra.deg), float(there.dec.deg))

    def send_table(self) -> None:
        """Send what was judged as a table; its rows can be pointed at from there."""
        desk = self._desk
        if desk is None:
            return
        session = desk.session
        digest = hashlib.sha256(session.store.name.encode()).hexdigest()[:8]
        path = data_folder() / "sent" / f"vetted-{digest}-{session.list}.vot"

        def send() -> tuple[tuple[str, ...], list[str]]:
            outcome = Outcome.of(session.store, session.list)
            catalogue = catalogue_of(outcome, "all")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_outcome(path, outcome, catalogue, "all")
            return outcome.detections.names, self._linked().send_table(path, path.stem)

        self._work.ask(send, partial(self._sent, path))

    def _build(self) -> None:
        self.lead = QComboBox()
        self.lead.addItems(_LEADS)
        self.lead.setToolTip("What the other programs do while you look around (SAMP)")
        narrow(self.lead)
        self.led = QCheckBox("Go where they point")
        self.led.setToolTip(
            "Fly to the object that is chosen in TOPCAT, or where Aladin or DS9 points (SAMP)"
        )
        self.point, self.send = QPushButton("Point others here"), QPushButton("Send table")
        self.point.clicked.connect(lambda _=False: self.point_here())
        self.send.clicked.connect(lambda _=False: self.send_table())
        self.lead.currentIndexChanged.connect(self._chosen)
        self.led.toggled.connect(self._chosen)
        rows = QFormLayout(self.box)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow(row_of(self.lead, self.led))
        rows.addRow(row_of(self.point, self.send))

    def _chosen(self, _state: Any = None) -> None:
        callbacks, follows = self._viewer.mouse_move_callbacks, self.lead.currentIndex() == _CURSOR
        if follows and self._cursor not in callbacks:
            callbacks.append(self._cursor)
        elif not follows and self._cursor in callbacks:
            callbacks.remove(self._cursor)
        if self.lead.currentIndex() or self.led.isChecked():
            self._work.ask(lambda: self._linked().listeners(), self._met)
        else:  # nothing is to be heard: then no port is open
            self._work.ask(self._unlink)

    def _linked(self) -> SampLink:
        """The line, made when it is needed; in the thread that sends."""
        if self._link is None:
            self._link = SampLink(self._pointed.emit, self._row.emit, self._hub)
        return self._link

    def _unlink(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _met(self, names: list[str]) -> None:
        whom = ", ".join(names) if names else "no program that can be pointed yet"
        self.said.emit(f"Connected with {whom}")

    def _lost(self, sentence: str) -> None:
        self.lead.setCurrentIndex(0)
        self.led.setChecked(False)
        self._work.ask(self._unlink)
        self.refused.emit(sentence)

    def _sent(self, path: Path, answer: tuple[tuple[str, ...], list[str]]) -> None:
        self._rows, takers = answer
        self._table = table_id(path.stem)
        self.said.emit(f"{len(self._rows):,} rows sent to {', '.join(takers)}")

    def _shown(self) -> None:
        if self.lead.currentIndex() == _EACH and not self._led:
            self.point_here()

    def _cursor(self, _viewer: Any, event: Any) -> None:
        desk = self._desk
        if desk is None or desk.image.wcs is None or self._work.busy:
            return  # what waits for a slow hub does not pile up
        if time.monotonic() - self._sent_at < _PAUSE_S:
            return
        x, y = desk.flight.pixel_at(event.position)
        there = desk.image.sky(x, y).icrs
        if np.isfinite(there.ra.deg):
            self._send_point(float(there.ra.deg), float(there.dec.deg))

    def _send_point(self, ra: float, dec: float) -> None:
        self._sent_at = time.monotonic()
        self._work.ask(lambda: self._linked().point(ra, dec))

    def _go_there(self, ra: float, dec: float) -> None:
        desk = self._desk
        if desk is None or not self.led.isChecked() or desk.image.wcs is None:
            return
        x, y = (float(each) for each in desk.image.pixel(coordinates(ra, dec, "icrs")))
        if not (np.isfinite(x) and np.isfinite(y)):
            return
        row = desk.placed.nearest(x, y)
        far = np.hypot(desk.placed.x[row] - x, desk.placed.y[row] - y)
        if far <= max(float(desk.placed.radius[row]), _LEAST_PX):
            self._go_to(desk.session.detections.names[row])
        else:
            desk.flight.to((x, y, _LEAST_PX), fitted=False)

    def _go_to_row(self, table: str, row: int) -> None:
        if self.led.isChecked() and table == self._table and row < len(self._rows):
            self._go_to(self._rows[row])

    def _go_to(self, name: str) -> None:
        """Go to an object; whoever has pointed there is not pointed back."""
        if self._desk is None:
            return
        self._led = True
        try:
            self._desk.go_to(name)
        except AstroSegError as error:
            self.refused.emit(str(error))
        finally:
            self._led = False
