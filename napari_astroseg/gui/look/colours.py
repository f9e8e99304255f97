"""ColourBox: three bands as one colour picture, and how they are mapped."""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QGroupBox, QPushButton

from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.look.colourdata import colour_data, colours_of
from napari_astroseg.gui.look.colourlayers import tune
from napari_astroseg.gui.look.tuners import Tuners
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.colour import AUTOMATIC, Tuning
from napari_astroseg.sky.looks.wavelengths import reddest_first

_COLOURS = ("Red", "Green", "Blue")
_MAKE = "Make RGB"
_MAKE_TIP = (
    "Draw the three bands as one colour picture (Lupton et al. 2004), in a layer of its own.\n"
    "They must lie on one grid; the reddest band is proposed for red"
)


class ColourBox(QGroupBox):
    """Makes colour pictures of the bands in a viewer; tunes the one that is selected.

    Parameters
    ----------
    viewer
        The viewer whose layers offer bands.
    """

    refused = Signal(str)

    def __init__(self, viewer: Any) -> None:
        super().__init__("Colour")
        self._viewer = viewer
        self._layer: Any = None
        self._bands: dict[str, SkyImage] = {}
        self._making = Latest(self)
        self._ties = Ties(self)
        self.choices = [QComboBox() for _ in _COLOURS]
        self.make_button = QPushButton(_MAKE)
        self.make_button.setToolTip(_MAKE_TIP)
        self.tuners = Tuners()
        rows = QFormLayout(self)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, choice in zip(_COLOURS, self.choices, strict=True):
            choice.setToolTip(f"The band that is drawn {name.lower()}")
            choice.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            choice.setMinimumContentsLength(8)
            rows.addRow(name, choice)
        rows.addRow(self.make_button)
        rows.addRow(self.tuners)
        self.make_button.clicked.connect(self.make)
        self.tuners.changed.connect(self._tune)
        self._making.answered.connect(self._made)
        self._making.refused.connect(self._refuse)
        self._ties.tie(viewer.layers.events.inserted, self._offer)
        self._ties.tie(viewer.layers.events.removed, self._offer)
        self._ties.tie(viewer.layers.selection.events.active, self._follow)
        self._offer()

    @property
    def busy(self) -> bool:
        """Whether a picture is being made."""
        return self._making.busy

    @property
    def layer(self) -> Any:
        """The colour layer that the sliders act on; None without one."""
        return self._layer

    def make(self) -> None:
        """Draw the chosen bands as a colour layer; the limits are found off this thread."""
        red, green, blue = (self._bands[choice.currentText()] for choice in self.choices)
        self.make_button.setEnabled(False)
        self.make_button.setText("Making …")
        self._making.ask(partial(colour_data, red, green, blue))

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._ties.untie()
        self._making.wait()

    def _offer(self, _event: Any = None) -> None:
        """List the bands that are there; keep what was chosen, where it is still there."""
        bands = _bands(self._viewer)
        if bands.keys() != self._bands.keys():
            names = list(bands)
            proposed = _proposed(names)
            # What the user chose by hand is kept; what was only proposed is proposed anew.
            before = [choice.currentText() for choice in self.choices]
            by_hand = before != _proposed(list(self._bands)) and set(before) <= set(names)
            for choice, name in zip(self.choices, before if by_hand else proposed, strict=False):
                with QSignalBlocker(choice):
                    choice.clear()
                    choice.addItems(names)
                    choice.setCurrentText(name)
        self._bands = bands
        self._ready()
        self._follow()

    def _ready(self) -> None:
        enough = len(self._bands) >= len(_COLOURS)
        for choice in self.choices:
            choice.setEnabled(enough)
        self.make_button.setText(_MAKE)
        self.make_button.setEnabled(enough and not self.busy)

    def _follow(self, _event: Any = None) -> None:
        """Turn to the selected colour layer, or keep to the one before."""
        present = [bare(each) for each in self._viewer.layers]
        active = bare(self._viewer.layers.selection.active)
        wanted = (each for each in (active, self._layer, *reversed(present)) if each in present)
        self._layer = next((each for each in wanted if _tunable(each)), None)
        colours = colours_of(self._layer)
        self.tuners.setEnabled(colours is not None)
        self.tuners.set_value(AUTOMATIC if colours is None else colours.tuning)

    def _tune(self, tuning: Tuning) -> None:
        if self._layer is not None:
            tune(self._layer, tuning)

    def _made(self, prepared: layers.LayerData) -> None:
        layers.add_prepared(self._viewer, prepared)
        self._ready()

    def _refuse(self, sentence: str) -> None:
        self._ready()
        self.refused.emit(sentence)


def _bands(viewer: Any) -> dict[str, SkyImage]:
    """Every band in a viewer, by a name of its own: single images, and the planes of stacks."""
    bands: dict[str, SkyImage] = {}
    for layer in viewer.layers:
        image = layers.sky_image(layer)
        if image is None or layer.rgb or layers.ROLE in layer.metadata:
            continue
        if image.count == 1:
            bands[layer.name] = image
        elif image.axis is not None and image.axis.kind == "band":
            for index, label in enumerate(image.axis.labels):
                bands[f"{layer.name} [{label or index}]"] = image.plane(index)
    return bands


def _proposed(names: list[str]) -> list[str]:
    """A band for each of red, green and blue: the reddest, one between, the bluest."""
    if len(names) < len(_COLOURS):
        return names
    order = reddest_first([_label(name) for name in names])
    return [names[order[at]] for at in (0, (len(order) - 1) // 2, -1)]


def _label(name: str) -> str:
    """The band in a plane's name, or all of it."""
    return name.rsplit("[", 1)[1].rstrip("]") if name.endswith("]") else name


def _tunable(layer: Any) -> bool:
    colours = colours_of(layer)
    return colours is not None and colours.fitted is not None
