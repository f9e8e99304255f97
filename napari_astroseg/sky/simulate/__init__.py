"""Simulated skies with known truth, in the file layouts of the real training sets."""

from napari_astroseg.sky.simulate.bubbles import BubbleSky, simulate_bubbles
from napari_astroseg.sky.simulate.bubblescene import BubbleSettings
from napari_astroseg.sky.simulate.filaments import (
    FilamentSky,
    iter_filaments,
    simulate_filaments,
    write_filaments,
)
from napari_astroseg.sky.simulate.settings import FilamentSettings

__all__ = [
    "BubbleSettings",
    "BubbleSky",
    "FilamentSettings",
    "FilamentSky",
    "iter_filaments",
    "simulate_bubbles",
    "simulate_filaments",
    "write_filaments",
]
