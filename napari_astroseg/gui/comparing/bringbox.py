"""BringBox: the reference, what can be brought onto it, and the ways to ask for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.comparing.brought import compared
from napari_astroseg.gui.comparing.origins import View
from napari_astroseg.gui.comparing.sources import SourceList
from napari_astroseg.gui.images import ImagePicker, shown_window
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

REST_MS = 700
"""The view rests when the camera has not moved for so long."""

_FILES = "FITS images (*.fits *.fit *.fts *.fz *.fits.gz *.fit.gz *.fts.gz);;All files (*)"
_REFERENCE_TIP = (
    "The image whose pixels everything is brought onto; selecting an image in the layer list "
    "chooses it, too"
)
_SHOW_TIP = "Lay what is selected over the part of the reference that is in view (Enter)"
_HIPS_TIP = (
    "The id of any survey in the list of HiPS (https://aladin.cds.unistra.fr/hips/list), "
    "such as CDS/P/2MASS/K; Enter fetches what is in view"
)
_FOLLOW_TIP = (
    "While this is on, the survey shown last is fetched anew whenever the view has come to rest "
    "elsewhere"
)
_NO_IMAGE = "There is no image yet: open one in Open, or drop a FITS file on the window"
_NO_SOURCE = "Select a survey or an image first"


class BringBox(QWidget):
    """Choices only; what they start is the dock's affair.

    Parameters
    ----------
    viewer
        Whose images are offered.
    """

    wanted = Signal(object)  # a Survey, a KeptField or a layer
    hips_wanted = Signal(str)
    file_wanted = Signal(str)
    moved = Signal()  # the view has come to rest elsewhere, and is to be followed
    changed = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(viewer)
        self._ties = Ties(self)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._build()
        self._connect()
        self._judge()

    @property
    def layer(self) -> Any:
        """The reference's layer; None without one."""
        return self.images.layer()

    def view(self, layer: Any, image: SkyImage) -> View:
        """What the canvas shows of a reference: of its layer, which draws that image."""
        shown = shown_window(self._viewer, layer)
        window = shown and shown.overlap(Window.whole(image.shape))
        if window is None:
            return View(None)
        zoom = float(getattr(self._viewer, "scene", self._viewer).camera.zoom)
        return View(window, max(1, int(np.ceil(zoom * max(window.shape)))))

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._rest.stop()
        self._ties.untie()
        self.images.untie()
        self.sources.untie()

    def _build(self) -> None:
        self.images = ImagePicker(self._viewer, leave_out=_is_brought)
        self.images.setToolTip(_REFERENCE_TIP)
        self.sources = SourceList(self._viewer)
        self.show_button, self.file_button = QPushButton("Show"), QPushButton("Open file…")
        self.show_button.setDefault(True)
        self.hips = QLineEdit()
        self.hips.setPlaceholderText("or any HiPS id, such as CDS/P/2MASS/K")
        self.hips.setClearButtonEnabled(True)
        self.hips.setToolTip(_HIPS_TIP)
        self.follow = QCheckBox("Follow the view")
        self.follow.setToolTip(_FOLLOW_TIP)
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Reference", self.images)
        pair = QHBoxLayout()
        pair.addWidget(self.show_button, 2)
        pair.addWidget(self.file_button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(rows)
        column.addWidget(self.sources)
        column.addLayout(pair)
        column.addWidget(self.hips)
        column.addWidget(self.follow)

    def _connect(self) -> None:
        self.images.changed.connect(self._judge)
        self.sources.changed.connect(self._judge)
        self.sources.wanted.connect(self.wanted)
        self.show_button.clicked.connect(self.sources.want)
        self.file_button.clicked.connect(self.ask_for_file)
        self.hips.returnPressed.connect(self._want_hips)
        self.follow.toggled.connect(self._rest.start)
        self._rest.timeout.connect(self._tell_moved)
        camera = getattr(self._viewer, "scene", self._viewer).camera
        for emitter in (camera.events.center, camera.events.zoom):
            self._ties.tie(emitter, self._wait_for_rest)

    def ask_for_file(self) -> None:
        """Let the user choose a file."""
        path, _ = QFileDialog.getOpenFileName(self, "Show over the reference", "", _FILES)
        if path:
            self.file_wanted.emit(path)

    def _want_hips(self) -> None:
        text = self.hips.text().strip()
        if text and self.layer is not None:
            self.hips_wanted.emit(text)

    def _wait_for_rest(self, _event: Any = None) -> None:
        if self.follow.isChecked():
            self._rest.start()

    def _tell_moved(self) -> None:
        if self.follow.isChecked():
            self.moved.emit()

    def _judge(self) -> None:
        """Enable what can be done; the tooltips say why the rest cannot."""
        self.sources.set_reference(self.layer)
        lack = "" if self.layer is not None else _NO_IMAGE
        chosen = "" if self.sources.chosen is not None else _NO_SOURCE
        for control, tip, why in (
            (self.show_button, _SHOW_TIP, lack or chosen),
            (self.file_button, "A FITS file on this machine, over the reference", lack),
            (self.hips, _HIPS_TIP, lack),
        ):
            allow(control, why, tip)
        self.changed.emit()


def _is_brought(layer: Any) -> bool:
    return compared(layer) is not None
