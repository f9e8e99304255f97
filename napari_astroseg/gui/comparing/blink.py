"""Blink: one layer after the other in the same place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QObject, Qt, QTimer, Signal

from napari_astroseg.gui.comparing.stage import Stage

SLOWEST_HZ, FASTEST_HZ = 0.5, 10.0


class Blink(QObject):
    """Layers that take turns by themselves, by steps, or while a key is held.

    Parameters
    ----------
    stage
        Where they are shown.
    in_sight
        Whether anybody can see the canvas; nothing moves while nobody can.
    """

    changed = Signal()

    def __init__(self, stage: Stage, in_sight: Callable[[], bool]) -> None:
        super().__init__(stage)
        self._stage, self._in_sight = stage, in_sight
        self._shown = 0
        self._on = self._held = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self.set_rate(2.0)
        stage.left.connect(self._left)

    @property
    def on(self) -> bool:
        """Whether layers take turns, or wait for the next step."""
        return self._on

    @property
    def running(self) -> bool:
        """Whether they take turns by themselves."""
        return self._timer.isActive()

    @property
    def shown(self) -> Any:
        """The layer that is seen now; None when it is off."""
        there = self._stage.layers if self._on or self._held else ()
        return there[self._shown % len(there)] if there else None

    def set_rate(self, hertz: float) -> None:
        """Change so many times a second, 0.5 to 10."""
        self._timer.setInterval(round(1e3 / min(max(hertz, SLOWEST_HZ), FASTEST_HZ)))

    def start(self, layers: Sequence[Any]) -> None:
        """Let layers take turns, the first one first."""
        self._enter(layers, 0)
        self._timer.start()

    def step(self, layers: Sequence[Any]) -> None:
        """Show the next one, and wait."""
        self._timer.stop()
        if self._on:
            self._turn(self._shown + 1)
        else:
            self._enter(layers, self._stage.hidden(layers))

    def hold(self, layers: Sequence[Any]) -> None:
        """Show another than the one that is seen, until `release`."""
        if self._held:
            return
        if self._on:
            self._held = True
            self._turn(self._shown + 1)
        elif not self._stage.layers:  # somebody else is on: there is nothing else to see
            hidden = self._stage.hidden(layers)
            self._stage.enter(layers)
            self._held = True
            self._turn(hidden)

    def release(self) -> None:
        """Show again what was seen before."""
        if self._held:
            self._held = False
            if self._on:
                self._turn(self._shown - 1)
            else:
                self._stage.leave()

    def stop(self) -> None:
        """Off; everything as it was before."""
        if self._on or self._held:
            self._stage.leave()

    def _enter(self, layers: Sequence[Any], shown: int) -> None:
        self._stage.enter(layers)
        self._on = True
        self._turn(shown)
        self.changed.emit()

    def _tick(self) -> None:
        if self._in_sight() and not self._held:
            self._turn(self._shown + 1)

    def _turn(self, shown: int) -> None:
        self._shown = shown % len(self._stage.layers)
        self._stage.show_only(self._stage.layers[self._shown])

    def _left(self) -> None:
        self._timer.stop()
        was, self._on, self._held = self._on, False, False
        if was:
            self.changed.emit()
