"""OwnLayers: the labels layers of marks, which are used again and never removed.

Removing Labels layers is not safe on every OpenGL driver (Mesa's software one crashes when it
paints next), and adding one costs the window half a second. So what is closed is hidden.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.look.looks import give_levels
from napari_astroseg.gui.predicting.drawing import placed_on
from napari_astroseg.gui.selected import selection_kept
from napari_astroseg.sky.window import Window

METADATA = "astroseg_marks"
"""Key in a layer's metadata: `cut-out`, `overview`, or `closed` and one of these."""

_OPACITY = 0.55
_CLOSED = "closed "


def own_layer(
    viewer: Any, base: Any, window: Window, role: str, name: str, data: Any, colours: Any
) -> Any:
    """A visible labels layer on top, over a window of a layer's image; one that was closed, or new.

    Parameters
    ----------
    data
        An array, or a list of levels.
    """
    levels = isinstance(data, list)
    spare = _spare(viewer, role, levels)
    place, full = placed_on(base, window), f"{name} · {base.name}"
    if spare is None:
        with selection_kept(viewer):
            return bare(
                viewer.add_labels(
                    data,
                    multiscale=levels,
                    name=full,
                    opacity=_OPACITY,
                    colormap=colours,
                    metadata={METADATA: role},
                    **place,
                )
            )
    if levels:
        give_levels(spare, data)
    else:
        spare.data = data
    spare.scale, spare.translate = place["scale"], place["translate"]
    spare.affine = place.get("affine", np.eye(3))
    spare.colormap = colours
    spare.name = full
    spare.metadata[METADATA] = role
    spare.editable = not levels
    spare.visible = True
    layers = viewer.layers
    layers.move(layers.index(spare), len(layers))
    return spare


def close_layer(layer: Any) -> None:
    """Hide a layer until it is used again; nobody can draw in it meanwhile."""
    role = layer.metadata[METADATA]
    layer.metadata[METADATA] = f"{_CLOSED}{role}"
    layer.editable = False
    layer.visible = False
    layer.name = f"{role} (closed)"


def is_open(layer: Any) -> bool:
    """Whether a layer shows marks that are open."""
    told = layer.metadata.get(METADATA, "")
    return bool(told) and not told.startswith(_CLOSED)


def _spare(viewer: Any, role: str, levels: bool) -> Any:
    for layer in viewer.layers:
        if layer.metadata.get(METADATA) == f"{_CLOSED}{role}" and layer.multiscale == levels:
            return bare(layer)
    return None
