"""GoTo: centre the picture at coordinates or at an object, and take positions along."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from astropy.coordinates import SkyCoord
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QCompleter,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
)

from napari_astroseg.errors import AstroSegError, PlaceError
from napari_astroseg.gui.aids.canvas import canvas_near
from napari_astroseg.gui.aids.crosshair import Crosshair
from napari_astroseg.gui.aids.listed import listed, read_pixel
from napari_astroseg.gui.aids.resolver import Resolver
from napari_astroseg.gui.aids.view import camera_of, layer_in_view, view_of
from napari_astroseg.gui.aids.written import position_under_cursor, written
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.layers import sky_image
from napari_astroseg.sky.coords import names, sesame
from napari_astroseg.sky.coords.position import read_position
from napari_astroseg.sky.image import SkyImage

_MOST_BACK = 50
_TIP = (
    "Coordinates as you write them: 10.68 41.27 (ICRS, degrees), 05:35:17 -05:23:28, "
    "l=30 b=0.1, G030.0+0.1, J053517-052328, x=100 y=200.\n"
    "Or a name: M 17, Orion Nebula, W43. Names that are not at hand are asked of the Sesame "
    "service when you press Enter.\nCtrl+L comes here, Alt+Left goes back, "
    "Ctrl+Alt+C copies the position under the cursor"
)


class GoTo(QGroupBox):
    """A line for coordinates and names; the selected (or topmost) sky image goes there.

    Parameters
    ----------
    viewer
        Whose camera is moved.
    """

    went = Signal(float, float)

    def __init__(self, viewer: Any) -> None:
        super().__init__("Go to")
        self._viewer = viewer
        self._before: list[tuple[float, ...]] = []
        self._crosshair: Crosshair | None = None
        self._resolver = Resolver(self)
        self._resolver.found.connect(self._found)
        self._resolver.failed.connect(self._say)
        self._build()

    @property
    def keys(self) -> dict[str, tuple[str, Callable[[], None]]]:
        """Keys, for the window to bind, and what each does, in words and as a function."""
        return {
            "Ctrl+L": ("go to a place or an object", self.focus_line),
            "Alt+Left": ("back to where the picture was", self.back),
            "Ctrl+Alt+C": ("copy the position under the cursor", self.copy_position),
        }

    @property
    def asking(self) -> bool:
        """Whether the name service is being asked."""
        return self._resolver.asking

    def go(self, text: str) -> None:
        """Go to coordinates or to an object; a sentence where that cannot be."""
        self._resolver.cancel()
        self._show_asking("")
        try:
            self._go(" ".join(text.split()))
        except AstroSegError as error:
            self._say(str(error))

    def back(self) -> None:
        """Return to where the picture was before the last go-to."""
        if self._before:
            camera_of(self._viewer).center = self._before.pop()
        self.back_button.setEnabled(bool(self._before))

    def cancel(self) -> None:
        """Ask the name service no more."""
        if self._resolver.asking:
            self._resolver.cancel()
            self._show_asking("")
            self._say("")

    def focus_line(self) -> None:
        """Put the keyboard into the line, ready to be written over."""
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()

    def copy_position(self) -> None:
        """Copy the position under the cursor, as this line can read it again."""
        text = position_under_cursor(self._viewer)
        if text:
            QGuiApplication.clipboard().setText(text)
            self._viewer.status = f"copied: {text}"

    def shut_down(self) -> None:
        """Ask and show no more: the dock has been closed."""
        self._resolver.cancel()
        self._end_crosshair()

    def _build(self) -> None:
        self.line = QLineEdit()
        self.line.setPlaceholderText("coordinates or a name")
        self.line.setClearButtonEnabled(True)
        self.line.setToolTip(_TIP)
        self.line.returnPressed.connect(lambda: self.go(self.line.text()))
        completer = QCompleter([name for each in names.famous() for name in each.names], self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.InlineCompletion)
        self.line.setCompleter(completer)
        self.back_button, self.stop_button = QToolButton(), QToolButton()
        self.back_button.setText("←")
        self.back_button.setToolTip("Back to where you were (Alt+Left)")
        self.back_button.setEnabled(False)
        self.back_button.clicked.connect(self.back)
        self.stop_button.setText("✕")
        self.stop_button.setToolTip("Stop asking")
        self.stop_button.clicked.connect(self.cancel)
        self.stop_button.hide()
        self.told: QLabel = words()
        self.told.hide()
        row = QHBoxLayout()
        for part in (self.line, self.stop_button, self.back_button):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.told)

    def _go(self, text: str) -> None:
        layer = layer_in_view(self._viewer)
        image = sky_image(layer)
        if not text:
            return
        if image is None:
            raise PlaceError("there is no sky image to go to a place on; open one first")
        pixel = read_pixel(text)
        if pixel is None:
            pixel = listed(self._viewer, layer, text)
        if pixel is not None:
            self._show(layer, image, *pixel, text)
            return
        position = read_position(text)
        if position is None:
            famous = names.find(text)
            position = sesame.remembered(text) if famous is None else famous.position
        if position is not None:
            self._found(text, position)
            return
        if image.wcs is None:
            raise _no_sky(image)
        self._resolver.ask(text)
        self._show_asking(f"Asking the Sesame name service for {text} …")

    def _found(self, text: str, position: SkyCoord) -> None:
        self._show_asking("")
        layer = layer_in_view(self._viewer)
        image = sky_image(layer)
        try:
            if image is None:
                raise PlaceError("there is no sky image to go to a place on; open one first")
            if image.wcs is None:
                raise _no_sky(image)
            x, y = (float(each) for each in image.pixel(position))
            self._show(layer, image, x, y, text)
            self._say(f"{text}: {written(position.icrs, image)}")
        except AstroSegError as error:
            self._say(str(error))

    def _show(self, layer: Any, image: SkyImage, x: float, y: float, text: str) -> None:
        """Centre a pixel position of a layer."""
        height, width = image.shape
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise PlaceError(f"{text} is outside {image.name}; {_whereabouts(image)}")
        camera = camera_of(self._viewer)
        self._before = [*self._before, tuple(camera.center)][-_MOST_BACK:]
        self.back_button.setEnabled(True)
        row, column = layer.data_to_world([*([0.0] * (layer.ndim - 2)), y, x])[-2:]
        camera.center = (*camera.center[:-2], float(row), float(column))
        self._say("")
        self._end_crosshair()
        canvas = canvas_near(self)
        if canvas is not None and view_of(self._viewer, canvas.width(), canvas.height()):
            self._crosshair = Crosshair(self._viewer, canvas, x, y)
            self._crosshair.destroyed.connect(self._forget_crosshair)
        self.went.emit(x, y)

    def _say(self, sentence: str) -> None:
        self.stop_button.hide()
        self.told.setText(sentence)
        self.told.setVisible(bool(sentence))

    def _show_asking(self, sentence: str) -> None:
        self._say(sentence)
        self.stop_button.setVisible(bool(sentence))

    def _end_crosshair(self) -> None:
        crosshair, self._crosshair = self._crosshair, None
        if crosshair is not None:
            crosshair.destroyed.disconnect(self._forget_crosshair)
            crosshair.end()

    def _forget_crosshair(self) -> None:
        self._crosshair = None


def _no_sky(image: SkyImage) -> PlaceError:
    return PlaceError(
        f"{image.name} has no sky coordinates; give a pixel such as x=100 y=200, or select "
        "another image"
    )


def _whereabouts(image: SkyImage) -> str:
    """What to do about a place outside an image."""
    height, width = image.shape
    if image.wcs is not None:
        middle = image.sky((width - 1) / 2, (height - 1) / 2)
        if math.isfinite(middle.spherical.lon.deg):
            return f"give a place inside it: it is centred at {written(middle.icrs, image)}"
    return f"give a place inside it: it has {width} × {height} pixels"
