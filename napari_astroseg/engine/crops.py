"""Crops: windows of any size as a detector sees them, the same at training and at prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.crops import STAR_REACH_PX, prepared, resized

Planes = NDArray[np.float32]


def prepared_crop(values: Planes, recipe: Recipe) -> Planes | None:
    """Values (bands, S, S) as the network takes them; None where one is missing."""
    if not np.isfinite(values).all():
        return None
    side = recipe.data.side_px
    return prepared(resized(values, side), STAR_REACH_PX * side / values.shape[-1])
