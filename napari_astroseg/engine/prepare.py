"""Prepare: raw values become a network's input, by the recipe's own normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.recipes.normalisation import Local, Log, MinMax
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky import normalise

Plane = NDArray[np.float32]


def by_patch(recipe: Recipe) -> bool:
    """Whether a pixel's input depends on which patch it is in, so that tiles cannot be exact."""
    return isinstance(recipe.normalisation, MinMax)


def context_px(recipe: Recipe) -> int:
    """Pixels around a tile that its normalisation looks at."""
    how = recipe.normalisation
    return normalise.local_reach(how.scale_px) if isinstance(how, Local) else 0


def prepared(values: NDArray[Any], valid: NDArray[np.bool_], recipe: Recipe) -> Plane:
    """Values (H, W) as the network wants them: float32, 0 where missing."""
    how = recipe.normalisation
    if isinstance(how, Log):
        return normalise.log_between(values, valid, how.low, how.high)
    if isinstance(how, Local):
        return normalise.local_contrast(values, valid, how.scale_px, how.spread_dex)
    return normalise.minmax(values, valid)
