"""Reader: FITS files dropped on napari, or opened from its menus, become our image layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari
from napari.utils.notifications import show_error

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.layers import LayerData, layer_data, settle
from napari_astroseg.sky.opening import open_image

ENDINGS = (".fits", ".fit", ".fts", ".fz", ".fits.gz")
"""Those that napari.yaml announces; whole-file compression gets a sentence, not a picture."""

NO_LAYER: list[Any] = [(None,)]
"""What napari takes for "read, and there is nothing to add"."""


def napari_get_reader(path: str | Sequence[str]) -> Callable[[Any], list[Any]] | None:
    """The reader, for paths that look like FITS; None for others."""
    return read if all(each.lower().endswith(ENDINGS) for each in _listed(path)) else None


def read(path: str | Sequence[str]) -> list[Any]:
    """One image layer for each file that holds an image; a sentence for each that does not."""
    found: list[LayerData] = []
    for each in _listed(path):
        try:
            found.append(layer_data(open_image(Path(each))))
        except AstroSegError as error:
            show_error(str(error))
    viewer = napari.current_viewer()
    if found and viewer is not None:
        settle(viewer)
    return found or NO_LAYER


def _listed(path: str | Sequence[str]) -> list[str]:
    return [path] if isinstance(path, str) else [str(each) for each in path]
