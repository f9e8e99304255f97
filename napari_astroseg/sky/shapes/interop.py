"""Interop: shapes as the objects of astropy's `regions` package, and back.

Its `to_pixel` takes the sky to be linear around a centre, as `sky.shapes.placing` does; it keeps a
circle round on pixels that are not square, which that does not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
import regions
from astropy.coordinates import SkyCoord
from regions import PixCoord, RegionMeta, RegionVisual

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.shapes.shape import Form, Frame, Shape, coordinates

_CLASSES: dict[Form, str] = {
    "point": "Point",
    "text": "Text",
    "line": "Line",
    "polygon": "Polygon",
    "circle": "Circle",
    "ellipse": "Ellipse",
    "box": "Rectangle",
    "annulus": "CircleAnnulus",
    "ellipse_annulus": "EllipseAnnulus",
    "box_annulus": "RectangleAnnulus",
}
_FORMS = {name: form for form, name in _CLASSES.items()}
_SIZES: dict[Form, tuple[tuple[str, float], ...]] = {
    "circle": (("radius", 1.0),),
    "ellipse": (("width", 0.5), ("height", 0.5)),
    "box": (("width", 1.0), ("height", 1.0)),
    "annulus": (("inner_radius", 1.0), ("outer_radius", 1.0)),
    "ellipse_annulus": (
        ("inner_width", 0.5), ("inner_height", 0.5), ("outer_width", 0.5), ("outer_height", 0.5)
    ),
    "box_annulus": (
        ("inner_width", 1.0), ("inner_height", 1.0), ("outer_width", 1.0), ("outer_height", 1.0)
    ),
}  # fmt: skip
"""What `regions` calls the sizes of a form, and how much of it is ours."""
_FRAMES: dict[str, Frame] = {
    "icrs": "icrs", "fk5": "fk5", "fk4": "fk4", "galactic": "galactic",
    "barycentricmeanecliptic": "ecliptic",
}  # fmt: skip
_NOT_CRTF = ("ellipse_annulus", "box_annulus")
_POINT = re.compile(r"^([+-]?)point\[(\[.*?\])\]", re.MULTILINE)


def to_region(shape: Shape) -> Any:
    """A shape as a sky or pixel region."""
    kind = getattr(regions, f"{_CLASSES[shape.form]}{'Sky' if shape.on_sky else 'Pixel'}Region")
    meta: dict[str, Any] = {"include": not shape.excludes}
    if shape.labels:
        meta["tag"] = list(shape.labels)
    if shape.name and shape.form != "text":
        meta["text"] = shape.name
    visual = RegionVisual({"color": shape.color} if shape.color else {})
    made = partial(kind, meta=RegionMeta(meta), visual=visual)
    place = partial(coordinates, frame=shape.frame) if shape.on_sky else PixCoord
    if shape.form == "polygon":
        return made(place(*np.array(shape.points).T))
    if shape.form == "line":
        return made(*(place(*point) for point in shape.points))
    centre = place(*shape.points[0])
    if shape.form == "text":
        return made(centre, shape.name)
    unit = u.arcsec if shape.on_sky else 1.0
    sizes = {
        name: size / part * unit
        for (name, part), size in zip(_SIZES.get(shape.form, ()), shape.sizes, strict=True)
    }
    return made(centre, **sizes, **({"angle": shape.angle * u.deg} if shape.has_angle else {}))


def of_region(region: Any, who: str = "", when: datetime | None = None) -> Shape:
    """A region of the `regions` package as a shape.

    Raises
    ------
    MarkError
        When it is compound, or none that is kept.
    """
    name = type(region).__name__
    base = name.removesuffix("Region").removesuffix("Pixel").removesuffix("Sky")
    form = _FORMS.get(base)
    if form is None:
        raise MarkError(f"a {name} is none of the shapes that are kept; make it a polygon")
    if form == "polygon":
        places = [region.vertices]
    elif form == "line":
        places = [region.start, region.end]
    else:
        places = [region.center]
    told = [_points(place) for place in places]
    sizes = [part * _plain(getattr(region, each), u.arcsec) for each, part in _SIZES.get(form, ())]
    tags = tuple(str(tag) for tag in region.meta.get("tag", ()))
    visual = region.visual
    color = visual.get("color") or visual.get("edgecolor") or visual.get("facecolor") or ""
    text = region.text if form == "text" else region.meta.get("text", region.meta.get("label", ""))
    angle = _plain(region.angle, u.deg) if hasattr(region, "angle") else 0.0
    return Shape(
        form=form,
        points=tuple(point for _, points in told for point in points),
        sizes=tuple(sizes),
        angle=angle,
        frame=told[0][0],
        class_name=tags[0] if tags else "",
        name=str(text),
        who=who,
        when=when,
        excludes=region.meta.get("include", True) in (False, 0, "-", "0"),
        color=str(color),
        tags=tags[1:],
    )


def _points(place: Any) -> tuple[Frame, list[tuple[float, float]]]:
    if not isinstance(place, SkyCoord):
        xy = np.column_stack([np.atleast_1d(place.x), np.atleast_1d(place.y)])
        return "pixel", _pairs(xy)
    frame = _FRAMES.get(place.frame.name)
    if frame is None:
        place, frame = place.icrs, "icrs"
    own = place.transform_to(coordinates(0.0, 0.0, frame).frame).spherical
    return frame, _pairs(np.column_stack([np.atleast_1d(own.lon.deg), np.atleast_1d(own.lat.deg)]))


def _pairs(values: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in values]


def _plain(value: Any, unit: u.UnitBase) -> float:
    """A number of arcsec or degrees, or of pixels."""
    told = value.to_value(unit) if hasattr(value, "to_value") else float(value)
    return float(told) if math.isfinite(told) else math.nan


def crtf(shapes: Iterable[Shape], frame: Frame) -> str:
    """Shapes as a region file of CASA; all in one frame.

    Raises
    ------
    MarkError
        When the format cannot hold one of them.
    """
    shapes = list(shapes)
    lost = next((shape.form for shape in shapes if shape.form in _NOT_CRTF), "")
    if lost:
        raise MarkError(f"CRTF has no {lost.replace('_', ' ')}; save these shapes for DS9")
    told = regions.Regions([to_region(shape) for shape in shapes])
    system = {"pixel": "image", "ecliptic": "barycentricmeanecliptic"}.get(frame, frame)
    try:
        text = str(told.serialize(format="crtf", coordsys=system, fmt=".10f", radunit="deg"))
    except Exception as error:
        # What it cannot write ends in whatever breaks inside it.
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise MarkError(f"CRTF cannot hold these shapes ({reason}); save them for DS9") from error
    return _POINT.sub(r"\1symbol[\2, .]", text)  # as CASA names it
