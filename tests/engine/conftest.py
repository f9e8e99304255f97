"""Small recipes, data and models for the engine's tests."""

import numpy as np
import pytest
import torch
from skies import lively, write_four_maps

from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.nets import build
from napari_astroseg.recipes.recipe import Recipe


@pytest.fixture(scope="session")
def small_recipe():
    """The filament preset, small enough for a test."""
    return Recipe.preset("filaments").replace(
        **{
            "family.channels": [4, 8, 12, 16],
            "family.bottleneck": 24,
            "normalisation.kind": "log",
            "data.patch_px": 32,
            "data.min_mask": 0.05,
            "data.allow_missing": True,
            "data.background": "one_vs_all",
            "schedule.epochs": 2,
            "schedule.batch_size": 16,
            "prediction.tile_px": 64,
        }
    )


@pytest.fixture(scope="session")
def maps(tmp_path_factory):
    """A folder with two tiny fields."""
    folder = tmp_path_factory.mktemp("maps")
    for number in range(2):
        write_four_maps(folder, f"{number:03d}", seed=number)
    return folder


@pytest.fixture(scope="session")
def field_image(maps):
    """The image file of one field."""
    return maps / "000_image.fits"


@pytest.fixture(scope="session")
def random_model(small_recipe):
    """An untrained network with lively batch norms, so that no pixel is like another."""
    torch.manual_seed(0)
    net = lively(build(small_recipe.family))
    count = sum(weight.numel() for weight in net.parameters())
    return Model(ModelCard("random", small_recipe, count, threshold=0.5), net)


@pytest.fixture
def noise_image():
    from napari_astroseg.sky.image import SkyImage

    rng = np.random.default_rng(3)
    values = (10 ** rng.normal(22, 0.3, (203, 170))).astype(np.float32)
    values[40:60, 100:120] = np.nan
    return SkyImage.from_array(values, unit="cm-2", name="noise")
