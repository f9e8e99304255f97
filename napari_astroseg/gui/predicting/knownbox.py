"""KnownBox: a catalogue of what was known before, the rule, and whether to show what is new."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.predicting.cuts import Known
from napari_astroseg.gui.predicting.objectoverlay import ObjectOverlay
from napari_astroseg.gui.predicting.objectsfound import NEW, OLD
from napari_astroseg.gui.predicting.overlays import Overlay
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.known import Rule, mark_known

_FILES = "Catalogues (*.ecsv *.csv *.fits *.vot *.xml *.dat *.txt);;All files (*)"
_NONE = "Catalogue…"
_BY_BOX, _BY_CENTRE = "a third of its box is covered", "centres lie within"
_SHOWN = {"all": "", "new ones": NEW, "known ones": OLD}
_LATER = "Regions are told when their catalogue is saved"


class KnownBox(QWidget):
    """Tells known objects from new ones, now for objects, and in what is saved.

    `said` carries one sentence and whether it is trouble.
    """

    said = Signal(str, bool)
    changed = Signal(object)  # Known or None

    def __init__(self) -> None:
        super().__init__()
        self._file: Path | None = None
        self._overlay: Overlay | ObjectOverlay | None = None
        self._asked: object = None
        self._work = Latest(self)
        self._build()
        self._work.answered.connect(self._take)
        self._work.refused.connect(lambda words: self.said.emit(words, True))
        self.choose.clicked.connect(self._ask_file)
        self.forget.clicked.connect(lambda: self.set_file(None))
        self.rule.currentIndexChanged.connect(self._change)
        self.within.valueChanged.connect(self._change)
        self.shown.currentIndexChanged.connect(self._filter)
        self._judge()

    @property
    def known(self) -> Known | None:
        """The catalogue and the rule; None without a catalogue."""
        if self._file is None:
            return None
        near = self.rule.currentText() == _BY_CENTRE
        return Known(self._file, Rule(within_arcsec=self.within.value()) if near else Rule())

    def set_known(self, known: Known | None) -> None:
        """Compare with this catalogue by this rule from now on, or with none."""
        near = None if known is None else known.rule.within_arcsec
        with QSignalBlocker(self.rule), QSignalBlocker(self.within):
            self.rule.setCurrentText(_BY_BOX if near is None else _BY_CENTRE)
            if near is not None:
                self.within.setValue(near)
        self.set_file(None if known is None else known.catalogue)

    def set_file(self, path: Path | None) -> None:
        """Compare with this catalogue from now on, or with none."""
        self._file = path
        self.choose.setText(_NONE if path is None else path.name)
        self.choose.setToolTip("" if path is None else str(path))
        if path is None:
            self.shown.setCurrentIndex(0)
        self._change()

    def show_overlay(self, overlay: Overlay | ObjectOverlay | None) -> None:
        """Work on `overlay` from now on."""
        if self._overlay is not None:
            self._overlay.changed.disconnect(self._look)
        self._overlay, self._asked = overlay, None
        if overlay is not None:
            overlay.changed.connect(self._look)
        self._look()

    def _build(self) -> None:
        self.choose, self.forget = QPushButton(_NONE), QPushButton("Forget")
        self.rule, self.shown = QComboBox(), QComboBox()
        self.rule.addItems([_BY_BOX, _BY_CENTRE])
        self.rule.setToolTip("By what an object of the catalogue is the one that was found")
        self.within = QDoubleSpinBox()
        self.within.setRange(0.1, 3600.0)
        self.within.setDecimals(1)
        self.within.setValue(10.0)
        self.within.setSuffix(" ″")
        self.shown.addItems(list(_SHOWN))
        self.told = QLabel()
        self.told.setWordWrap(True)
        files, rules = QHBoxLayout(), QHBoxLayout()
        files.addWidget(self.choose, 1)
        files.addWidget(self.forget)
        rules.addWidget(self.rule, 1)
        rules.addWidget(self.within)
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Known", files)
        rows.addRow("If", rules)
        rows.addRow("Show", self.shown)
        rows.addRow("", self.told)

    def _judge(self) -> None:
        lack = "" if self._file else "Choose a catalogue of known objects first"
        self.within.setVisible(self.rule.currentText() == _BY_CENTRE)
        self.within.setToolTip("Farthest that two centres may lie apart, arcseconds")
        regions = isinstance(self._overlay, Overlay)
        allow(self.forget, lack, "Compare with no catalogue")
        allow(
            self.shown,
            lack or (_LATER if regions else ""),
            "Draw, count and save these only",
        )
        if self._file is None:
            self.told.setText("")
        elif regions:
            self.told.setText(_LATER)

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Catalogue of known objects", "", _FILES)
        if name:
            self.set_file(Path(name))

    def _change(self, *_: object) -> None:
        self._asked = None
        self._judge()
        self.changed.emit(self.known)
        self._look()

    def _look(self) -> None:
        """Have objects compared that were not yet; say how many are known."""
        self._judge()
        overlay, known = self._overlay, self.known
        if not isinstance(overlay, ObjectOverlay):
            return
        if known is None:
            overlay.set_known(None)
            return
        if self._asked is not overlay.found and overlay.summary is not None:
            self._asked = overlay.found
            made = overlay.cataloguing(overlay.found)
            self._work.ask(partial(_compared, overlay, made, known, overlay.image))
        told = overlay.known_words()
        if told:
            self.told.setText(told)

    def _take(self, answer: tuple[ObjectOverlay, NDArray[np.bool_]]) -> None:
        overlay, found = answer
        if overlay is self._overlay and len(found) == len(overlay.found):
            overlay.set_known(found)
            self._filter()

    def _filter(self, *_: object) -> None:
        if isinstance(self._overlay, ObjectOverlay):
            self._overlay.show_known(_SHOWN[self.shown.currentText()])


def _compared(
    overlay: ObjectOverlay, made: partial[Catalogue], known: Known, image: SkyImage
) -> tuple[ObjectOverlay, NDArray[np.bool_]]:
    catalogue = made()
    mark_known(catalogue, known.catalogue, image, known.rule)
    return overlay, np.asarray(catalogue.table["known"], bool)
