"""Selected: layers come and go, and what the user has selected stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def selection_kept(viewer: Any) -> Iterator[None]:
    """Let napari select what is added, and then select again what was; nobody is told of either.

    Who follows the selection would take its return for a choice of the user's.
    """
    selection = viewer.layers.selection
    before = selection.active
    with selection.events.active.blocker():
        try:
            yield
        finally:
            selection.active = before
