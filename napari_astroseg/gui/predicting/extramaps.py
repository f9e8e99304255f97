"""ExtraMaps: what a prediction tells beside its probability: each class, the uncertainty, both.

Each is a layer of its own, in its own colour. They lie over one another, so one is shown at a time,
or none: then it is the probability of any class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.events import TileDone
from napari_astroseg.engine.spread import Spread
from napari_astroseg.gui.predicting.bivariate import Bivariate, look
from napari_astroseg.gui.predicting.drawing import placed_on, shading_in
from napari_astroseg.gui.predicting.planes import Planes
from napari_astroseg.sky.looks import suppressed
from napari_astroseg.sky.window import Window

UNCERTAINTY = "uncertainty"
BOTH = "probability and uncertainty"
LARGEST = 1.0
"""No limit: nothing is less sure, whatever tells it."""

_COLOURS = ("#4fb3ff", "#ff6ad5", "#ffd23f", "#8aff80")
_SPREAD = "#b98cff"


class ExtraMaps:
    """The layers of one prediction, hidden until one is asked for.

    Parameters
    ----------
    viewer
        Where they are shown.
    names
        The maps, in order: classes where there are several, then where it is known `uncertainty`,
        and both in one.
    """

    def __init__(self, viewer: Any, names: tuple[str, ...]) -> None:
        self.names = names
        self.spread: Spread | None = None
        self._viewer = viewer
        self._planes: dict[str, Planes] = {}
        self._layers: dict[str, Any] = {}
        self._both: Bivariate | None = None

    @classmethod
    def named(cls, classes: tuple[str, ...], spread: bool) -> tuple[str, ...]:
        """Which maps there are beside the probability."""
        several = classes if len(classes) > 1 else ()
        return (*several, UNCERTAINTY, BOTH) if spread else several

    @property
    def layers(self) -> tuple[Any, ...]:
        """Their layers, in the order of their names."""
        return tuple(self._layers.values())

    @property
    def shown(self) -> str:
        """The map in view; "" where it is none of these."""
        return next((name for name, layer in self._layers.items() if layer.visible), "")

    @property
    def bounds(self) -> tuple[float, ...]:
        """Uncertainties from which a probability is told in fewer colours."""
        entropy = self.spread is not None and self.spread.kind == "entropy"
        return suppressed.ENTROPIES if entropy else suppressed.DEVIATIONS

    @property
    def settled(self) -> bool:
        """Whether nothing is being worked out any more."""
        return self._both is None or self._both.settled

    @property
    def deviation(self) -> NDArray[np.float32] | None:
        """(height, width) standard deviation of the least sure class; None where it is unknown."""
        planes = self._planes.get(UNCERTAINTY)
        return None if planes is None else planes.finest

    def add(
        self,
        base: Any,
        window: Window,
        called: Callable[[str], dict[str, Any]],
        probability: Planes,
    ) -> None:
        """Add the layers of a window.

        Parameters
        ----------
        called
            Gives the name and metadata of each map's layer.
        probability
            The map that the last one shows together with the uncertainty.
        """
        self._clear(window)
        for number, each in enumerate(self.names):
            colour = _SPREAD if each == UNCERTAINTY else _COLOURS[number % len(_COLOURS)]
            plain = {"colormap": shading_in(colour), "contrast_limits": (0.0, 1.0)}
            self._layers[each] = self._viewer.add_image(
                self._planes[each].data,
                **(look() if each == BOTH else plain),
                blending="translucent",
                visible=False,
                multiscale=self._planes[each].multiscale,
                **called(each),
                **placed_on(base, window),
            )
        self._unite(probability)

    def take(
        self,
        base: Any,
        window: Window,
        called: Callable[[str], dict[str, Any]],
        probability: Planes,
    ) -> None:
        """Become the maps of another prediction with the same names, in the same layers."""
        self._clear(window)
        place = placed_on(base, window)
        for each, layer in self._layers.items():
            layer.data = self._planes[each].data
            layer.scale, layer.translate = place["scale"], place["translate"]
            about = called(each)
            layer.name = about["name"]
            layer.metadata.update(about["metadata"])
        self._unite(probability)

    def put(self, place: Window, tile: TileDone) -> None:
        """Take in a tile at its place in the window."""
        for number, each in enumerate(self.names):
            if each == UNCERTAINTY and tile.deviation is not None:
                self._planes[each].put(place, tile.deviation.max(0))
            elif each not in (UNCERTAINTY, BOTH):
                self._planes[each].put(place, tile.probability[number])
        if self._both is not None:
            self._both.landed(place)

    def tell(self, spread: Spread | None) -> None:
        """Learn what the uncertainty is of, and draw it up to the most that it can be."""
        self.spread = spread
        if spread is not None and UNCERTAINTY in self._layers:
            self._layers[UNCERTAINTY].contrast_limits = (0.0, spread.largest)
        if self._both is not None:
            self._both.bounds = self.bounds

    def refresh(self) -> None:
        """Draw what has come; hidden layers are drawn when they are shown."""
        for layer in self._layers.values():
            if layer.visible:
                layer.refresh()

    def show(self, name: str) -> None:
        """Show one map and hide the others; all where none is called so."""
        for each, layer in self._layers.items():
            layer.visible = each == name
        if self._both is not None:
            self._both.show()

    def close(self) -> None:
        """Let what is being worked out end."""
        if self._both is not None:
            self._both.wait()

    def _clear(self, window: Window) -> None:
        self.close()
        self._planes = {
            each: Planes(window.shape, np.uint8 if each == BOTH else np.float32)
            for each in self.names
        }

    def _unite(self, probability: Planes) -> None:
        if BOTH in self.names:
            unsure, both = self._planes[UNCERTAINTY], self._planes[BOTH]
            self._both = Bivariate(probability, unsure, both, self._layers[BOTH])
            self._both.bounds = self.bounds
