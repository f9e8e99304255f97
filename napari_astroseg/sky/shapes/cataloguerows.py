"""Cataloguerows: rows of a catalogue as shapes, whatever of sky and pixels its columns tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import CatalogueError, MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes.columns import Columns
from napari_astroseg.sky.shapes.placing import frame_of
from napari_astroseg.sky.shapes.shape import (
    MAKES,
    Form,
    Frame,
    Point,
    Shape,
    coordinates,
    frame_named,
)

Doubles = NDArray[np.float64]

_FROM_SIZES: tuple[Form, ...] = ("ellipse", "box", "circle")
"""What rows become that do not say it, by the sizes that there are."""


class Rows:
    """Rows as shapes: positions and sizes of all of them, in one kind of unit."""

    def __init__(
        self,
        columns: Columns,
        image: SkyImage,
        source: str,
        frames: tuple[Frame | None, Frame | None],
    ) -> None:
        self._sizes = columns.sizes()
        self._angles = columns.angles()
        self._forms = columns.text("form")
        self._texts = {name: columns.text(name) for name in ("class", "name", "who", "when")}
        self._excludes = columns.text("excludes")
        self._vertices = columns.text("vertices")
        have = set(self._sizes.by_name)
        self._default: Form = next(
            (form for form in _FROM_SIZES if have >= set(MAKES[form].sizes)), "point"
        )
        sky, pixels = columns.sky(*frames), columns.pixels()
        if sky is None and pixels is None:
            raise CatalogueError(
                f"{source} has no positions; name its columns ra and dec, l and b, or x and y"
            )
        wants_sky = self._sizes.on_sky if have else sky is not None and image.wcs is not None
        self._frame: Frame = "pixel"
        if sky is not None and wants_sky:
            self._x, self._y, self._frame = sky
        elif pixels is not None and wants_sky:
            self._x, self._y, self._frame = _on_sky(pixels, image, source)
        elif pixels is not None:
            self._x, self._y = pixels
        elif sky is not None:
            self._x, self._y = _pixels(sky, image, source)

    def shape(self, row: int, who: str, when: datetime | None, unescape: bool) -> Shape:
        """One row.

        Raises
        ------
        MarkError
            When it is none.
        """
        form: Any = self._forms[row] or self._default
        make = MAKES.get(form)
        if make is None:
            raise MarkError(f"{form!r} is no shape; use one of {', '.join(MAKES)}")
        points: tuple[Point, ...] = ((float(self._x[row]), float(self._y[row])),)
        if make.most > 1:
            points = tuple(_pairs(self._vertices[row]))
        told = {name: _unescaped(texts[row], unescape) for name, texts in self._texts.items()}
        return Shape(
            form=form,
            points=points,
            sizes=tuple(float(self._size(name)[row]) for name in make.sizes),
            angle=float(self._angles[row]) % 360.0,
            frame=self._frame,
            class_name=told["class"],
            name=told["name"],
            who=told["who"] or who,
            when=_time(told["when"]) or when,
            excludes=self._excludes[row] in ("True", "true", "1"),
        )

    def _size(self, name: str) -> Doubles:
        if name not in self._sizes.by_name:
            raise MarkError(f"there is no column {name}; add it")
        return self._sizes.by_name[name]


def _on_sky(
    pixels: tuple[Doubles, Doubles], image: SkyImage, source: str
) -> tuple[Doubles, Doubles, Frame]:
    frame = frame_of(image)
    if frame == "pixel":
        raise CatalogueError(
            f"sizes in {source} are angles, and {image.name} has no sky coordinates; "
            "give them in pixels"
        )
    there = image.sky(*pixels).transform_to(frame_named(frame)).spherical
    return there.lon.deg, there.lat.deg, frame


def _pixels(
    sky: tuple[Doubles, Doubles, Frame], image: SkyImage, source: str
) -> tuple[Doubles, Doubles]:
    lon, lat, frame = sky
    if image.wcs is None:
        raise CatalogueError(
            f"positions in {source} are on the sky, and {image.name} has no sky coordinates; "
            "give x and y"
        )
    known = np.isfinite(lon) & (np.abs(lat) <= 90.0)
    x, y = np.full(lon.shape, np.nan), np.full(lon.shape, np.nan)
    x[known], y[known] = image.pixel(coordinates(lon[known], lat[known], frame))
    return x, y


def _pairs(text: str) -> Iterator[Point]:
    words = text.split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise MarkError("its vertices are no numbers; write lon lat lon lat …") from None
    if len(numbers) % 2:
        raise MarkError("its vertices lack a coordinate; write lon lat lon lat …")
    return iter(zip(numbers[::2], numbers[1::2], strict=True))


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _unescaped(text: str, wanted: bool) -> str:
    if not wanted or "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
