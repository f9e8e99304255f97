"""Story: the real window driven as people drive it, by mouse and keys, and photographed.

A story knows controls, not what lies behind them: what is pressed must be in sight and enabled,
what is chosen is chosen by keys, dialogs are answered while they are open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import spin
from PIL import Image
from qtpy.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QMainWindow,
    QMenu,
    QMessageBox,
    QScrollArea,
    QTabBar,
    QWidget,
)

from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.view import view_of
from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.later import dock_of
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.sessions.menu import ProjectMenu
from napari_astroseg.gui.welcome.page import WelcomePage
from napari_astroseg.gui.workspace import open_window

SIZE = 1400, 900
_LEFT = Qt.MouseButton.LeftButton
_NONE = Qt.KeyboardModifier.NoModifier


class Story:
    """One window at a time, and the folder where its pictures go.

    Parameters
    ----------
    folder
        Of the pictures: `01-word.png`, `02-word.png` and so on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.viewer: Any = None
        self._shots = 0
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.png"):
            old.unlink()

    # The window

    def open(self, places: Sequence[Path] = ()) -> None:
        """Open the window, with images in it or empty, and wait until all its docks are there."""
        ready: list[bool] = []
        self.viewer = open_window(places, then=lambda: ready.append(True))
        self.viewer.window.resize(*SIZE)
        self.wait(lambda: bool(ready) and not self.dock("Open").busy, "the window")

    def close(self) -> None:
        """Close the window."""
        self.viewer.close()
        self.viewer = None
        spin(lambda: False, 0.05)

    @property
    def window(self) -> QMainWindow:
        """The main window."""
        return self.viewer.window._qt_window

    @property
    def canvas(self) -> QWidget:
        """What the sky is drawn on."""
        return self.viewer.window._qt_viewer.canvas.native

    @property
    def menu(self) -> ProjectMenu:
        """The menu of projects, and the bar that tells what became of it."""
        return self.window.findChild(ProjectMenu)

    @property
    def welcome(self) -> WelcomePage:
        """What an empty window offers."""
        return self.window.findChild(WelcomePage)

    def dock(self, name: str) -> Any:
        """One of our docks."""
        return dock_of(self.viewer.window.dock_widgets[name])

    def turn_to(self, name: str) -> Any:
        """Bring a dock to the front by its tab; gives the dock."""
        for bar in self.window.findChildren(QTabBar):
            for at in range(bar.count()):
                if bar.tabText(at) == name and bar.isVisible():
                    self.click_tab(bar, name)
                    dock = self.dock(name)
                    self.wait(dock.isVisible, f"the dock {name}")
                    return dock
        raise AssertionError(f"there is no tab {name}")

    def click_tab(self, bar: QTabBar, name: str) -> None:
        """Click a tab by its name."""
        at = next(at for at in range(bar.count()) if bar.tabText(at) == name)
        place = bar.tabRect(at).intersected(bar.rect())
        assert not place.isEmpty(), f"the tab {name} is out of sight"
        QTest.mouseClick(bar, _LEFT, _NONE, place.center())

    def layers(self, role: str) -> list[Any]:
        """The layers of predictions that have this role: probability, regions …"""
        named = ((each.metadata.get(METADATA, {}).get("role"), each) for each in self.viewer.layers)
        return [each for name, each in named if name == role]

    def predicted(self) -> Any:
        """What Predict has found, once it is there."""
        dock = self.dock("Predict")
        self.wait(lambda: not dock.predictions.busy, "a prediction")
        current = dock.predictions.current
        assert current is not None, dock.progress.words.text()
        self.wait(lambda: current.settled, "its regions")
        return current

    # Mouse and keys

    def press(self, button: Any, *, dialog: Callable[[Any], None] | None = None) -> None:
        """Click a button; where it opens a dialog that has to be answered first, answer it."""
        place = self.see(button)
        if isinstance(button, QCheckBox):
            place = QPoint(place.left() + 8, place.center().y())
        else:
            place = place.center()
        self._while_asked(dialog, lambda: QTest.mouseClick(button, _LEFT, _NONE, place))

    def tick(self, box: Any, on: bool = True) -> None:
        """Set a tick, or take it away."""
        if box.isChecked() != on:
            self.press(box)
        assert box.isChecked() == on

    def unfold(self, dock: QWidget, title: str) -> None:
        """Click a heading of a dock, so that what lies below it is shown."""
        heading = next(each for each in dock.findChildren(Fold) if each.title == title)
        if not heading.opened:
            self.press(heading.heading)
        assert heading.opened

    def type(self, field: Any, text: str) -> None:
        """Write into a line or a box of numbers, in place of what is there, and leave it by Tab."""
        line = field if isinstance(field, QLineEdit) else field.findChild(QLineEdit)
        QTest.mouseClick(line, _LEFT, _NONE, self.see(line).center())
        QTest.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(line, text)
        QTest.keyClick(line, Qt.Key.Key_Tab)

    def choose(self, box: Any, text: str) -> None:
        """Go to an entry of a list, or of the list in a control, by the arrow keys."""
        box = box if isinstance(box, QComboBox) else box.findChild(QComboBox)
        self.see(box)
        at = box.findText(text)
        assert at >= 0, f"{text} is none of {[box.itemText(n) for n in range(box.count())]}"
        box.setFocus(Qt.FocusReason.TabFocusReason)
        while box.currentIndex() != at:
            before = box.currentIndex()
            QTest.keyClick(box, Qt.Key.Key_Down if before < at else Qt.Key.Key_Up)
            assert box.currentIndex() != before, f"{text} cannot be reached by keys"

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = _NONE) -> None:
        """Press a key over the sky."""
        self.canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        QTest.keyClick(self.canvas, key, modifier)

    def click_sky(self, x: float, y: float) -> None:
        """Click a pixel of the image in view, where it is drawn on the canvas."""
        view = view_of(self.viewer, self.canvas.width(), self.canvas.height())
        assert view is not None, "no image is in view"
        across, down = (round(float(each)) for each in view.to_canvas((x, y)))
        place = QPoint(across, down)
        assert self.canvas.rect().contains(place), f"pixel {x}, {y} is out of view"
        QTest.mouseMove(self.canvas, place)
        QTest.mouseClick(self.canvas, _LEFT, _NONE, place)

    def drop(self, *paths: Path) -> None:
        """Let files go over the middle of the window."""
        place = self.canvas.mapTo(self.window, self.canvas.rect().center())
        target: Any = self.window.childAt(place)
        while not target.acceptDrops():
            target = target.parentWidget()
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        copy, middle = Qt.DropAction.CopyAction, target.rect().center()
        entering = QDragEnterEvent(middle, copy, data, _LEFT, _NONE)
        QApplication.sendEvent(target, entering)
        assert entering.isAccepted(), f"{[path.name for path in paths]} cannot be dropped"
        dropping = QDropEvent(QPointF(middle), copy, data, _LEFT, _NONE)
        QApplication.sendEvent(target, dropping)
        assert dropping.isAccepted()

    def choose_action(
        self, menu: QMenu, text: str, *, dialog: Callable[[Any], None] | None = None
    ) -> None:
        """Open a menu of the menu bar by a click, and click one of its entries."""
        bar = self.window.menuBar()
        heading = next(each for each in bar.actions() if each.menu() is menu)
        QTest.mouseClick(bar, _LEFT, _NONE, bar.actionGeometry(heading).center())
        self.wait(menu.isVisible, "the menu")
        entry = next(each for each in menu.actions() if each.text().replace("&", "") == text)
        assert entry.isEnabled(), entry.toolTip()
        place = menu.actionGeometry(entry).center()
        self._while_asked(dialog, lambda: QTest.mouseClick(menu, _LEFT, _NONE, place))

    def file(self, path: Path) -> Callable[[Any], None]:
        """What is said to a dialog that asks for a file: this one."""

        def answer(dialog: Any) -> None:
            assert isinstance(dialog, QFileDialog), dialog
            dialog.selectFile(str(path))  # keys set off Qt's own guesses at names
            accept(dialog)

        return answer

    # What is seen

    def wait(self, until: Callable[[], Any], what: str = "it") -> None:
        """Let the window live until something holds; if it never does, there is a picture of it."""
        if not spin(until):
            if self.viewer is not None:
                self.shot("stuck")
            pytest.fail(f"{what} has not come; see {self.folder}")

    def shot(self, name: str, widget: QWidget | None = None) -> Path:
        """A picture of the window, or of one dialog, as it is now."""
        self._shots += 1
        path = self.folder / f"{self._shots:02d}-{name}.png"
        if widget is not None:
            assert widget.grab().save(str(path))
            return path
        spin(lambda: False, 0.15)  # what is drawn when the window has settled
        pixels = self.viewer.screenshot(canvas_only=False, flash=False)
        Image.fromarray(np.ascontiguousarray(pixels)[..., :3]).save(path)
        return path

    def see(self, widget: Any) -> QRect:
        """Where a control can be clicked, scrolled to if need be; it has to be enabled."""
        assert widget.isEnabled(), f"it cannot be used: {widget.toolTip()}"

        def seen() -> QRect:
            parent = widget.parentWidget()
            while parent is not None:
                if isinstance(parent, QScrollArea):
                    parent.ensureWidgetVisible(widget)
                parent = parent.parentWidget()
            QApplication.processEvents()
            return widget.visibleRegion().boundingRect()

        # What has just been unfolded has no place yet.
        there = spin(lambda: not seen().isEmpty(), 5.0)
        assert there, f"it is out of sight: {widget.toolTip() or widget}"
        return seen()

    def _while_asked(self, answer: Callable[[Any], None] | None, act: Callable[[], None]) -> None:
        """Do what opens a dialog and comes back only when that is answered."""
        if answer is None:
            act()
            return
        trouble: list[BaseException] = []
        answered: list[bool] = []
        timer = QTimer()

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if dialog is None:
                return
            timer.stop()
            try:
                if isinstance(dialog, QMessageBox):
                    raise AssertionError(dialog.text())
                answer(dialog)
                answered.append(True)
            except BaseException as error:
                trouble.append(error)
            if isinstance(dialog, QDialog) and dialog.isVisible():
                trouble.append(AssertionError(f"{dialog.windowTitle()} is still open"))
                dialog.grab().save(str(self.folder / "stuck.png"))
                dialog.reject()

        timer.timeout.connect(look)
        timer.start(20)
        act()
        if not trouble:
            self.wait(lambda: answered or trouble, "the dialog")
        timer.stop()
        if trouble:
            raise trouble[0]


def accept(dialog: QDialog) -> None:
    """Click OK, Open or Save of a dialog."""
    box = dialog.findChild(QDialogButtonBox)
    role = QDialogButtonBox.ButtonRole.AcceptRole
    (button,) = [each for each in box.buttons() if box.buttonRole(each) == role]
    assert button.isEnabled(), f"{button.text()} cannot be pressed"
    QTest.mouseClick(button, _LEFT)


def names(viewer: Any) -> list[str]:
    """Of the images in the layer list."""
    return [each.name for each in viewer.layers if layers.sky_image(each) is not None]
