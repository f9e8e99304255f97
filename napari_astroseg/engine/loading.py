"""Loading: which loader a recipe's layout of data asks for."""

from __future__ import annotations

from pathlib import Path

from napari_astroseg.engine.batches import TrainingSet
from napari_astroseg.engine.blended import BlendedSet
from napari_astroseg.engine.bubbles import BubbleSet
from napari_astroseg.engine.galaxies import GalaxySet
from napari_astroseg.engine.loader import Loader
from napari_astroseg.engine.objects import ObjectSet
from napari_astroseg.recipes.data import BlendedData, BubbleData, SetData, VoteData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.progress import Progress, silent


def loader(recipe: Recipe, data: Path, progress: Progress = silent) -> Loader:
    """What the recipe learns from, read from a folder.

    Raises
    ------
    DataError
        When the folder cannot teach it.
    """
    if isinstance(recipe.data, BlendedData):
        return BlendedSet(recipe, data, progress)
    if isinstance(recipe.data, BubbleData):
        return BubbleSet(recipe, data, progress)
    if isinstance(recipe.data, VoteData):
        return GalaxySet(recipe, data, progress)
    if isinstance(recipe.data, SetData):
        return ObjectSet(recipe, data, progress)
    return TrainingSet(recipe, data)
