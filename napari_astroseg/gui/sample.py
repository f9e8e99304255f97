"""Sample: a simulated tile of the Galactic plane with its truth and its mid-infrared view."""

from __future__ import annotations

from typing import Any

import napari
from napari.utils import DirectLabelColormap

from napari_astroseg.gui.layers import LayerData, layer_data, settle
from napari_astroseg.sky.image import SkyImage

SIZE = 768
SEED = 3

_TRUTH = {None: "transparent", 0: "transparent", 1: "#ffb000"}


def galactic_plane() -> list[LayerData]:
    """Column density, the true filament regions over it, and the hidden mid-infrared view."""
    from napari_astroseg.sky.simulate import simulate_filaments

    sky = simulate_filaments(size=SIZE, seed=SEED)
    density = SkyImage.from_array(sky.image, sky.wcs, "cm-2", "simulated N(H2)")
    infrared = SkyImage.from_array(sky.infrared, sky.wcs, "MJy/sr", "simulated mid-infrared")
    truth: dict[str, Any] = {
        "name": "true filament regions",
        "colormap": DirectLabelColormap(color_dict=_TRUTH),
        "opacity": 0.35,
    }
    viewer = napari.current_viewer()
    if viewer is not None:
        settle(viewer)
    hidden_data, hidden, kind = layer_data(infrared)
    return [
        (hidden_data, {**hidden, "visible": False}, kind),
        layer_data(density),
        (sky.target, truth, "labels"),
    ]
