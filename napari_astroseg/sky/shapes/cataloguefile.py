"""Cataloguefile: catalogues as points, circles, ellipses and boxes on an image, and back."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from numpy.typing import NDArray

from napari_astroseg.errors import CatalogueError, MarkError
from napari_astroseg.sky.catalogue import FORMATS, Catalogue, told_frame
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.shapes.cataloguerows import Rows
from napari_astroseg.sky.shapes.columns import SIZES, Columns
from napari_astroseg.sky.shapes.imported import Collector, Imported
from napari_astroseg.sky.shapes.placing import frame_of, in_frame, in_pixels, on_sky
from napari_astroseg.sky.shapes.shape import (
    MAKES,
    Frame,
    Point,
    Shape,
    coordinates,
)

Doubles = NDArray[np.float64]

_TOLD_EVERY = 5000
_SKY_FRAMES = set(get_args(Frame)) - {"pixel"}


def read_catalogue(
    path: str | Path,
    image: SkyImage,
    *,
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    frame: Frame | None = None,
    who: str = "",
    when: datetime | None = None,
    progress: Progress = silent,
) -> Imported:
    """The rows of a catalogue that lie on an image, as shapes.

    A row with `major` and `minor` axes (half their lengths) is an ellipse, one with `width` and
    `height` a box, one with a `radius` a circle, any other a point; what `write_catalogue` wrote
    becomes what it was. `angle` counts as a shape's does, `pa` from north through east.

    Parameters
    ----------
    path
        `.ecsv`, `.csv`, `.fits`, `.vot` or `.xml`.
    names
        What columns are called: `lon`, `lat`, `x`, `y`, `radius`, `pa`, `class`, `name`, … →
        column; by default as catalogues usually call them.
    units
        Of columns without any, or with a wrong one, under the same names. Positions without one
        are in degrees.
    frame
        Of `lon` and `lat`; by default what the names, or the file, say.

    Returns
    -------
    Shapes, and a sentence for each row that is none, or lies off the image.

    Raises
    ------
    CatalogueError
        When it is no catalogue, has no positions, or sizes in unusable units.
    MarkError
        When far too many lie on the image.
    """
    path = Path(path)
    table = read_table(path)
    columns = Columns(table, path.name, names or {}, units or {})
    told = told_frame(table)
    columns_frame = cast(Frame | None, told if told in _SKY_FRAMES else None)
    found = Collector(image, path.name)
    rows = Rows(columns, image, path.name, (frame, columns_frame))
    unescape = path.suffix.lower() == ".fits"
    for number in range(len(table)):
        if not number % _TOLD_EVERY:
            progress(f"reading {path.name}", number, len(table))
        where = f"row {number + 1:,}"
        try:
            found.add(where, rows.shape(number, who, when, unescape))
        except MarkError as error:
            found.skip(where, str(error))
    return found.done()


def write_catalogue(path: str | Path, shapes: Sequence[Shape], image: SkyImage) -> Path:
    """Write shapes as a catalogue, a row each: sizes on the sky and in pixels.

    Raises
    ------
    CatalogueError
        When the ending names no format.
    MarkError
        When a shape cannot be placed.
    OutputError
        When the disk refuses.
    """
    path = Path(path)
    ending = path.suffix.lower()
    catalogue = catalogue_of(shapes, image)
    if ending == ".csv":  # it has no units but what names say
        for name in catalogue.table.colnames:
            if name in (*SIZES, "angle"):
                catalogue.table.rename_column(name, f"{name}_{catalogue.table[name].unit}")
    if ending == ".fits":  # it holds ASCII
        for name, column in catalogue.table.columns.items():
            if column.dtype.kind == "U":
                escaped = [json.dumps(text)[1:-1] for text in column.tolist()]
                catalogue.table.replace_column(name, np.array(escaped, dtype="U"))
    return catalogue.write(path)


def read_table(path: Path) -> Table:
    """The table of a catalogue, by the file's ending.

    Raises
    ------
    CatalogueError
        When it is none, or not there.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise CatalogueError(
            f"{path.name}: no catalogue format ends in {path.suffix!r}; "
            f"use one of {', '.join(FORMATS)}"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd units and dates are told below, or harmless
            return Table.read(path, format=kind)
    except FileNotFoundError as error:
        raise CatalogueError(
            f"{path.name} cannot be read (no such file or directory); check its name"
        ) from error
    except Exception as error:
        # astropy's table readers raise whatever broke inside the file.
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise CatalogueError(
            f"{path.name} cannot be read as a table ({reason}); check its format"
        ) from error


def catalogue_of(shapes: Sequence[Shape], image: SkyImage) -> Catalogue:
    """Shapes as a catalogue.

    Returns
    -------
    Columns `id`, `form`, `class`, `name`, `who`, `when`, `lon` and `lat` (deg; left out without sky
    coordinates), `x` and `y` (0-based pixels) of the centre, the sizes that any of them has
    (arcsec, and under names with `_px` pixels), `angle`, `vertices` of polygons and lines (deg,
    or px).
    """
    frame = frame_of(image)
    placed = in_frame(on_sky(shapes, image), frame)
    drawn = in_pixels(placed, image)
    table = QTable({"id": np.arange(1, len(placed) + 1)})
    for name, told in _TEXTS.items():
        table[name] = np.array([told(shape) for shape in placed], dtype="U")
    if any(shape.excludes for shape in placed):
        table["excludes"] = [shape.excludes for shape in placed]
    middles = np.array([_middle(shape) for shape in placed]).reshape(-1, 2)
    if frame != "pixel":
        table["lon"], table["lat"] = middles.T * u.deg
        x, y = (
            image.pixel(coordinates(middles[:, 0], middles[:, 1], frame))
            if len(placed)
            else middles.T
        )
    else:
        x, y = middles.T
    table["x"], table["y"] = x, y
    unit = u.pix if frame == "pixel" else u.arcsec
    _add_sizes(table, placed, "", unit)
    if frame != "pixel":
        _add_sizes(table, drawn, "_px", u.pix)
    if any(not shape.centred and len(shape.points) > 1 for shape in placed):
        table["vertices"] = np.array([_vertices(shape) for shape in placed], dtype="U")
    return Catalogue(table, None if frame == "pixel" else frame)


_TEXTS: Mapping[str, Any] = {
    "form": lambda shape: shape.form,
    "class": lambda shape: shape.class_name,
    "name": lambda shape: shape.name,
    "who": lambda shape: shape.who,
    "when": lambda shape: "" if shape.when is None else shape.when.isoformat(),
}


def _vertices(shape: Shape) -> str:
    if shape.centred or len(shape.points) < 2:
        return ""
    return " ".join(f"{x:.9g} {y:.9g}" for x, y in shape.points)


def _middle(shape: Shape) -> Point:
    """The centre, or the mean of all vertices: on the sky along great circles."""
    if len(shape.points) == 1:
        return shape.points[0]
    x, y = np.array(shape.points).T
    if not shape.on_sky:
        return float(x.mean()), float(y.mean())
    mean = SkyCoord(x, y, unit="deg").cartesian.mean()
    middle = SkyCoord(mean, representation_type="cartesian").spherical
    return float(middle.lon.deg), float(middle.lat.deg)


def _add_sizes(
    table: QTable, shapes: Sequence[Shape | None], suffix: str, unit: u.UnitBase
) -> None:
    """A column for each size that any shape has; NaN for the others."""
    for name in SIZES:
        values = [_named(shape, name) for shape in shapes]
        if not np.isnan(values).all():
            table[f"{name}{suffix}"] = np.array(values) * unit
    turned = [shape.angle if shape is not None and shape.has_angle else np.nan for shape in shapes]
    if not np.isnan(turned).all():
        table[f"angle{suffix}"] = np.array(turned) * u.deg


def _named(shape: Shape | None, name: str) -> float:
    if shape is None or name not in MAKES[shape.form].sizes:
        return float("nan")
    return shape.sizes[MAKES[shape.form].sizes.index(name)]
