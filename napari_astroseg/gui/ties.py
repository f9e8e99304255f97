"""Ties: connections from a viewer's events to a widget, which end when the widget does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QObject


class Ties:
    """What a widget listens to.

    napari's emitters outlive a dock and would call into a deleted widget; these do not.

    Parameters
    ----------
    owner
        The widget; its end unties everything.
    """

    def __init__(self, owner: QObject) -> None:
        self._pairs: list[tuple[Any, Callable[..., Any]]] = []
        owner.destroyed.connect(self.untie)

    def tie(self, emitter: Any, callback: Callable[..., Any]) -> None:
        """Call `callback` at each event of `emitter`."""
        emitter.connect(callback)
        self._pairs.append((emitter, callback))

    def untie(self) -> None:
        """Listen no more."""
        for emitter, callback in self._pairs:
            with suppress(ValueError, RuntimeError):  # the emitter forgot us first
                emitter.disconnect(callback)
        self._pairs.clear()
