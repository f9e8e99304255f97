"""Origins: where an image to compare with comes from. Each is opened in any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_astroseg.errors import PlaceError
from napari_astroseg.sky.files.address import Address, HduKey
from napari_astroseg.sky.grids.align import Aligned, align
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Progress
from napari_astroseg.sky.surveys.fetch import fetch
from napari_astroseg.sky.surveys.field import Field
from napari_astroseg.sky.surveys.survey import Survey
from napari_astroseg.sky.window import Window

Match = Callable[[SkyImage, SkyImage], Aligned]
"""Puts an image onto the pixels of another, as `sky.grids.align.align` does."""


@dataclass(frozen=True)
class View:
    """What is in view of the reference.

    Parameters
    ----------
    window
        Its pixels; None where none of it is.
    screen_px
        How many pixels of the screen the longer side of that window takes.
    """

    window: Window | None
    screen_px: int = 0


@dataclass(frozen=True)
class FromSurvey:
    """A survey's field.

    Parameters
    ----------
    survey
        Which one.
    field
        Which part of the sky; None for what is in view.
    """

    survey: Survey
    field: Field | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.survey.name

    @property
    def key(self) -> str:
        """What comes again of the same origin takes the place of what came before."""
        return self.survey.key

    @property
    def attribution(self) -> str:
        """Whom to thank."""
        return self.survey.attribution

    @property
    def match(self) -> Match:
        """By sky coordinates."""
        return align

    def at(self, onto: SkyImage, view: View) -> FromSurvey:
        """The same with its field: that in view, unless there is one.

        Raises
        ------
        AstroSegError
            When the reference has no sky coordinates, or the view shows none of it.
        """
        if self.field is not None:
            return self
        if view.window is None:
            raise PlaceError(f"the view shows none of {onto.name}; bring it into view first")
        field = Field.of(onto, view.window, view.screen_px, self.survey)
        return FromSurvey(self.survey, field)

    def open(self, onto: SkyImage, view: View, progress: Progress) -> SkyImage:
        """The field, fetched or from the cache."""
        field = self.at(onto, view).field
        assert field is not None
        return fetch(self.survey, field, progress)


@dataclass(frozen=True)
class FromFile:
    """A file on this machine, or at a URL.

    Parameters
    ----------
    place
        Where it is.
    hdu
        Which of its images; None for the one that is plainly meant.
    """

    place: str
    hdu: HduKey | None = None

    attribution = ""

    @property
    def name(self) -> str:
        """What people call it."""
        told = "" if self.hdu is None else f" [{_told(self.hdu)}]"
        return Address.of(self.place).name + told

    @property
    def key(self) -> str:
        """What comes again of the same origin takes the place of what came before."""
        return f"file {self.place} {self.hdu}"

    @property
    def match(self) -> Match:
        """By sky coordinates."""
        return align

    def open(self, onto: SkyImage, view: View, progress: Progress) -> SkyImage:
        """The image; its header is read."""
        return open_image(self.place, self.hdu, progress=progress)


@dataclass(frozen=True, eq=False)
class FromLayer:
    """An image that is open already.

    Parameters
    ----------
    image
        It.
    name
        What its layer is called.
    layer
        That layer, which no thread but the window's may touch.
    match
        How it is put onto the reference's pixels; by sky coordinates unless something else is
        asked for.
    """

    image: SkyImage
    name: str
    layer: Any
    match: Match = align

    attribution = ""

    @property
    def key(self) -> str:
        """What comes again of the same origin takes the place of what came before."""
        return f"layer {self.name}"

    def open(self, onto: SkyImage, view: View, progress: Progress) -> SkyImage:
        """The image as it is."""
        return self.image


Origin = FromSurvey | FromFile | FromLayer


def _told(hdu: HduKey) -> str:
    return ",".join(map(str, hdu)) if isinstance(hdu, tuple) else str(hdu)
