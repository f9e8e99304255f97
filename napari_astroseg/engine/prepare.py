"""Prepare: an image becomes a network's input, by the recipe's own scale and normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.recipes.data import VoteData
from napari_astroseg.recipes.normalisation import (
    Arcsinh,
    Byte,
    Linear,
    Local,
    Log,
    Lupton,
    MinMax,
    Peaked,
    ZScore,
)
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky import normalise
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.resizing import Resizing

Plane = NDArray[np.float32]


def by_patch(recipe: Recipe) -> bool:
    """Whether a pixel's input depends on which patch it is in, so that tiles cannot be exact."""
    each = isinstance(recipe.normalisation, MinMax | Arcsinh | Peaked)
    return each or recipe.family.by_stamp


def context_px(recipe: Recipe) -> int:
    """Pixels around a tile that its normalisation looks at."""
    how = recipe.normalisation
    return normalise.local_reach(how.scale_px) if isinstance(how, Local) else 0


def prepared(values: NDArray[Any], valid: NDArray[np.bool_], recipe: Recipe) -> Plane:
    """Values (…, H, W) as the network wants them: float32, 0 where missing."""
    how = recipe.normalisation
    if isinstance(how, Byte):
        return normalise.byte(values, valid)
    if isinstance(how, Arcsinh):
        return normalise.arcsinh(values, valid, how.softening)
    if isinstance(how, Log):
        return normalise.log_between(values, valid, how.low, how.high)
    if isinstance(how, Local):
        return normalise.local_contrast(values, valid, how.scale_px, how.spread_dex)
    if isinstance(how, Peaked):
        return normalise.over_percentile(_contrast(values, valid, how), valid, how.percentile)
    return normalise.minmax(values, valid)


def _contrast(values: NDArray[Any], valid: NDArray[np.bool_], how: Peaked) -> Plane:
    """Bands (bands, H, W) before they are brought to one range."""
    if isinstance(how, Lupton):
        return normalise.lupton(values, valid, how.stretch, how.q, how.minimum)
    if isinstance(how, ZScore):
        return normalise.zscore(values, valid)
    assert isinstance(how, Linear)
    return np.where(valid, values, 0).astype(np.float32)


def resizing_for(recipe: Recipe, image: SkyImage) -> Resizing | None:
    """How an image is brought to the scale of the recipe's stamps; None where it is not.

    To as much sky in a pixel as in a stamp's where both are known; else the image is one stamp.
    """
    data = recipe.data
    if not isinstance(data, VoteData):
        return None
    sides = image.pixel_sides_arcsec
    if sides is None or data.stamp_arcsec is None:
        return Resizing(image, (data.stamp_px, data.stamp_px))
    wanted = data.stamp_arcsec / data.stamp_px
    width, height = sides
    rows, columns = image.shape
    shape = max(1, round(rows * height / wanted)), max(1, round(columns * width / wanted))
    return Resizing(image, shape)
