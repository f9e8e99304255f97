"""Seen: what was on screen when a verdict was given, for the log."""

from __future__ import annotations

from typing import Any

from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.layers import sky_image
from napari_astroseg.gui.look.looks import look_of
from napari_astroseg.gui.vetting.rings import METADATA

_MOST_LAYERS = 20


def on_screen(viewer: Any, model: str = "") -> dict[str, Any]:
    """The visible layers with their stretch and limits, the zoom, and the model's digest."""
    layers = [
        _told(layer)
        for layer in reversed(viewer.layers)
        if layer.visible and layer.opacity > 0 and METADATA not in layer.metadata
    ]
    told: dict[str, Any] = {
        "layers": layers[:_MOST_LAYERS],
        "zoom": round(float(camera_of(viewer).zoom), 6),
    }
    return told | ({"model": model} if model else {})


def _told(layer: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"name": str(layer.name)[:200], "opacity": round(layer.opacity, 3)}
    look, image = look_of(layer), sky_image(layer)
    if look is not None and look.limits is not None:
        told |= {"stretch": look.kind, "limits": [look.limits.low, look.limits.high]}
    if image is not None and image.reference is not None:
        told["file"] = str(image.reference.place)[:500]
    return told
