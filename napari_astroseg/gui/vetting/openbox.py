"""OpenBox: what is judged, on which image, by whom, in which order, and where it is kept."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.images import ImagePicker
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.settings import data_folder, remember, remembered
from napari_astroseg.gui.ties import Ties
from napari_astroseg.gui.vetting.fromlayers import holds_detections
from napari_astroseg.gui.vetting.queuebox import narrow, row_of
from napari_astroseg.sky.catalogue import FORMATS

_FILE = "a file or a prediction's folder"
_STORED = "the list in the store"
_READ = f"Lists of detections (*.reg *.crtf *.dat {' '.join(f'*{each}' for each in FORMATS)})"


class OpenBox(QWidget):
    """Controls; `started` and `closed` say what the buttons were pressed for.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    """

    started = Signal()
    closed = Signal()
    export_wanted = Signal()
    sheet_wanted = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(viewer)
        self._sources: list[Any] = []
        self._proposes = True
        self._ties = Ties(self)
        self._build()
        for name in ("inserted", "removed", "reordered"):
            self._ties.tie(getattr(self._viewer.layers.events, name), self._offer)
        self._offer()
        self.judge(False, False)

    @property
    def name(self) -> str:
        """The vetter's."""
        return " ".join(self.who.text().split())

    @property
    def layer(self) -> Any:
        """The layer that detections are taken from; None for a file or the store."""
        at = self.source.currentIndex()
        return self._sources[at] if 0 <= at < len(self._sources) else None

    @property
    def path(self) -> str:
        """The file or folder; "" where another source is chosen."""
        return self.file.text().strip() if self.source.currentText() == _FILE else ""

    @property
    def from_store(self) -> bool:
        """Whether the list that is in the store is meant."""
        return bool(self.source.currentText() == _STORED)

    def choose_file(self, path: str | Path) -> None:
        """Take detections from this file or folder."""
        self._settle()
        self.source.setCurrentText(_FILE)
        self.file.setText(str(path))

    @property
    def offered(self) -> list[Any]:
        """Layers that detections can be taken from."""
        return [layer for layer in self._sources if layer is not None]

    def choose_store(self) -> None:
        """Take the list that is in the store."""
        self._settle()
        self.source.setCurrentText(_STORED)

    def choose_layer(self, layer: Any) -> None:
        """Take detections from this layer."""
        self._settle()
        self._offer()
        self.source.setCurrentIndex(self._sources.index(bare(layer)))

    def keep_choices(self) -> None:
        """Remember who judges, and where it is kept."""
        remember("vetter", self.name)
        remember("verdict store", self.store.text().strip())

    def judge(self, opening: bool, opened: bool) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        self._opening, self._opened = opening, opened
        lack = "The list is being opened" if opening else ""
        if not lack and self.images.layer() is None:
            lack = "Open an image first: in Open, or drop a FITS file on the window"
        if not lack and not self.name:
            lack = "Write your name first: a verdict has a vetter"
        if not lack and self.layer is None and not self.from_store and not self.path:
            lack = "Choose a file or a layer with detections first"
        allow(self.start, lack, "Begin, or go on where you left off")
        closed = "" if opened else "Nothing is being judged yet"
        allow(self.close_button, closed, "Judge no more; every verdict is kept")
        allow(self.sheet, closed, "Many at once: stamps on a contact sheet, to be flagged")
        allow(self.export, closed, "Write what was judged as a catalogue or regions")

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._ties.untie()
        self.images.untie()

    def _build(self) -> None:
        self.images = ImagePicker(self._viewer)
        self.images.setToolTip("The image on which they are looked at")
        self.source = QComboBox()
        self.source.setToolTip(
            "What is judged: a catalogue, DS9 regions, the folder that a prediction left, or what "
            "a layer in this window holds"
        )
        self.file = QLineEdit()
        self.file.setPlaceholderText("catalogue, regions, or a prediction's folder")
        self.file.setToolTip("ECSV, CSV, FITS, VOTable, DS9 or CASA regions, or a folder")
        self.browse = QPushButton("Open…")
        self.browse.setToolTip("Choose a list of detections")
        self.browse.clicked.connect(self._ask_file)
        self.who = QLineEdit(remembered("vetter", _user()))
        self.who.setToolTip("Who judges: written with every verdict, and remembered")
        default = str(data_folder() / "verdicts" / "verdicts.sqlite")
        self.store = QLineEdit(remembered("verdict store", default))
        self.store.setToolTip(
            "Where verdicts are kept: a file, or postgresql://USER@HOST/DATABASE for a team"
        )
        self.blind = QCheckBox("Blind")
        self.blind.setChecked(True)
        self.blind.setToolTip("Blind: you judge by yourself, and others' verdicts stay hidden")
        self.start, self.close_button = QPushButton("Start"), QPushButton("Close")
        self.export, self.sheet = QPushButton("Export…"), QPushButton("Sheet…")
        narrow(self.source)
        for button, signal in (
            (self.start, self.started),
            (self.close_button, self.closed),
            (self.export, self.export_wanted),
            (self.sheet, self.sheet_wanted),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
        self.images.changed.connect(self._rejudge)
        for line in (self.who, self.file):
            line.textChanged.connect(self._rejudge)
        self.source.currentIndexChanged.connect(self._source_chosen)
        self.source.activated.connect(self._settle)
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Image", self.images)
        rows.addRow("Detections", self.source)
        self._file_row = row_of(self.file, self.browse)
        rows.addRow("File", self._file_row)
        rows.addRow("Vetter", row_of(self.who, self.blind))
        rows.addRow("Verdicts in", self.store)
        rows.addRow(row_of(self.start, self.close_button, self.sheet, self.export))

    def _offer(self, _event: Any = None) -> None:
        """Offer the layers that there are; the choice stays.

        Where nothing was chosen yet, what a model has just found is proposed.
        """
        layers = [bare(each) for each in self._viewer.layers if holds_detections(each)]
        chosen, words = self.layer, self.source.currentText()
        self.source.blockSignals(True)
        self.source.clear()
        self._sources = [*layers, None, None]
        self.source.addItems([*(layer.name for layer in layers), _FILE, _STORED])
        found = [number for number, layer in enumerate(layers) if METADATA in layer.metadata]
        if self._proposes and not self.path and found:
            self.source.setCurrentIndex(found[-1])
        elif chosen in layers:
            self.source.setCurrentIndex(layers.index(chosen))
        else:
            self.source.setCurrentText(words if words in (_FILE, _STORED) else _FILE)
        self.source.blockSignals(False)
        self._source_chosen()

    def _settle(self, _index: int = 0) -> None:
        self._proposes = False

    def _source_chosen(self, _index: int = 0) -> None:
        self._file_row.setEnabled(self.source.currentText() == _FILE)
        self._rejudge()

    def _rejudge(self) -> None:
        if hasattr(self, "_opened"):
            self.judge(self._opening, self._opened)

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Detections", self.file.text(), _READ)
        if name:
            self.choose_file(name)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name
        return ""
