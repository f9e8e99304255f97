"""Fade: one layer that turns into another, as far as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_astroseg.gui.comparing.stage import Stage


class Fade(QObject):
    """Two layers mixed by hand.

    Parameters
    ----------
    stage
        Where they are shown.
    """

    changed = Signal()

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        self._on, self._share = False, 0.5
        stage.left.connect(self._left)

    @property
    def on(self) -> bool:
        """Whether layers are mixed."""
        return self._on

    @property
    def share(self) -> float:
        """How much is seen of the second layer, 0 to 1."""
        return self._share

    def start(self, layers: Sequence[Any]) -> None:
        """Mix two layers."""
        self._stage.enter(layers)
        self._on = True
        self._stage.mix(self._share)
        self.changed.emit()

    def set_share(self, share: float) -> None:
        """Let so much of the second layer be seen, 0 to 1."""
        self._share = min(max(share, 0.0), 1.0)
        if self._on:
            self._stage.mix(self._share)

    def stop(self) -> None:
        """Off; everything as it was before."""
        if self._on:
            self._stage.leave()

    def _left(self) -> None:
        was, self._on = self._on, False
        if was:
            self.changed.emit()
