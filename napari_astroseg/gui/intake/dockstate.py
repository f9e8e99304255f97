"""DockState: what the Open dock gives to a project: what is drawn on the picture."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from napari_astroseg.gui.aids.choices import Choices
from napari_astroseg.projects.record import Record


class OpenState(Record):
    """The aids over the picture, as `gui.aids.choices.Choices`."""

    colour_bar: bool = True
    compass: bool = True
    scale_bar: bool = True
    grid: bool = False
    hatch: bool = False
    frame: Literal["image", "icrs", "galactic"] = "image"

    @classmethod
    def of(cls, choices: Choices) -> OpenState:
        """Choices as a project has them."""
        return cls.model_validate(asdict(choices))

    @property
    def choices(self) -> Choices:
        """The same as the dock takes them."""
        return Choices(**self.model_dump())
