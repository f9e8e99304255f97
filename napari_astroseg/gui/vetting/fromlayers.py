"""Fromlayers: detections that are in the window already, as objects, numbered regions or points."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels, Points
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.errors import VettingError
from napari_astroseg.gui.aids.view import world_of
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.predicting.extramaps import UNCERTAINTY
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.reading import open_detections
from napari_astroseg.sky import instancecatalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.objectcatalogue import catalogued
from napari_astroseg.sky.tally import Tally
from napari_astroseg.sky.window import Window

Making = Callable[[], Detections]
Placing = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Where pixel (0, 0) lies as (x, y), and the steps from it: place = linear @ (x, y) + corner."""
_PROBABILITY = "probability"


def holds_detections(layer: Any) -> bool:
    """Whether there may be detections in a layer."""
    note = layer.metadata.get(METADATA, {})
    if note.get("objects") is not None:
        return True
    layer = bare(layer)
    flat = isinstance(layer, Labels) and not layer.multiscale and layer.ndim == 2
    return flat or isinstance(layer, Points)


def making(layer: Any, image: SkyImage, base: Any, beside: Iterable[Any] = ()) -> Making:
    """What makes detections of a layer, in any thread; what it needs is taken along now.

    Parameters
    ----------
    image, base
        That the layer lies on, and the layer that draws this; of what a prediction has found, the
        image that was predicted is taken instead.
    beside
        All layers. Those of the same prediction tell how sure it is of its regions, which are then
        the same list as the catalogue that Predict saves of them.
    """
    note = layer.metadata.get(METADATA, {})
    if note.get("objects") is not None:
        return partial(_of_objects, note["objects"], note["kinds"], note["image"], layer.name)
    layer = bare(layer)
    if isinstance(layer, Points):
        placed = _placed(layer, base)
        return partial(_of_points, np.array(layer.data)[:, -2:], placed, image, layer.name)
    if isinstance(note.get("window"), Window) and "image" in note:
        maps = _maps(note, beside)
        if _PROBABILITY in maps:
            return partial(_of_regions, layer.data, maps, note["window"], note["image"], layer.name)
        corner = np.array([note["window"].x, note["window"].y], float)
        return partial(_of_labels, layer.data, (corner, np.eye(2)), note["image"], layer.name)
    return partial(_of_labels, layer.data, _placed(layer, base), image, layer.name)


def _placed(layer: Any, base: Any) -> Placing:
    """From a layer's own pixels to those of the image that it lies on."""
    corner, linear = world_of(layer)
    base_corner, base_linear = world_of(base)
    back = np.linalg.inv(base_linear)
    return back @ (corner - base_corner), back @ linear


def _of_objects(objects: Any, kinds: tuple[str, ...], image: SkyImage, name: str) -> Detections:
    if isinstance(objects, Instances):
        return _named(open_detections(instancecatalogue.catalogued(objects, kinds, image)), name)
    return _named(open_detections(catalogued(objects, kinds, image)), name)


def _of_points(places: np.ndarray, placed: Placing, image: SkyImage, name: str) -> Detections:
    x, y = _moved(places[:, ::-1], placed)
    return _on_sky(x, y, np.full(len(places), np.nan), image, name)


def _maps(note: dict[str, Any], beside: Iterable[Any]) -> dict[str, Any]:
    """Probability and uncertainty of a prediction, as far as they are there, by these names."""
    found, (height, width) = {}, note["window"].shape
    for layer in beside:
        told = layer.metadata.get(METADATA, {})
        same = all(told.get(key) == note.get(key) for key in ("image", "window", "model"))
        if same and told.get("role") in (_PROBABILITY, UNCERTAINTY):
            finest = layer.data[0] if layer.multiscale else layer.data
            found[told["role"]] = finest[:height, :width]
    return found


def _of_regions(
    data: Any, maps: dict[str, Any], window: Window, image: SkyImage, name: str
) -> Detections:
    labels = np.asarray(data, np.int32)
    if labels.shape != window.shape or not labels.any():
        raise VettingError(f"{name} has no numbered region; predict a window first")
    probability, unsure = np.asarray(maps[_PROBABILITY]), maps.get(UNCERTAINTY)
    tally = Tally(int(labels.max()), unsure is not None)
    tally.add(window, labels, probability, probability, unsure)
    sums = tally.sums()
    there = np.flatnonzero(sums.area)
    sure = {"score": sums.score[there]}
    if sums.uncertainty is not None:
        sure["uncertainty"] = sums.uncertainty[there]
    radius = np.sqrt(sums.area[there] / np.pi)
    return _on_sky(
        sums.x[there], sums.y[there], radius, image, name, names=(there + 1).tolist(), **sure
    )


def _of_labels(data: Any, placed: Placing, image: SkyImage, name: str) -> Detections:
    labels = np.asarray(data)
    numbers = np.unique(labels)
    numbers = numbers[numbers != 0]
    if not len(numbers):
        raise VettingError(f"{name} has no numbered region; predict a window first")
    middles = np.array(ndimage.center_of_mass(labels != 0, labels, numbers)).reshape(-1, 2)
    areas = np.asarray(ndimage.sum_labels(labels != 0, labels, numbers), np.float64)
    areas *= abs(float(np.linalg.det(placed[1])))
    x, y = _moved(middles[:, ::-1], placed)
    return _on_sky(x, y, np.sqrt(areas / np.pi), image, name)


def _moved(places: np.ndarray, placed: Placing) -> np.ndarray:
    """X and y, (2, N), of places (N, 2)."""
    corner, linear = placed
    return np.asarray(linear @ np.asarray(places, float).T + corner[:, None])


def _on_sky(
    x: np.ndarray, y: np.ndarray, radius: np.ndarray, image: SkyImage, name: str, **further: Any
) -> Detections:
    known: dict[str, Any] = {"x": x, "y": y, "radius": radius, "unit": "px", "source": name}
    known |= further
    if image.wcs is not None:
        position = image.sky(x, y)
        position = position if position.frame.name == "galactic" else position.icrs
        known |= {"lon": position.spherical.lon.deg, "lat": position.spherical.lat.deg}
        known["frame"] = str(position.frame.name)
    return Detections.of(len(x), **known)


def _named(found: Detections, name: str) -> Detections:
    return replace(found, source=name)
