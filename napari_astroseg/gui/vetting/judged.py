"""Judged: the layer that is judged, which another stands in for while objects are hidden in it."""

from __future__ import annotations

from typing import Any

from napari_astroseg.gui import moments
from napari_astroseg.gui.layers import add_prepared
from napari_astroseg.gui.vetting.desk import Opened

_METADATA = "astroseg_judged"
"""Marks the layer as ours to bring back."""


class Judged:
    """One layer at a time.

    Parameters
    ----------
    viewer
        Where it is.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.layer: Any = None
        """What is looked at."""
        self._bare: Any = None

    @property
    def there(self) -> bool:
        """Whether it is still in the viewer."""
        return self.layer in self._viewer.layers

    @property
    def stood_in_for(self) -> Any:
        """The layer without hidden objects; None where nothing is hidden."""
        return self._bare

    def bare(self, layer: Any) -> Any:
        """A layer, or the one that it stands in for."""
        return self._bare if self._bare is not None and layer is self.layer else layer

    def choose(self, layer: Any) -> None:
        """Look at this one."""
        self.layer, self._bare = layer, None

    def open(self, opened: Opened) -> None:
        """Show the image with hidden objects in it in place of the bare one, if there are any."""
        if opened.prepared is not None:
            self._bare = self.layer
            opened.prepared[1]["name"] = f"{self._bare.name}, some objects hidden"
            opened.prepared[1]["metadata"][_METADATA] = True
            self.layer = add_prepared(self._viewer, opened.prepared)
            moments.note(self, [self._bare])
            self._bare.visible = False
        self._viewer.layers.selection.active = self.layer

    def close(self) -> None:
        """Show the bare image again."""
        bare, self._bare = self._bare, None
        moments.forget(self)
        if bare is None:
            return
        if self.there:
            self._viewer.layers.remove(self.layer)
        self.layer = bare
        if self.there:
            bare.visible = True
            self._viewer.layers.selection.active = bare
