"""VoteLayers: a field's picture, its counts of votes and the mask at a threshold, as layers.

The mask is the counts themselves, drawn between contrast limits on either side of the threshold:
moving it costs the graphics card nothing and Python a millisecond, whatever the size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils import Colormap
from numpy.typing import NDArray

from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.predicting.drawing import mask_colour
from napari_astroseg.gui.selected import selection_kept
from napari_astroseg.gui.voting.ballot import Ballot
from napari_astroseg.sky.votes.votemap import VoteMap

METADATA = "astroseg_votes"
"""Key in a layer's metadata: `counts`, `mask` or `picture`."""

_WHOLE_PX = 4096
"""Longer sides are drawn by levels."""

_EDGE = 0.01
_OPACITY = 0.45


class VoteLayers:
    """The layers of one ballot after another in one viewer.

    Parameters
    ----------
    viewer
        Where they are shown.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._own: dict[str, Any] = {}
        self._shape: tuple[int, ...] | None = None

    @property
    def mask(self) -> Any:
        """The mask's layer; None while there is none."""
        return self._shown("mask")

    @property
    def counts(self) -> Any:
        """The counts' layer; None while there is none."""
        return self._shown("counts")

    def show_ballot(self, ballot: Ballot) -> None:
        """Show a ballot's picture in place of the one before; its votes follow."""
        self.remove("picture")
        if ballot.picture is not None:
            layer = layers.add_prepared(self._viewer, ballot.picture)
            layer.metadata[METADATA] = "picture"
            self._own["picture"] = layer

    def show_votes(self, votes: VoteMap, threshold: int) -> None:
        """Show counts, faintly, and above them the mask at a threshold."""
        levels = _levels(votes.counts)
        place = {"metadata": {layers.METADATA: votes.image}}
        most = max(votes.most, 1)
        with selection_kept(self._viewer):
            for role, look in (("counts", _faint()), ("mask", mask_colour())):
                self.remove(role)
                data = levels if len(levels) > 1 else levels[0]
                layer = self._viewer.add_image(
                    data,
                    name=f"{role} · {votes.name} of {votes.image.name}",
                    colormap=look,
                    contrast_limits=(0, most),
                    multiscale=len(levels) > 1,
                    blending="translucent",
                    opacity=1.0 if role == "counts" else _OPACITY,
                    interpolation2d="nearest",
                    metadata={**place["metadata"], METADATA: role},
                )
                self._own[role] = bare(layer)
        self.mask.contrast_limits_range = (-1.0, most + 1.0)
        self.set_threshold(threshold)
        layers.turn_north(self._viewer, votes.image)
        if self._shape not in (None, votes.counts.shape):  # it would lie in a corner, or beyond
            self._viewer.reset_view()
        self._shape = votes.counts.shape

    def set_threshold(self, threshold: int) -> None:
        """Move the mask's threshold."""
        if self.mask is not None:
            self.mask.contrast_limits = (threshold - 0.5 - _EDGE, threshold - 0.5 + _EDGE)

    def remove(self, role: str) -> None:
        """Take one of the layers out of the viewer."""
        layer = self._shown(role)
        self._own.pop(role, None)
        if layer is not None:
            self._viewer.layers.remove(layer)

    def _shown(self, role: str) -> Any:
        layer = self._own.get(role)
        return layer if layer is not None and layer in self._viewer.layers else None


def _levels(counts: NDArray[Any]) -> list[NDArray[Any]]:
    """Counts, and where they are large views of every second, fourth … pixel."""
    found, step = [counts], 1
    while max(counts.shape) > _WHOLE_PX * step:
        step *= 2
        found.append(counts[step // 2 :: step, step // 2 :: step])
    return found


def _faint() -> Colormap:
    """Nothing where nobody marked anything, then from blue to white."""
    colours = np.array([[0.2, 0.3, 1.0, 0.0], [0.3, 0.5, 1.0, 0.35], [1.0, 1.0, 1.0, 0.6]])
    return Colormap(colours, name="astroseg votes")
