"""Simulated skies with known truth, in the file layouts of the real training sets."""

from napari_astroseg.sky.simulate.bubbles import BubbleSky, simulate_bubbles
from napari_astroseg.sky.simulate.bubblescene import BubbleSettings
from napari_astroseg.sky.simulate.filaments import (
    FilamentSky,
    iter_filaments,
    simulate_filaments,
    write_filaments,
)
from napari_astroseg.sky.simulate.galaxies import GalaxyField, GalaxySettings, simulate_galaxies
from napari_astroseg.sky.simulate.multiband import MultibandSky, simulate_multiband
from napari_astroseg.sky.simulate.multibandscene import MultibandSettings
from napari_astroseg.sky.simulate.settings import FilamentSettings
from napari_astroseg.sky.simulate.spirals import SpiralSky, simulate_spirals
from napari_astroseg.sky.simulate.spiralscene import SpiralSettings

__all__ = [
    "BubbleSettings",
    "BubbleSky",
    "FilamentSettings",
    "FilamentSky",
    "GalaxyField",
    "GalaxySettings",
    "MultibandSettings",
    "MultibandSky",
    "SpiralSettings",
    "SpiralSky",
    "iter_filaments",
    "simulate_bubbles",
    "simulate_filaments",
    "simulate_galaxies",
    "simulate_multiband",
    "simulate_spirals",
    "write_filaments",
]
