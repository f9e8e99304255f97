"""Regions: what on the map holds structures: predictions, labels, and images of numbered regions.

Layers are looked at in the window's thread; what they hold is read and numbered in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import relabel_sequential

from napari_astroseg.errors import ImageError
from napari_astroseg.gui import layers
from napari_astroseg.gui.comparing.brought import compared
from napari_astroseg.gui.comparing.lying import Lying
from napari_astroseg.gui.predicting.overlays import METADATA as PREDICTION
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.together import one_grid
from napari_astroseg.sky.structures import EIGHT, label_structures
from napari_astroseg.sky.window import Window

Numbers = NDArray[np.int32]

_SPEAKING = ("probability", "regions")
"""Layers that speak for a prediction; its other maps are only looked at."""


@dataclass(frozen=True, eq=False)
class Numbered:
    """Structures as an array.

    Parameters
    ----------
    labels
        (H, W), 0 outside, 1… inside without gaps.
    names
        The number that each had on the map, in the order of `labels`.
    probability
        (H, W) of a prediction, NaN where missing; None for what is none.
    missing
        (H, W), True where nobody knows whether there is a structure; None for nowhere.
    """

    labels: Numbers
    names: NDArray[np.int64]
    probability: NDArray[np.float32] | None = None
    missing: NDArray[np.bool_] | None = None

    def within(self, own: Window, wanted: Window) -> tuple[Numbers, NDArray[np.bool_]]:
        """Labels, and where they are missing, in a window; `own` is where these lie."""
        part, missing = np.zeros(wanted.shape, np.int32), np.ones(wanted.shape, bool)
        shared = own.overlap(wanted)
        if shared is not None:
            inside = shared.moved(-own.x, -own.y).slices
            there = shared.moved(-wanted.x, -wanted.y).slices
            part[there] = self.labels[inside]
            missing[there] = False if self.missing is None else self.missing[inside]
        return part, missing


@dataclass(frozen=True, eq=False)
class Regions:
    """Structures that a layer shows, as they are now.

    Parameters
    ----------
    layer, lying
        What shows them, and where in the world its pixels lie.
    window
        Which pixels of the sky image under it they cover.
    image
        An image that they lie on, of a prediction the one that was predicted; None where the
        layer does not say.
    read
        Reads and numbers them; slow, for any thread.
    predicted
        Whether they are a prediction's.
    about
        What their catalogue should tell: of a prediction `model` and `threshold`.
    """

    layer: Any
    lying: Lying
    window: Window
    image: SkyImage | None
    read: Callable[[], Numbered]
    predicted: bool = False
    about: Mapping[str, str | float] = field(default_factory=dict)

    def lie_on(self, image: SkyImage) -> bool:
        """Whether they are regions of that image's pixels."""
        if self.image is not None:
            return same_pixels(self.image, image)
        whole = Window.whole(image.shape)
        corner = (self.window.x, self.window.y) == (0, 0)
        return self.window == whole if corner else whole.overlap(self.window) == self.window

    def lie_with(self, other: Regions) -> bool:
        """Whether two are regions of the same pixels, as far as they say."""
        if self.image is not None:
            return other.lie_on(self.image)
        return self.lie_on(other.image) if other.image is not None else self.window == other.window


def same_pixels(one: SkyImage, other: SkyImage) -> bool:
    """Whether two images lie pixel on pixel, as far as they know the sky."""
    if one is other:
        return True
    if one.shape != other.shape:
        return False
    return one.wcs is None or other.wcs is None or one_grid((one, other))


def is_sky(layer: Any) -> bool:
    """Whether a layer draws a sky image of its own: no colours, no prediction, no belongings."""
    own = layers.sky_image(layer) is not None and not layer.rgb
    return own and PREDICTION not in layer.metadata and layers.ROLE not in layer.metadata


def is_numbered(layer: Any) -> bool:
    """Whether a sky image is kept as whole numbers without a unit, as labels and masks are."""
    image, told = layers.sky_image(layer), compared(layer)
    if image is None or image.unit:
        return False
    stored = getattr(image.pixels, "stored", None)
    scaled = getattr(image.pixels, "scale", 1.0) != 1.0
    whole = isinstance(stored, np.dtype) and stored.kind in "iub" and not scaled
    return whole or (told is not None and told.how.labels)


def holding_regions(viewer: Any) -> Iterator[Any]:
    """The layers that may hold structures, images last, what is on top first.

    A prediction is spoken for by its regions, by its probabilities where those were removed.
    """
    told: list[tuple[Any, Window, str]] = []
    downwards = [layer for layer in reversed(viewer.layers) if _role(layer) in _SPEAKING]
    for layer in sorted(downwards, key=_rank):
        note = _note(layer)
        if note:
            if _key(note) not in told:
                told.append(_key(note))
                yield layer
        elif (isinstance(layer, Labels) and layer.ndim == 2) or _may_number(layer):
            yield layer


def regions_of(viewer: Any, layer: Any) -> Regions | None:
    """What a layer shows now; None where its pixels do not lie on whole pixels of the world."""
    note, lying = _note(layer), Lying.of(layer)
    if note:
        window = note["window"]
        read = partial(
            _read_prediction,
            _drawn(layer, window),
            _probability(viewer, note),
            float(note["threshold"]),
            int(note["min_area_px"]),
        )
        about: dict[str, str | float] = {
            "model": str(note["model"]),
            "threshold": float(note["threshold"]),
        }
        return Regions(layer, lying, window, note["image"], read, predicted=True, about=about)
    image = layers.image_in_view(viewer, layer)
    if image is not None:
        whole = Window.whole(image.shape)
        return Regions(layer, lying, whole, image, partial(_read_image, image))
    data = layer.data[0] if layer.multiscale else layer.data
    window = lying.window(data.shape)
    if window is None:
        return None
    return Regions(layer, lying, window, None, partial(_read_labels, data))


def _note(layer: Any) -> dict[str, Any]:
    note: dict[str, Any] = layer.metadata.get(PREDICTION, {})
    return note


def _role(layer: Any) -> str:
    """What a layer of a prediction shows; "regions" for any other layer."""
    return str(_note(layer).get("role", "regions"))


def _key(note: dict[str, Any]) -> tuple[Any, Window, str]:
    return id(note["image"]), note["window"], note["model"]


def _rank(layer: Any) -> int:
    """Regions, then probabilities, then images."""
    if isinstance(layer, Labels) or _note(layer).get("role") == "regions":
        return 0
    return 1 if _note(layer) else 2


def _may_number(layer: Any) -> bool:
    """Numbered regions in a file have no unit; what they hold is only known when they are read."""
    image = layers.sky_image(layer)
    return is_sky(layer) and image is not None and not image.unit


def _drawn(layer: Any, window: Window) -> NDArray[Any] | None:
    """Regions as they are drawn; None where they are a mask, or not yet known."""
    if not isinstance(layer, Labels):
        return None
    finest = layer.data[0] if layer.multiscale else layer.data
    whole = np.all(np.greater_equal(finest.shape, window.shape))
    return finest[: window.height, : window.width] if whole else None


def _probability(viewer: Any, note: dict[str, Any]) -> NDArray[np.float32] | None:
    """The probabilities of a prediction, from whichever of its layers carries them."""
    height, width = note["window"].shape
    for layer in viewer.layers:
        own = isinstance(layer, Image) and _note(layer) and _role(layer) in _SPEAKING
        if own and _key(_note(layer)) == _key(note):
            finest = layer.data[0] if layer.multiscale else layer.data
            return finest[:height, :width]
    return None


def _read_prediction(
    drawn: NDArray[Any] | None,
    probability: NDArray[np.float32] | None,
    threshold: float,
    min_area_px: int,
) -> Numbered:
    if drawn is None and probability is None:
        raise ImageError("the prediction is not there yet; wait until its regions are drawn")
    if drawn is None:
        labels = label_structures(np.asarray(probability), threshold, min_area_px)
        made = Numbered(labels, np.arange(1, labels.max(initial=0) + 1))
    else:
        made = _without_gaps(np.array(drawn))
    if probability is None:
        return made
    return replace(made, probability=probability, missing=np.isnan(probability))


def _read_labels(data: Any) -> Numbered:
    return _parted(np.array(data))


def _read_image(image: SkyImage) -> Numbered:
    from napari_astroseg.sky.comparing.regionmap import labels_of

    labels, missing = labels_of(image)
    return replace(_without_gaps(labels), missing=missing)


def _parted(values: NDArray[Any]) -> Numbered:
    """Numbered structures; of a mask, which has but one number, the parts that hang together."""
    if values.min(initial=0) < 0:
        values = np.where(values < 0, 0, values)
    inside = values > 0
    if not inside.any() or values.max() == values[inside].min():
        labels, count = ndimage.label(inside, EIGHT, output=np.int32)
        return Numbered(np.asarray(labels, np.int32), np.arange(1, count + 1))
    return _without_gaps(values)


def _without_gaps(values: NDArray[Any]) -> Numbered:
    labels, _, back = relabel_sequential(values)
    names = np.asarray(back[np.arange(1, int(labels.max(initial=0)) + 1)], np.int64)
    return Numbered(np.asarray(labels, np.int32), names)
