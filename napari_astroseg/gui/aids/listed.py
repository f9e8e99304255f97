"""Listed: places that the viewer's own layers name, and plain pixels."""

from __future__ import annotations

import re
from typing import Any

from napari.layers import Points

from napari_astroseg.sky.coords.names import key

_NAME_COLUMNS = ("name", "id", "designation", "source", "object", "main_id")
_PIXEL = re.compile(r"x\s*[=:]?\s*(-?\d+\.?\d*)[\s,;]+y\s*[=:]?\s*(-?\d+\.?\d*)", re.I)


def read_pixel(text: str) -> tuple[float, float] | None:
    """The 0-based pixel position that `x=100 y=200` names; None for other words."""
    named = _PIXEL.fullmatch(text.strip())
    return (float(named[1]), float(named[2])) if named else None


def listed(viewer: Any, layer: Any, name: str) -> tuple[float, float] | None:
    """Where a visible layer of points has an object of that name, in pixels of `layer`.

    Looked into are the points' features with a name as catalogues give it: name, id,
    designation, source, object, main_id.
    """
    wanted = key(name)
    for points in reversed(viewer.layers):
        if not isinstance(points, Points) or not points.visible:
            continue
        for column in points.features.columns:
            if str(column).lower() not in _NAME_COLUMNS:
                continue
            for row, text in enumerate(points.features[column].astype(str)):
                if key(text) == wanted:
                    world = points.data_to_world(points.data[row])
                    y, x = layer.world_to_data(world[-layer.ndim :])[-2:]
                    return float(x), float(y)
    return None
