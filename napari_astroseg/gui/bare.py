"""Bare: layers and viewers without the proxy that napari puts around them."""

from __future__ import annotations

from typing import Any


def bare(layer: Any) -> Any:
    """A layer without the proxy that napari puts around what it hands to plug-ins.

    The proxy would wrap our own objects too: it goes by module names that start with "napari".
    """
    return getattr(layer, "__wrapped__", layer)
