"""Whole: the camera where all of one layer is in view."""

from __future__ import annotations

from typing import Any

import numpy as np

_ROOM = 0.9
"""Share of the canvas that a layer takes."""


def show_whole(viewer: Any, layer: Any) -> None:
    """Bring all of a layer into view; napari's own way looks at what is hidden, too."""
    camera = getattr(viewer, "scene", viewer).camera
    low, high = np.asarray(layer.extent.world)[:, -2:]
    canvas = np.asarray(getattr(getattr(viewer, "canvas", None), "size", (600, 600)))
    camera.center = (*camera.center[:-2], *((low + high) / 2))
    camera.zoom = float(_ROOM * np.min(canvas / np.maximum(high - low, 1.0)))
