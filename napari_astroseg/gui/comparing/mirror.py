"""Mirror: a layer of another viewer that looks as its original does, from the same data."""

from __future__ import annotations

from functools import partial
from typing import Any

from napari.layers import Layer

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.kinds import is_overlay

_FOLLOWED = (
    "data",
    "contrast_limits",
    "colormap",
    "gamma",
    "contour",
    "scale",
    "translate",
    "affine",
    "features",
)
"""What is taken over when it changes; a picture's opacity and visibility are each viewer's own."""


class Mirror:
    """A layer's likeness. Its levels are the original's own, so that nothing is read twice.

    Parameters
    ----------
    original
        A layer of any kind.
    """

    def __init__(self, original: Any) -> None:
        self.original = original = bare(original)
        data, arguments, kind = original.as_layer_data_tuple()
        arguments = {**arguments, "visible": True, "metadata": dict(original.metadata)}
        if getattr(original, "multiscale", False):
            data = list(data)
        self.layer = Layer.create(data, arguments, kind)
        if hasattr(original, "contour"):  # napari leaves it out of a layer's own account
            self.layer.contour = original.contour
        self._pairs: list[tuple[Any, Any]] = []
        followed = (*_FOLLOWED, "visible") if is_overlay(original) else _FOLLOWED
        for name in followed:
            emitter = getattr(original.events, name, None)
            if emitter is not None and hasattr(original, name):
                follow = partial(self._follow, name)
                emitter.connect(follow)
                self._pairs.append((emitter, follow))

    def end(self) -> None:
        """Follow no more."""
        for emitter, follow in self._pairs:
            emitter.disconnect(follow)
        self._pairs.clear()

    def _follow(self, name: str, _event: Any = None) -> None:
        value = getattr(self.original, name)
        many = name == "data" and getattr(self.original, "multiscale", False)
        setattr(self.layer, name, list(value) if many else value)
