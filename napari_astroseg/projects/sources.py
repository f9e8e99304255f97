"""Sources: what a layer draws, told so that it can be opened again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from napari_astroseg.projects.record import Count, Name, Number, Record, SomeKey, Tagged

Plane = Annotated[int, Field(ge=0, lt=2**31)]
Positive = Annotated[float, Field(gt=0.0, le=1e300)]
MOST_TILES = MOST_POINTS = 20_000
_Point = tuple[Number, Number]


class ImageSource(Tagged):
    """One HDU of a file, or what belongs to it; a HiPS, or the store of a prediction."""

    kind: Literal["image"] = "image"
    place: SomeKey
    hdu: Count = 0
    plane: Plane | None = None
    name: Name = ""
    band: Name = ""
    role: Literal["", "uncertainty", "flags"] = ""


class MosaicSource(Tagged):
    """Tiles as one image, or how many of them cover each pixel."""

    kind: Literal["mosaic"] = "mosaic"
    tiles: Annotated[tuple[ImageSource, ...], Field(min_length=1, max_length=MOST_TILES)]
    match_background: bool = False
    role: Literal["", "footprint"] = ""


class BandsSource(Tagged):
    """Images of one grid as the bands of one."""

    kind: Literal["bands"] = "bands"
    images: Annotated[tuple[ImageSource, ...], Field(min_length=1, max_length=200)]
    labels: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    name: Name = ""
    role: Literal["", "uncertainty", "flags"] = ""


class KeptSource(Tagged):
    """An image that was in memory only, and is kept in a file of the project's."""

    kind: Literal["kept"] = "kept"
    place: SomeKey
    name: Name = ""


class Mapping(Record):
    """How three bands become colours, as `sky.looks.colour.Lupton`."""

    minimum: tuple[Number, Number, Number]
    weights: tuple[Positive, Positive, Positive]
    stretch: Positive
    q: Positive


class Tuned(Record):
    """What was changed of that, as `sky.looks.colour.Tuning`."""

    stretch: Positive = 1.0
    q: Positive = 8.0
    black: Number = 0.0
    gains: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)


Band = Annotated[ImageSource | MosaicSource | BandsSource | KeptSource, Field(discriminator="kind")]


class ColourSource(Tagged):
    """Three images drawn red, green, blue; without a mapping, a picture's own colours."""

    kind: Literal["colours"] = "colours"
    bands: tuple[Band, Band, Band]
    mapping: Mapping | None = None
    tuned: Tuned = Tuned()


class PointsSource(Tagged):
    """Places that were marked: rows and columns of the layer's own pixels, from 0."""

    kind: Literal["points"] = "points"
    at: Annotated[tuple[_Point, ...], Field(max_length=MOST_POINTS)]
    size: Annotated[float, Field(gt=0.0, le=1e6)] = 10.0


class LabelsSource(Tagged):
    """Numbered regions kept in a file of the project's."""

    kind: Literal["labels"] = "labels"
    place: SomeKey


Source = Annotated[
    ImageSource
    | MosaicSource
    | BandsSource
    | KeptSource
    | ColourSource
    | PointsSource
    | LabelsSource,
    Field(discriminator="kind"),
]


class Look(Record):
    """How an image of ours is drawn, as `gui.look.remembered.Look`."""

    stretch: Literal["asinh", "log", "sqrt", "linear", "histogram"]
    low: Number
    high: Number
    rule: Name = ""
    colormap: Name = "gray"
    gamma: Annotated[float, Field(gt=0.0, le=10.0)] = 1.0
