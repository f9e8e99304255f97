"""Guide: goes from one step of the tour to the next, when it is done or Next is pressed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QRect, Qt, QTimer, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QApplication, QDockWidget, QScrollArea, QShortcut, QWidget

from napari_astroseg.gui.keys import announce
from napari_astroseg.gui.tour.card import Card
from napari_astroseg.gui.tour.ring import Ring
from napari_astroseg.gui.tour.step import Scene, Step
from napari_astroseg.gui.tour.steps import STEPS

LOOK_MS = 200
"""Steps are looked at so often: docks need not know of the tour, and nothing is left in them."""
REST_LOOKS = 8
"""How often what was done must look the same before the tour goes on: it is to be seen."""
_LAST_TITLE = "That was the tour"
_LAST_WORDS = (
    "All that was opened and found stays as it is. Your own maps: drop FITS files on the window. "
    "<b>?</b> shows all keys; <i>Help → Take the tour</i> begins again."
)


class Guide(QObject):
    """One tour, from `start` to `end`.

    Parameters
    ----------
    scene
        Where it goes.
    bring
        Brings the dock of a name to the front.
    """

    ended = Signal()

    def __init__(self, scene: Scene, bring: Callable[[str], Any]) -> None:
        super().__init__(scene.window)
        self._scene, self._bring = scene, bring
        self.steps = [kind(scene) for kind in STEPS]
        self.at = -1
        self.card, self._ring = Card(scene.window), Ring(scene.window)
        self._pointed: QWidget | None = None
        self._before: Hashable = None
        self._latest: Hashable = None
        self._same, self._acting, self._begun = 0, False, ""
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), scene.window)
        self._escape.activated.connect(self.end)
        announce(self.card, "Tour", (("Escape", "end the tour"),))
        self.card.back_wanted.connect(self.back)
        self.card.next_wanted.connect(self.next)
        self.card.end_wanted.connect(self.end)
        scene.sky.refused.connect(self._refused)
        scene.window.installEventFilter(self)

    @property
    def step(self) -> Step | None:
        """Where it is; None before the first step, and after the last."""
        return self.steps[self.at] if 0 <= self.at < len(self.steps) else None

    def start(self) -> None:
        """Begin with the first step."""
        self._go(0)
        self._timer.start()

    def back(self) -> None:
        """Go to the step before."""
        if self.at > 0:
            self._go(self.at - 1)

    def next(self) -> None:
        """Go on; what has not been done yet is done before."""
        step = self.step
        if step is None or self._acting:
            return
        if step.there and not step.busy:
            self._go(self.at + 1, step.outcome)
            return
        self._acting, self._begun = True, ""
        self.card.say(step.doing)
        self._act(step)

    def end(self) -> None:
        """Take the card away; all else stays."""
        self._timer.stop()
        self._scene.window.removeEventFilter(self)
        self._leave()
        self.at = -1
        self._scene.sky.close()
        for mine in (self.card, self._ring, self._escape):
            mine.setParent(None)
            mine.deleteLater()
        self.ended.emit()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """End before the window closes, and before what is open is kept a last time."""
        if watched is self._scene.window and event.type() == QEvent.Type.Close:
            self.end()
        return False

    def look(self) -> None:
        """See how the step stands, and go on when it is done and comes to rest."""
        step = self.step
        predicting = self._scene.docks.made().get("Predict")
        self._escape.setEnabled(predicting is None or not predicting.predictions.busy)
        self._point()
        if step is None:
            return
        self.card.tell(step.words)
        now = step.now
        if now is None or now == self._before:
            self._same = 0
            if self._acting and not step.busy:
                self._act(step)
            return
        self.card.say(f"✓ {step.outcome}")
        pressed = QApplication.mouseButtons() != Qt.MouseButton.NoButton
        still = now == self._latest and not step.busy and not pressed
        self._same, self._latest = self._same + 1 if still else 0, now
        if self._same >= REST_LOOKS:
            self._go(self.at + 1, step.outcome)

    def _act(self, step: Step) -> None:
        """Do the next part of the step; the same twice is none."""
        begun = step.act()
        if begun == self._begun:
            self._acting = False
            self.card.say(step.failed)
        self._begun = begun

    def _refused(self, sentence: str) -> None:
        self._acting = False
        self.card.say(sentence)

    def _go(self, at: int, outcome: str = "") -> None:
        self._leave()
        self.at, self._acting, self._same = at, False, 0
        step = self.step
        title, words = _LAST_TITLE, _LAST_WORDS
        if step is not None:
            self._bring(step.dock)
            step.begin()
            self._before = self._latest = step.now
            title, words = step.title, step.words
        self.card.say(f"✓ {outcome}" if outcome else "")
        self.card.show_step(title, words, at + 1, len(self.steps))
        self._point()

    def _leave(self) -> None:
        self._pointed = None
        if self.step is not None:
            self.step.end()

    def _point(self) -> None:
        """Have the card and the ring where the control is now."""
        step, window = self.step, self._scene.window
        control = None if step is None else step.control
        if control is not None and control is not self._pointed:
            self._pointed = control
            _scroll_to(control)
        shown = None if control is None else _shown(control, window)
        name = "Predict" if step is None else step.dock
        self._ring.lie_round(shown)
        self.card.lie_beside(_shown_dock(self._scene.docks[name], window), shown)


def _shown(control: QWidget, window: QWidget) -> QRect | None:
    """What can be seen of a control, in the window's pixels; None where nothing can."""
    seen = control.visibleRegion().boundingRect()
    if seen.isEmpty() or control.window() is not window:
        return None
    return seen.translated(control.mapTo(window, seen.topLeft()) - seen.topLeft())


def _shown_dock(dock: QWidget, window: QWidget) -> QRect:
    """Where a dock is in the window; its right edge where it floats."""
    frame: QWidget | None = dock
    while frame is not None and not isinstance(frame, QDockWidget):
        frame = frame.parentWidget()
    if frame is None or frame.window() is not window:
        return QRect(window.width(), 0, 0, window.height())
    return frame.geometry()


def _scroll_to(control: QWidget) -> None:
    """Scroll a control into sight."""
    around = control.parentWidget()
    while around is not None:
        if isinstance(around, QScrollArea):
            around.ensureWidgetVisible(control)
        around = around.parentWidget()
