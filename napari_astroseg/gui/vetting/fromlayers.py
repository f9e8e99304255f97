"""Fromlayers: detections that are in the window already, as objects, numbered regions or points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels, Points
from scipy import ndimage

from napari_astroseg.errors import VettingError
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.reading import open_detections
from napari_astroseg.sky import instancecatalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.objectcatalogue import catalogued
from napari_astroseg.sky.window import Window

Making = Callable[[], Detections]


def holds_detections(layer: Any) -> bool:
    """Whether there may be detections in a layer."""
    note = layer.metadata.get(METADATA, {})
    if note.get("objects") is not None:
        return True
    layer = bare(layer)
    flat = isinstance(layer, Labels) and not layer.multiscale and layer.ndim == 2
    return flat or isinstance(layer, Points)


def making(layer: Any, image: SkyImage) -> Making:
    """What makes detections of a layer, in any thread; what it needs is taken along now.

    Parameters
    ----------
    image
        That the layer lies on, where it does not say so itself.
    """
    note = layer.metadata.get(METADATA, {})
    if note.get("objects") is not None:
        return partial(_of_objects, note["objects"], note["kinds"], note["image"], layer.name)
    layer = bare(layer)
    if isinstance(layer, Points):
        return partial(_of_points, np.array(layer.data)[:, -2:], image, layer.name)
    window = note.get("window")
    corner = (window.x, window.y) if isinstance(window, Window) else (0, 0)
    labels = np.asarray(layer.data)
    return partial(_of_labels, labels, corner, note.get("image", image), layer.name)


def _of_objects(objects: Any, kinds: tuple[str, ...], image: SkyImage, name: str) -> Detections:
    if isinstance(objects, Instances):
        return _named(open_detections(instancecatalogue.catalogued(objects, kinds, image)), name)
    return _named(open_detections(catalogued(objects, kinds, image)), name)


def _of_points(places: np.ndarray, image: SkyImage, name: str) -> Detections:
    return _on_sky(places[:, 1], places[:, 0], np.full(len(places), np.nan), image, name)


def _of_labels(
    labels: np.ndarray, corner: tuple[int, int], image: SkyImage, name: str
) -> Detections:
    numbers = np.unique(labels)
    numbers = numbers[numbers != 0]
    if not len(numbers):
        raise VettingError(f"{name} has no numbered region; predict a window first")
    middles = np.array(ndimage.center_of_mass(labels != 0, labels, numbers)).reshape(-1, 2)
    areas = np.asarray(ndimage.sum_labels(labels != 0, labels, numbers), np.float64)
    x, y = middles[:, 1] + corner[0], middles[:, 0] + corner[1]
    return _on_sky(x, y, np.sqrt(areas / np.pi), image, name)


def _on_sky(
    x: np.ndarray, y: np.ndarray, radius: np.ndarray, image: SkyImage, name: str
) -> Detections:
    known: dict[str, Any] = {"x": x, "y": y, "radius": radius, "unit": "px", "source": name}
    if image.wcs is not None:
        position = image.sky(x, y)
        position = position if position.frame.name == "galactic" else position.icrs
        known |= {"lon": position.spherical.lon.deg, "lat": position.spherical.lat.deg}
        known["frame"] = str(position.frame.name)
    return Detections.of(len(x), **known)


def _named(found: Detections, name: str) -> Detections:
    return replace(found, source=name)
