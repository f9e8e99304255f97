"""Simulated skies with known truth, in the file layouts of the real training sets.

The names are imported when first used: what there is to simulate is told at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "BubbleSettings": "bubblescene",
    "BubbleSky": "bubbles",
    "FilamentSettings": "settings",
    "FilamentSky": "filaments",
    "GalaxyField": "galaxies",
    "GalaxySettings": "galaxies",
    "MultibandSettings": "multibandscene",
    "MultibandSky": "multiband",
    "SpiralSettings": "spiralscene",
    "SpiralSky": "spirals",
    "iter_filaments": "filaments",
    "simulate_bubbles": "bubbles",
    "simulate_filaments": "filaments",
    "simulate_galaxies": "galaxies",
    "simulate_multiband": "multiband",
    "simulate_spirals": "spirals",
    "write_filaments": "filaments",
}

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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
