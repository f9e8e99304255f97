"""U-Net++ (Zhou+2018): U-Net5's levels with nested skips and a head on each."""

from __future__ import annotations

from typing import Literal

from napari_astroseg.recipes.families.base import UNetSpec


class Spec(UNetSpec):
    """Width and depth of a U-Net with nested skips, whose answer is the mean of its heads."""

    kind: Literal["unet++"] = "unet++"

    @property
    def net(self) -> str:
        """The module's name has no plus signs."""
        return "napari_astroseg.engine.nets.unetpp"
