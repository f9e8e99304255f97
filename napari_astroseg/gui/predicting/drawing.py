"""Drawing: the colours of a prediction, and where its layers lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils import Colormap, DirectLabelColormap
from napari.utils.colormaps import ensure_colormap

from napari_astroseg.gui.drawn.units import know_units
from napari_astroseg.sky.window import Window

REGION = "#35f0c8"


def placed_on(base: Any, window: Window) -> dict[str, Any]:
    """Where a window of a layer's data lies, in the words of a new layer."""
    scale = np.asarray(base.scale)[-2:]
    corner = np.asarray(base.translate)[-2:] + scale * (window.y, window.x)
    place: dict[str, Any] = {"scale": scale, "translate": corner}
    if base.ndim == 2:
        place |= {"affine": base.affine, "units": base.units, "axis_labels": base.axis_labels}
    return place


def shading() -> Colormap:
    """Inferno whose lower end fades out, so that the sky shows through."""
    at = np.linspace(0.0, 1.0, 256)
    colours = np.array(ensure_colormap("inferno").map(0.25 + 0.55 * at))
    colours[:, 3] = np.clip((at - 0.1) / 0.6, 0.0, 1.0) * 0.6
    return Colormap(colours, name="astroseg probability")


def shading_in(colour: str) -> Colormap:
    """One colour that fades in from nothing, so that the sky shows through."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    at = np.linspace(0.0, 1.0, 256)
    colours = np.tile((red, green, blue, 0.0), (256, 1))
    colours[:, 3] = np.clip((at - 0.02) / 0.6, 0.0, 1.0) * 0.85
    return Colormap(colours, name=f"astroseg {colour}")


def one_colour() -> DirectLabelColormap:
    """Every label in the regions' colour."""
    return DirectLabelColormap(color_dict={None: REGION, 0: "transparent"}, name="astroseg region")


def mask_colour() -> Colormap:
    """Nothing below the contrast limits, the regions' colour above."""
    return Colormap([[0, 0, 0, 0], REGION], name="astroseg region mask")


def compile_ahead() -> None:
    """Have napari compile what draws labels; any thread, once, before anyone waits for it.

    Its first Labels layer costs two seconds of just-in-time compilation: on the window's
    thread that would be a frozen window at the first click.
    """
    know_units()
    layer = Labels(np.eye(8, dtype=np.int32), colormap=one_colour())
    layer.contour = 1
