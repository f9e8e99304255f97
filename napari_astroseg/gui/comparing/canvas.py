"""Canvas: napari's own, for what its layers cannot say. It has no public name yet.

Everything here gives None where a napari to come keeps its canvas elsewhere; what needs it is
then not offered.
"""

from __future__ import annotations

from typing import Any

from napari_astroseg.gui.bare import bare

NO_CANVAS = "This napari keeps its canvas where it cannot be reached; use blink or fade instead"


def napari_canvas(viewer: Any) -> Any:
    """What draws a viewer's layers; None without a window."""
    window = getattr(bare(viewer), "window", None)
    canvas = getattr(getattr(window, "_qt_viewer", None), "canvas", None)
    whole = all(hasattr(canvas, name) for name in ("native", "layer_to_visual", "view", "events"))
    return canvas if whole else None


def node_of(canvas: Any, layer: Any) -> Any:
    """What is drawn for a layer now; None when it is not drawn."""
    visual = canvas.layer_to_visual.get(bare(layer))
    return getattr(visual, "node", None)
