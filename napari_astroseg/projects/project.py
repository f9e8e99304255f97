"""Project: the layers, the view and what each dock was set to, as one record."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue

from napari_astroseg.projects.place import MOST_PLACES, Place
from napari_astroseg.projects.record import Name, Number, Record, Share
from napari_astroseg.projects.sources import Look, Source

SCHEMA = 1
"""Of the files that this version writes, and the newest that it reads."""

MOST_LAYERS = 1000

DockName = Annotated[str, Field(pattern=r"^[A-Z][a-z]{1,15}$")]
Blending = Literal[
    "", "opaque", "translucent", "translucent_no_depth", "additive", "minimum", "multiplicative"
]
"""As napari calls them; "" for the usual one."""
Axes = Annotated[tuple[Number, ...], Field(min_length=2, max_length=8)]
_Step = Annotated[float, Field(ge=-1e12, le=1e12)]
_Row = tuple[_Step, _Step, _Step]


def _flat(placed: tuple[_Row, _Row] | None) -> tuple[_Row, _Row] | None:
    if placed is not None:
        (a, b, _), (c, d, _) = placed
        if abs(a * d - b * c) < 1e-12:
            raise ValueError("a layer cannot be squeezed into a line")
    return placed


Placed = Annotated[tuple[_Row, _Row] | None, AfterValidator(_flat)]


class Layer(Record):
    """One layer, from the bottom up.

    Parameters
    ----------
    name
        By which all else speaks of it; a viewer's layers differ in name.
    source
        What it draws; None for one that a dock brings back.
    visible, opacity, blending
        As napari has them.
    look
        Stretch, limits and colours of an image of ours.
    placed
        From rows and columns of the layer's pixels to world coordinates: two rows of an affine
        matrix, for the last two axes; None for pixel on pixel.
    """

    name: Name
    source: Source | None = None
    visible: bool = True
    opacity: Share = 1.0
    blending: Blending = ""
    look: Look | None = None
    placed: Placed = None


class View(Record):
    """Where the camera looked.

    Parameters
    ----------
    center
        World coordinates: rows last but one, columns last.
    zoom
        Pixels of the screen for one of the image.
    north_up
        Whether rows run upwards.
    point
        Of the axes that are not drawn: which plane of a stack is shown.
    selected
        Name of the selected layer; "" for none.
    """

    center: Axes
    zoom: Annotated[float, Field(gt=1e-9, le=1e9)]
    north_up: bool = True
    point: Annotated[tuple[Number, ...], Field(max_length=8)] = ()
    selected: Name = ""


class Project(Record):
    """All of it.

    Parameters
    ----------
    astroseg_project
        Version of the schema.
    written, by
        When, and by which version of the program.
    places
        Files, folders and addresses by their keys.
    layers
        From the bottom up.
    docks
        Dock → its own record, which it checks itself.
    front
        The dock that lies on top.
    """

    astroseg_project: Literal[1] = 1
    written: Name = ""
    by: Name = ""
    places: Annotated[dict[str, Place], Field(max_length=MOST_PLACES, default_factory=dict)]
    layers: Annotated[tuple[Layer, ...], Field(max_length=MOST_LAYERS)] = ()
    view: View | None = None
    docks: Annotated[
        dict[DockName, dict[str, JsonValue]], Field(max_length=20, default_factory=dict)
    ]
    front: Name = ""

    def changes(self) -> dict[str, Any]:
        """What tells whether two projects are the same: all but when they were written."""
        return self.model_dump(exclude={"written", "by"})
