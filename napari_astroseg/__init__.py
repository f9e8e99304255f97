"""Find, judge and catalogue structures in big sky maps.

The public names are imported when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "open_image": "napari_astroseg.sky.opening",
    "open_mosaic": "napari_astroseg.sky.mosaics.mosaic",
    "open_votes": "napari_astroseg.sky.votes.opening",
    "SkyImage": "napari_astroseg.sky.image",
    "VoteMap": "napari_astroseg.sky.votes.votemap",
    "Window": "napari_astroseg.sky.window",
    "Catalogue": "napari_astroseg.sky.catalogue",
    "Recipe": "napari_astroseg.recipes.recipe",
    "load_model": "napari_astroseg.engine.model",
    "predict": "napari_astroseg.engine.predict",
    "train": "napari_astroseg.engine.train",
    "evaluate": "napari_astroseg.engine.evaluate",
    "VettingSession": "napari_astroseg.review.session",
    "simulate_filaments": "napari_astroseg.sky.simulate.filaments",
    "AstroSegError": "napari_astroseg.errors",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 (names are strings by construction)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
