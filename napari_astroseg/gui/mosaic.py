"""MosaicDock: open FITS images, choose how they are drawn, read the sky under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QFileDialog, QPushButton, QShortcut, QVBoxLayout, QWidget

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui import layers
from napari_astroseg.gui.appearance import AppearanceBox
from napari_astroseg.gui.cursor import CursorBox
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.notice import Notice
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.stretch import Kind

_FILES = "FITS images (*.fits *.fit *.fts *.fz *.FITS *.FIT *.FTS *.FZ);;All files (*)"


@dataclass(frozen=True)
class _Opened:
    """What became of some files: layers to add, and a sentence for each that has none."""

    prepared: list[layers.LayerData]
    complaints: list[str]


class MosaicDock(QWidget):
    """Open images; stretch and limits of the selected one; the sky under the cursor.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it in.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._opening = Latest(self)
        layers.settle(self._viewer)
        self._build()
        self._connect()
        self._wait_for_files()

    @property
    def layer(self) -> Any:
        """The image layer that stretch and limits act on; None without one."""
        return self.appearance.layer

    @property
    def busy(self) -> bool:
        """Whether files are being opened."""
        return self._opening.busy

    def ask_for_files(self) -> None:
        """Let the user choose files, and open them."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Open FITS images", "", _FILES)
        if paths:
            self.open_files([Path(each) for each in paths])

    def open_files(self, paths: Sequence[Path]) -> None:
        """Open images off the window's thread; layers or sentences follow."""
        self.notice.clear()
        self.open_button.setEnabled(False)
        self.open_button.setText("Opening …")
        canvas = tuple(getattr(getattr(self._viewer, "canvas", None), "size", (0, 0)))
        self._opening.ask(partial(_prepare, tuple(paths), self.appearance.kind, canvas))

    def shut_down(self) -> None:
        """Let go of the viewer: the dock has been closed."""
        self.appearance.untie()
        self.cursor_box.untie()
        self._opening.wait()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def _build(self) -> None:
        self.open_button = QPushButton()
        self.open_button.setToolTip(
            "Open two-dimensional FITS images (Ctrl+Shift+F); only what is shown is read.\n"
            "Or drop them on the canvas"
        )
        self.notice = Notice()
        self.appearance = AppearanceBox(self._viewer)
        self.cursor_box = CursorBox(self._viewer)
        column = QVBoxLayout(self)
        for part in (self.open_button, self.notice, self.appearance, self.cursor_box):
            column.addWidget(part)
        column.addStretch(1)

    def _connect(self) -> None:
        self.open_button.clicked.connect(self.ask_for_files)
        self.appearance.refused.connect(self.notice.say)
        self._opening.answered.connect(self._opened)
        self._opening.refused.connect(self._refused)
        keys = {
            "Ctrl+Shift+F": self.ask_for_files,
            "Shift+S": self.appearance.cycle_stretch,
            "Shift+Z": self.appearance.use_zscale,
        }
        for key, method in keys.items():
            QShortcut(QKeySequence(key), self).activated.connect(method)

    def _wait_for_files(self) -> None:
        self.open_button.setText("Open FITS images …")
        self.open_button.setEnabled(True)

    def _opened(self, opened: _Opened) -> None:
        self._wait_for_files()
        for prepared in opened.prepared:
            layers.add_prepared(self._viewer, prepared)
        if opened.complaints:
            self._complain("\n".join(opened.complaints))

    def _refused(self, sentence: str) -> None:
        self._wait_for_files()
        self._complain(sentence)

    def _complain(self, sentence: str) -> None:
        self.notice.say(sentence)
        show_error(sentence)


def _prepare(paths: tuple[Path, ...], kind: Kind, canvas: tuple[int, ...]) -> _Opened:
    """Open files and read what will be drawn first; any thread."""
    opened = _Opened([], [])
    for path in paths:
        try:
            prepared = layers.layer_data(open_image(path), kind)
            layers.read_ahead(prepared, canvas)
        except AstroSegError as error:
            opened.complaints.append(str(error))
        else:
            opened.prepared.append(prepared)
    return opened
