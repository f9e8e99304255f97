"""View: which part of which sky image a canvas shows, and where on the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from qtpy.QtGui import QTransform

from napari_astroseg.gui.layers import sky_image
from napari_astroseg.sky.coords.graticule import Extent
from napari_astroseg.sky.coords.orientation import Floats
from napari_astroseg.sky.image import SkyImage


@dataclass(frozen=True, eq=False)
class View:
    """A sky image on a canvas.

    Parameters
    ----------
    layer, image
        What is shown.
    width, height
        Of the canvas, in Qt's device-independent pixels, as are all its positions.
    linear, offset
        Where image pixels lie: canvas = linear @ (x, y) + offset.
    """

    layer: Any
    image: SkyImage
    width: float
    height: float
    linear: Floats
    offset: Floats

    def to_canvas(self, pixels: ArrayLike) -> Floats:
        """Canvas positions, shape (…, 2), of 0-based pixel positions x, y."""
        return np.asarray(pixels, float) @ self.linear.T + self.offset

    def to_pixels(self, positions: ArrayLike) -> Floats:
        """Pixel positions of canvas positions."""
        return (np.asarray(positions, float) - self.offset) @ np.linalg.inv(self.linear).T

    @property
    def centre(self) -> tuple[float, float]:
        """The pixel position at the middle of the canvas."""
        x, y = self.to_pixels((self.width / 2, self.height / 2))
        return float(x), float(y)

    @property
    def zoom(self) -> float:
        """Canvas pixels per image pixel."""
        return float(np.sqrt(abs(np.linalg.det(self.linear))))

    @property
    def transform(self) -> QTransform:
        """From image pixels to the canvas, for a painter."""
        (a, b), (c, d) = self.linear
        return QTransform(a, c, b, d, *self.offset)

    def extent(self, margin: float = 0.0) -> Extent:
        """The pixels in view, and beyond them `margin` times the canvas on each side."""
        x, y = margin * self.width, margin * self.height
        corners = [(-x, -y), (self.width + x, -y), (-x, self.height + y)]
        corners.append((self.width + x, self.height + y))
        pixels = self.to_pixels(corners)
        return (*pixels.min(axis=0).tolist(), *pixels.max(axis=0).tolist())


def view_of(viewer: Any, width: float, height: float) -> View | None:
    """What a canvas of that size shows of the selected, or else the topmost visible, sky image.

    None without one, in three dimensions, with turned axes, and for a grid of canvases.
    """
    layer = layer_in_view(viewer)
    ndim = viewer.dims.ndim
    turned = tuple(viewer.dims.displayed) != (ndim - 2, ndim - 1)
    if layer is None or viewer.dims.ndisplay != 2 or turned or _gridded(viewer):
        return None
    image = sky_image(layer)
    camera = camera_of(viewer)
    if image is None or not camera.zoom > 0 or width < 1 or height < 1:
        return None
    up, right = (str(getattr(each, "value", each)) for each in camera.orientation2d)
    signs = np.array([1.0 if right == "right" else -1.0, -1.0 if up == "up" else 1.0])
    corner, linear = world_of(layer)
    middle = np.array([camera.center[-1], camera.center[-2]], float)
    scale = (signs * camera.zoom)[:, None]
    offset = scale[:, 0] * (corner - middle) + (width / 2, height / 2)
    return View(layer, image, width, height, scale * linear, offset)


def layer_in_view(viewer: Any) -> Any:
    """The selected sky image if it is visible, or else the topmost visible one; or None."""
    for layer in [viewer.layers.selection.active, *reversed(viewer.layers)]:
        if layer is not None and layer.visible and sky_image(layer) is not None:
            return layer
    return None


def camera_of(viewer: Any) -> Any:
    """A viewer's camera, wherever this napari keeps it."""
    return getattr(viewer, "scene", viewer).camera


def grid_of(viewer: Any) -> Any:
    """A viewer's settings for a grid of canvases, wherever this napari keeps them."""
    return getattr(getattr(viewer, "canvas", None), "grid", None) or viewer.grid


def _gridded(viewer: Any) -> bool:
    return bool(grid_of(viewer).enabled)


def world_of(layer: Any) -> tuple[Floats, Floats]:
    """Where pixel (0, 0) of a layer's plane lies in the world as (x, y), and the steps from it."""
    leading = [0.0] * (layer.ndim - 2)
    places = [layer.data_to_world([*leading, *at])[-2:] for at in ((0, 0), (0, 1), (1, 0))]
    corner, along_x, along_y = (np.array(each, float)[::-1] for each in places)
    return corner, np.stack([along_x - corner, along_y - corner], axis=1)
