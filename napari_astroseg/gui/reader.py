"""Reader: sky images dropped on napari, or opened from its menus, become our image layers.

napari calls readers in its window's thread. What is quick (a plain file of moderate size with
one image) is read there and then. What takes long or asks a question goes to the Open dock of
the window, which is brought up for it; without a window, all is read at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari
from napari.utils.notifications import show_error

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.intake.places import all_layers, choices_in, holds_fits, looks_like_fits
from napari_astroseg.gui.layers import LayerData, settle
from napari_astroseg.sky.files.address import Address, is_url
from napari_astroseg.sky.files.look import look
from napari_astroseg.sky.opening import open_image

QUICK_BYTES = 64 * 2**20
"""A larger file may lie on a disk or a network that takes its time."""

NO_LAYER: list[Any] = [(None,)]
"""What napari takes for "read, and there is nothing to add"."""

_PLUGIN, _DOCK = "napari-astroseg", "AstroSeg: Open"


def napari_get_reader(path: str | Sequence[str]) -> Callable[[Any], list[Any]] | None:
    """The reader, for paths that look like FITS and folders that hold some; None for others."""
    return read if all(_ours(each) for each in _listed(path)) else None


def read(path: str | Sequence[str]) -> list[Any]:
    """Image layers; a sentence for what holds none; nothing yet for what the Open dock opens."""
    places, viewer = _listed(path), napari.current_viewer()
    window = None if viewer is None else getattr(viewer, "window", None)
    if window is not None and (len(places) > 1 or not _quick(places[0])):
        open_dock(viewer).open_soon(places)
        return NO_LAYER
    found: list[LayerData] = []
    for place in places:
        try:
            found += all_layers(open_image(place))[::-1]  # the image itself is selected last
        except AstroSegError as error:
            show_error(str(error))
    if found and viewer is not None:
        settle(viewer)
    return found or NO_LAYER


def open_dock(viewer: Any) -> Any:
    """The Open dock of a viewer's window, brought up if it is not there."""
    from napari_astroseg.gui.mosaic import MosaicDock  # docks cost Qt, readers need not

    window = bare(viewer).window
    for widget in window.dock_widgets.values():
        if isinstance(widget, MosaicDock):
            return widget
    return window.add_plugin_dock_widget(_PLUGIN, _DOCK)[1]


def _ours(place: str) -> bool:
    folder = Path(place)
    if not is_url(place) and folder.is_dir():
        return holds_fits(folder)
    return looks_like_fits(place)


def _quick(place: str) -> bool:
    """Whether a place can be read while the window waits: small, plain, local, one image."""
    try:
        address = Address.of(place)
        if address.remote or address.path.is_dir():
            return False
        handle, packing = look(address)
        plain = packing is None and handle.size <= QUICK_BYTES
        return plain and not choices_in(address)
    except AstroSegError:
        return True  # the sentence is quick, too


def _listed(path: str | Sequence[str]) -> list[str]:
    return [path] if isinstance(path, str) else [str(each) for each in path]
