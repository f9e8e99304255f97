"""Choices: which aids the user wants, remembered in a small file of the configuration."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from qtpy.QtCore import QStandardPaths

from napari_astroseg.sky.coords.orientation import FRAMES, Frame
from napari_astroseg.sky.image import SkyImage

OWN = "image"
"""The frame of the image itself."""


@dataclass(frozen=True)
class Choices:
    """Which aids are drawn, and in which frame.

    Parameters
    ----------
    colour_bar, compass, scale_bar, grid, hatch
        Whether it is drawn.
    frame
        `icrs`, `galactic`, or `image` for Galactic over Galactic images and ICRS over others.
    """

    colour_bar: bool = True
    compass: bool = True
    scale_bar: bool = True
    grid: bool = False
    hatch: bool = False
    frame: str = OWN

    def frame_for(self, image: SkyImage) -> Frame:
        """The frame to draw over an image."""
        for frame in FRAMES:
            if self.frame == frame:
                return frame
        return "galactic" if image.frame == "galactic" else "icrs"


def remembered(folder: Path | None = None) -> Choices:
    """The choices of the last time; the usual ones where there was none."""
    try:
        told = json.loads(_file(folder).read_text(encoding="utf-8"))
        known = {each.name: told[each.name] for each in fields(Choices) if each.name in told}
    except (OSError, ValueError, TypeError, RecursionError):
        return Choices()
    usual = asdict(Choices())
    fair = {name: value for name, value in known.items() if type(value) is type(usual[name])}
    return Choices(**fair)


def remember(choices: Choices, folder: Path | None = None) -> None:
    """Keep choices for the next time."""
    file = _file(folder)
    temporary = file.with_suffix(".tmp")
    with suppress(OSError):  # a home that cannot be written costs the memory, no more
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(asdict(choices), indent=1), encoding="utf-8")
        temporary.replace(file)


def _file(folder: Path | None) -> Path:
    location = QStandardPaths.StandardLocation.GenericConfigLocation
    folder = folder or Path(QStandardPaths.writableLocation(location)) / "astroseg"
    return folder / "aids.json"
