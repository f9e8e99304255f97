"""Question: the controls that say which structures are measured, in which images, and how."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QSpinBox, QWidget

from napari_astroseg.gui import layers
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.comparing.brought import Compared, compared
from napari_astroseg.gui.comparing.measuring import Wish, Witness
from napari_astroseg.gui.comparing.pickers import (
    ImagesPicker,
    RegionsPicker,
    own_layer,
    tie_to_list,
)
from napari_astroseg.gui.comparing.regions import Regions
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.comparing.columns import keys_of
from napari_astroseg.sky.image import SkyImage

_GAP_PX = 2
_MOST_PX = 256
_OWN_WIDTH = "auto"
_TIP = (
    "Each structure against the ring of sky around it, in every image that is ticked.\n"
    "What still runs makes way"
)


class Question(QWidget):
    """Structures, images, the original regions and the ring; `asked` carries a `Wish`.

    Parameters
    ----------
    viewer
        The viewer whose layers are offered.
    """

    asked = Signal(object)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._ties, self._names = Ties(self), Ties(self)
        self._build()
        self.structures.changed.connect(self._follow_structures)
        self.images.changed.connect(self._judge)
        self.original.changed.connect(self._judge)
        self.start.clicked.connect(self.ask)
        tie_to_list(self._ties, self._names, viewer, self._refresh)

    @property
    def lack(self) -> str:
        """Why nothing can be measured; "" where something can."""
        regions = self.structures.regions()
        if self.structures.count() == 0:
            return "There are no structures yet: predict some in Predict, or open a Labels layer"
        if self.structures.layer() is None:
            return "Choose the layer of the structures above"
        if regions is None:
            return "The structures do not lie on whole pixels: undo the move of their layer"
        if not self.images.ticked():
            return "Tick an image to measure in: it has to lie on the structures' pixels"
        return self._lack_of_original(regions)

    def ask(self) -> None:
        """Ask for what the controls say, if that can be done."""
        regions = self.structures.regions()
        self._judge()  # a layer may have been moved since
        if self.lack or regions is None:
            return
        own = own_layer(self._viewer, regions, self.images.fitting())
        reference = regions.image if regions.predicted else self._image(own)
        if reference is None:
            return
        width = self.ring.value()
        wish = Wish(
            regions,
            reference,
            self._witnesses(),
            self.original.regions(),
            self.gap.value(),
            width or None,
        )
        self.asked.emit(wish)

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._ties.untie()
        self._names.untie()

    def _build(self) -> None:
        self.structures = RegionsPicker(self._viewer)
        self.structures.setToolTip(
            "A prediction, a Labels layer or an image of numbered regions; of a mask, the parts "
            "that hang together are the structures"
        )
        self.images = ImagesPicker(self._viewer)
        self.original = RegionsPicker(self._viewer, none="none")
        self.original.setToolTip(
            "Regions known before, to see what the structures add and what they miss"
        )
        self.gap, self.ring = _pixels(_GAP_PX), _pixels(0)
        self.gap.setToolTip("Left out between a structure and its ring")
        self.ring.setSpecialValueText(_OWN_WIDTH)
        self.ring.setToolTip("Width of the ring; auto: as wide as its structure, 4 to 16 pixels")
        self.start = QPushButton("Measure")
        ring = QHBoxLayout()
        for part, stretch in ((self.ring, 1), (QLabel("gap"), 0), (self.gap, 0)):
            ring.addWidget(part, stretch)
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Structures", self.structures)
        rows.addRow("In", self.images)
        rows.addRow("Original", self.original)
        rows.addRow("Ring", ring)
        rows.addRow(self.start)

    def _refresh(self, _event: Any = None) -> None:
        self.structures.refresh()
        self.original.refresh()

    def _follow_structures(self) -> None:
        self.images.refresh(self.structures.regions())

    def _judge(self) -> None:
        lack = self.lack
        allow(self.start, lack, _TIP)

    def _lack_of_original(self, regions: Regions) -> str:
        layer, original = self.original.layer(), self.original.regions()
        if layer is None:
            return ""
        if layer is regions.layer:
            return "The original regions are the structures themselves: choose others, or none"
        if original is None or not original.lie_with(regions):
            return "The original regions have other pixels: align them, or choose none"
        return ""

    def _witnesses(self) -> tuple[Witness, ...]:
        told = [(layer, compared(layer)) for layer in self.images.ticked()]
        keys = keys_of([_told_key(layer, each) for layer, each in told])
        made = []
        for key, (layer, each) in zip(keys, told, strict=True):
            image = self._image(layer)
            if image is not None:
                made.append(Witness(key, each.name if each else layer.name, image))
        return tuple(made)

    def _image(self, layer: Any) -> SkyImage | None:
        return layers.image_in_view(self._viewer, layer)


def _told_key(layer: Any, brought: Compared | None) -> str:
    """What an image's columns are called: a survey's key, else the name of its file or layer."""
    if brought is not None and brought.field is not None:
        return brought.key
    name = layer.name if brought is None else brought.name
    return str(name).removesuffix(".gz").removesuffix(".fits")


def _pixels(value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(0, _MOST_PX)
    box.setValue(value)
    box.setSuffix(" px")
    return box
