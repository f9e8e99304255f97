"""FoundPanel: what a prediction found, at a threshold that moves live; and its catalogue."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.predicting.bivariate import Legend
from napari_astroseg.gui.predicting.cuts import Cut, Known
from napari_astroseg.gui.predicting.extramaps import BOTH, LARGEST
from napari_astroseg.gui.predicting.objectoverlay import ObjectOverlay
from napari_astroseg.gui.predicting.overlays import Overlay
from napari_astroseg.gui.predicting.purity import Purity
from napari_astroseg.gui.ties import Ties

_PROBABILITY = "probability"
_FORMATS = "ECSV table (*.ecsv);;FITS table (*.fits);;VOTable (*.vot);;CSV (*.csv)"


class FoundPanel(QWidget):
    """Threshold, least area, which map is shown where there are several, a summary, and Save.

    `said` carries one sentence and whether it is trouble.
    """

    cut_changed = Signal(object)
    stepped = Signal(object, object)  # the overlay, and its cut before
    said = Signal(str, bool)

    def __init__(self) -> None:
        super().__init__()
        self._overlay: Overlay | ObjectOverlay | None = None
        self.known: Known | None = None  # what is marked in a catalogue that is saved
        self._saver = Latest(self)
        self._ties = Ties(self)
        self._build()
        self._saver.answered.connect(lambda words: self.said.emit(words, False))
        self._saver.refused.connect(lambda words: self.said.emit(words, True))
        self.threshold.valueChanged.connect(self._choose)
        self.purity.wanted.connect(self._follow)
        self.min_area.valueChanged.connect(self._moved)
        self.most_unsure.valueChanged.connect(self._moved)
        self.shown_map.currentTextChanged.connect(self._show_map)
        self.filled.toggled.connect(self._fill)
        self.save.clicked.connect(self._ask_name)
        self.show_overlay(None)

    @property
    def cut(self) -> Cut:
        """What the controls say."""
        unsure = round(float(self.most_unsure.value()), 4)
        return Cut(
            round(float(self.threshold.value()), 4),
            int(self.min_area.value()),
            LARGEST if unsure >= self.most_unsure.maximum() else unsure,
        )

    def set_cut(self, cut: Cut) -> None:
        """Show `cut`, and apply it to the overlay shown."""
        controls = self.threshold, self.min_area, self.most_unsure
        blockers = [QSignalBlocker(control) for control in controls]
        for control, value in zip(controls, vars(cut).values(), strict=True):
            control.setValue(value)
        for blocker in blockers:
            blocker.unblock()
        self._apply()

    def show_overlay(self, overlay: Overlay | ObjectOverlay | None) -> None:
        """Work on `overlay` from now on."""
        if self._overlay is not None:
            self._overlay.changed.disconnect(self.refresh)
        self._overlay = overlay
        if overlay is not None:
            overlay.changed.connect(self.refresh)
        self._ties.untie()
        for layer in () if overlay is None else overlay.maps.layers:
            self._ties.tie(layer.events.visible, self._follow_map)
        self._offer_maps()
        self._offer_areas()
        self.purity.show_overlay(overlay)
        self.refresh()

    def turn_to(self, name: str) -> None:
        """Show a map, or the probability again where it is shown."""
        wanted = _PROBABILITY if self.shown_map.currentText() == name else name
        if self.shown_map.findText(wanted) >= 0:
            self.shown_map.setCurrentText(wanted)

    def refresh(self) -> None:
        """Say what the overlay holds now."""
        overlay = self._overlay
        found = overlay.summary if overlay is not None else None
        self.save.setEnabled(found is not None)
        self.save.setToolTip(
            "Write the regions as a catalogue: position, area, length, mean value, score"
            if found
            else "Nothing to save yet: predict a window first"
        )
        if overlay is None or found is None:
            self.summary.setText("Nothing predicted yet")
            return
        self.purity.look()
        words, more = overlay.words()
        self.summary.setText(words)
        self.summary.setToolTip(more)

    def write(self, path: Path) -> None:
        """Measure the regions and write their catalogue, off the window's thread."""
        if self._overlay is not None:
            self.said.emit(f"Measuring for {path.name} …", False)
            self._saver.ask(partial(self._overlay.writing(self.known), path))

    def _build(self) -> None:
        self.threshold = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0.0, 1.0)
        self.threshold.setSingleStep(0.01)
        self.threshold.setDecimals(2)
        self.threshold.setToolTip("Probability from which a pixel belongs to a region")
        self.purity = Purity()
        self.min_area = QSpinBox()
        self.min_area.setRange(0, 1_000_000)
        self.min_area.setSuffix(" px")
        self.most_unsure = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.most_unsure.setRange(0.0, LARGEST)
        self.most_unsure.setSingleStep(0.01)
        self.most_unsure.setDecimals(2)
        self.most_unsure.setValue(LARGEST)
        self.shown_map = QComboBox()
        self.shown_map.setToolTip(
            "Which map is drawn: of any class, of one class, how unsure the model is, or both.\n"
            "U shows the uncertainty, Shift+U both in one, and again the probability"
        )
        self.legend = Legend()
        self.filled = QCheckBox("Fill regions")
        self.unsure_words = QLabel()
        self.unsure_words.setWordWrap(True)
        self.unsure_words.setEnabled(False)
        self.summary = QLabel()
        self.save = QPushButton("Save catalogue…")
        below = QHBoxLayout()
        below.addWidget(self.filled)
        below.addStretch(1)
        below.addWidget(self.save)
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Threshold", self.threshold)
        rows.addRow("Purity from", self.purity)
        rows.addRow("Least area", self.min_area)
        rows.addRow("Uncertainty up to", self.most_unsure)
        rows.addRow("Map", self.shown_map)
        rows.addRow("", self.legend)
        rows.addRow("", self.unsure_words)
        self._rows = rows
        rows.addRow("Found", self.summary)
        rows.addRow(below)
        self._offer_areas()

    def _choose(self, *_: object) -> None:
        """A threshold by hand: it follows no purity any more."""
        with QSignalBlocker(self.purity):
            self.purity.setValue(0.0)
        self._moved()

    def _follow(self, threshold: float) -> None:
        if round(threshold, 4) != self.cut.threshold:
            with QSignalBlocker(self.threshold):
                self.threshold.setValue(threshold)
            self._moved()

    def _moved(self, *_: object) -> None:
        """A cut by hand."""
        overlay = self._overlay
        before = None if overlay is None else overlay.cut
        self._apply()
        if overlay is not None and overlay.cut != before:
            self.stepped.emit(overlay, before)

    def _apply(self) -> None:
        if self._overlay is not None:
            self._overlay.set_cut(self.cut)
        self.cut_changed.emit(self.cut)

    def _offer_maps(self) -> None:
        """Offer the maps of the overlay; a lone one needs no choice."""
        overlay = self._overlay
        names = overlay.maps.names if overlay is not None else ()
        with QSignalBlocker(self.shown_map):
            self.shown_map.clear()
            self.shown_map.addItems([_PROBABILITY, *names])
            if overlay is not None:
                self.shown_map.setCurrentText(overlay.maps.shown or _PROBABILITY)
        spread = overlay.maps.spread if overlay is not None else None
        for control, wanted in (
            (self.shown_map, bool(names)),
            (self.most_unsure, spread is not None),
        ):
            control.setVisible(wanted)
            self._rows.labelForField(control).setVisible(wanted)
        what = "score" if isinstance(overlay, ObjectOverlay) else "probability"
        self.unsure_words.setText(f"Uncertainty: {spread.words_of(what)}" if spread else "")
        self.unsure_words.setVisible(spread is not None)
        if overlay is not None:
            self.legend.tell(overlay.maps.bounds)
        self.legend.setVisible(self.shown_map.currentText() == BOTH)
        with QSignalBlocker(self.most_unsure):
            self.most_unsure.setRange(0.0, spread.largest if spread else LARGEST)
            if overlay is not None:
                self.most_unsure.setValue(overlay.cut.most_unsure)
        numbered = overlay is not None and overlay.numbered
        unsure = "an object" if what == "score" else "a pixel of a region"
        self.most_unsure.setEnabled(numbered)
        self.most_unsure.setToolTip(
            f"Uncertainty from which {unsure} is too unsure"
            if numbered
            else "Only for windows of up to 2048 × 2048 pixels, whose regions are numbered"
        )

    def _offer_areas(self) -> None:
        """Objects in boxes are outlines; those with masks are filled to begin with."""
        overlay = self._overlay
        objects = isinstance(overlay, ObjectOverlay)
        self.min_area.setToolTip(
            "Smaller objects are dropped: pixels of their masks, or else of their boxes"
            if objects
            else "Smaller regions are dropped"
        )
        boxes = isinstance(overlay, ObjectOverlay) and not overlay.fillable
        allow(
            self.filled,
            "For what has pixels; this model finds boxes" if boxes else "",
            "Areas besides the outlines" if objects else "Areas instead of outlines",
        )
        if isinstance(overlay, ObjectOverlay):
            with QSignalBlocker(self.filled):
                self.filled.setChecked(overlay.fillable and overlay.filled)

    def _show_map(self, name: str) -> None:
        if self._overlay is not None:
            self._overlay.show_map("" if name == _PROBABILITY else name)
        self.legend.setVisible(name == BOTH)

    def _follow_map(self, _event: Any = None) -> None:
        """Name the map that is shown, whoever shows it: the layer list, or a project."""
        if self._overlay is None:
            return
        with QSignalBlocker(self.shown_map):
            self.shown_map.setCurrentText(self._overlay.maps.shown or _PROBABILITY)
        self.legend.setVisible(self.shown_map.currentText() == BOTH)

    def _fill(self, filled: bool) -> None:
        if self._overlay is not None:
            self._overlay.set_filled(filled)

    def _ask_name(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save catalogue", "regions.ecsv", _FORMATS)
        if name:
            path = Path(name)
            self.write(path if path.suffix else path.with_suffix(".ecsv"))
