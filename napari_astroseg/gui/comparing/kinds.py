"""Kinds: which layers are pictures of the sky, and which are drawn over them."""

from __future__ import annotations

from typing import Any

from napari.layers import Image

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.apart import fit
from napari_astroseg.gui.layers import ROLE, sky_image
from napari_astroseg.gui.predicting.overlays import METADATA as PREDICTION
from napari_astroseg.sky.image import SkyImage


def is_picture(layer: Any) -> bool:
    """Whether a layer is a picture of the sky, not something that is drawn over one."""
    own = isinstance(bare(layer), Image)
    return own and PREDICTION not in layer.metadata and ROLE not in layer.metadata


def is_overlay(layer: Any) -> bool:
    """Whether a layer is drawn over a picture: labels, marks, shapes, a prediction, flags."""
    return not is_picture(layer)


def has_values(layer: Any) -> bool:
    """Whether a layer draws one number per pixel, along which lines can be drawn."""
    return isinstance(bare(layer), Image) and not layer.rgb


def is_comparable(layer: Any) -> bool:
    """Whether a layer can take another's place: a picture, or a prediction's probability."""
    return is_picture(layer) or (has_values(layer) and PREDICTION in layer.metadata)


def lie_together(one: Any, other: Any) -> bool:
    """Whether two layers have the same pixels, as far as they say."""
    here, there = _ground(one), _ground(other)
    return here is None or there is None or here is there or fit(here, there)


def _ground(layer: Any) -> SkyImage | None:
    """The image on whose pixels a layer lies; of a prediction the one that was predicted."""
    image: SkyImage | None = layer.metadata.get(PREDICTION, {}).get("image")
    return image or sky_image(layer)
