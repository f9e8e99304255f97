"""Shape: a circle, box, polygon … on the sky or in pixels, with class, name, who and when."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast, get_args

from astropy.coordinates import (
    FK4,
    FK5,
    ICRS,
    BarycentricMeanEcliptic,
    BaseCoordinateFrame,
    Galactic,
    SkyCoord,
)
from numpy.typing import ArrayLike

from napari_astroseg.errors import MarkError

Form = Literal[
    "point", "text", "line", "polygon", "circle", "ellipse", "box",
    "annulus", "ellipse_annulus", "box_annulus",
]  # fmt: skip
Frame = Literal["pixel", "icrs", "fk5", "fk4", "galactic", "ecliptic"]
Point = tuple[float, float]

MOST_VERTICES = 100_000
"""Of one polygon."""

_SKY = {
    "icrs": ICRS(),
    "fk5": FK5(equinox="J2000"),
    "fk4": FK4(equinox="B1950"),
    "galactic": Galactic(),
    "ecliptic": BarycentricMeanEcliptic(equinox="J2000"),
}
_LARGEST_ARCSEC = 90 * 3600.0
_FARTHEST_PX = 1e9
_LONGEST_TEXT = 10_000


class Make(NamedTuple):
    """What a form is made of: how many points, and what its sizes are called."""

    fewest: int
    most: int
    sizes: tuple[str, ...] = ()


MAKES: Mapping[Form, Make] = {
    "point": Make(1, 1),
    "text": Make(1, 1),
    "line": Make(2, 2),
    "polygon": Make(3, MOST_VERTICES),
    "circle": Make(1, 1, ("radius",)),
    "ellipse": Make(1, 1, ("major", "minor")),
    "box": Make(1, 1, ("width", "height")),
    "annulus": Make(1, 1, ("inner_radius", "radius")),
    "ellipse_annulus": Make(1, 1, ("inner_major", "inner_minor", "major", "minor")),
    "box_annulus": Make(1, 1, ("inner_width", "inner_height", "width", "height")),
}
"""Of each form. Axes of ellipses are half their lengths, sides of boxes whole ones, as in DS9."""


@dataclass(frozen=True)
class Shape:
    """One shape; what it can be is checked when it is made.

    Parameters
    ----------
    form
        What it is.
    points
        Its centre, its two ends, or its vertices: longitude and latitude (deg), or x and y
        (0-based px).
    sizes
        As `MAKES` names them; arcsec on the sky, else px. An annulus has the inner ones first.
    angle
        Of the first axis, deg. In pixels from x towards y; on the sky from west through north:
        the position angle + 90, as DS9 and `regions` count.
    frame
        Of its points.
    class_name
        What it marks.
    name
        What it is called; of a text what it says.
    who, when
        Who drew it, and when.
    excludes
        Whether it takes away from what others mark.
    color, tags, style
        What a region file says besides, kept for the way back.

    Raises
    ------
    MarkError
        When there is no such shape.
    """

    form: Form
    points: tuple[Point, ...]
    sizes: tuple[float, ...] = ()
    angle: float = 0.0
    frame: Frame = "pixel"
    class_name: str = ""
    name: str = ""
    who: str = ""
    when: datetime | None = field(default=None, compare=False)
    excludes: bool = False
    color: str = ""
    tags: tuple[str, ...] = ()
    style: str = ""

    def __post_init__(self) -> None:
        make = MAKES.get(self.form)
        if make is None:
            raise MarkError(f"{self.form!r} is no shape; use one of {', '.join(MAKES)}")
        if self.frame not in get_args(Frame):
            raise MarkError(
                f"{self.frame!r} is no frame of a shape; use one of {', '.join(get_args(Frame))}"
            )
        if not make.fewest <= len(self.points) <= make.most:
            raise MarkError(_count_sentence(self.form, len(self.points), make))
        if len(self.sizes) != len(make.sizes):
            raise MarkError(
                f"{len(self.sizes)} sizes make no {_spoken(self.form)}; "
                f"give {' and '.join(map(_spoken, make.sizes)) or 'none'}"
            )
        if self.frame == "pixel":
            _check_pixels(self.points)
        else:
            _check_sky(self.points)
        _check_sizes(self, make)
        if not math.isfinite(self.angle):
            raise MarkError(f"an angle of {self.angle} is none; give degrees")
        texts = (self.class_name, self.name, self.who, self.color, self.style, *self.tags)
        if max(map(len, texts)) > _LONGEST_TEXT:
            raise MarkError(f"a text of over {_LONGEST_TEXT:,} letters is too long; shorten it")

    @property
    def on_sky(self) -> bool:
        """Whether it is placed on the sky, not in pixels."""
        return self.frame != "pixel"

    @property
    def unit(self) -> str:
        """Of its sizes."""
        return "arcsec" if self.on_sky else "px"

    @property
    def centred(self) -> bool:
        """Whether it lies around one point with sizes of its own."""
        return bool(self.sizes)

    @property
    def has_angle(self) -> bool:
        """Whether it is turned by an angle, as what is round is not."""
        return len(self.sizes) > 1 and self.form != "annulus"

    @property
    def labels(self) -> tuple[str, ...]:
        """Class and tags, as region files keep them in one list; the first is the class."""
        return tuple(filter(None, (self.class_name, *self.tags)))

    @property
    def is_annulus(self) -> bool:
        """Whether it has a hole."""
        return self.form.endswith("annulus")

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads; what is as by default is left out."""
        told: dict[str, Any] = {
            "form": self.form,
            "frame": self.frame,
            "points": [list(point) for point in self.points],
        }
        more = {
            "sizes": list(self.sizes),
            "angle": self.angle,
            "class": self.class_name,
            "name": self.name,
            "who": self.who,
            "when": "" if self.when is None else self.when.isoformat(),
            "excludes": self.excludes,
            "color": self.color,
            "tags": list(self.tags),
            "style": self.style,
        }
        return told | {name: value for name, value in more.items() if value}

    @classmethod
    def from_json(cls, told: Any) -> Shape:
        """The shape that a JSON value describes.

        Raises
        ------
        MarkError
            When it describes none.
        """
        try:
            form, frame = _text(told["form"]), _text(told["frame"])
            when = _text(told.get("when", ""))
            return cls(
                form=cast(Form, form),  # what it can be is checked as it is made
                points=tuple((float(x), float(y)) for x, y in told["points"]),
                sizes=tuple(float(size) for size in told.get("sizes", ())),
                angle=float(told.get("angle", 0.0)),
                frame=cast(Frame, frame),
                class_name=_text(told.get("class", "")),
                name=_text(told.get("name", "")),
                who=_text(told.get("who", "")),
                when=datetime.fromisoformat(when) if when else None,
                excludes=bool(told.get("excludes", False)),
                color=_text(told.get("color", "")),
                tags=tuple(_text(tag) for tag in told.get("tags", ())),
                style=_text(told.get("style", "")),
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            reason = " ".join(str(error).split())[:100] or type(error).__name__
            raise MarkError(
                f"a shape is described by what makes none ({reason}); draw it anew"
            ) from error


def frame_named(frame: str) -> BaseCoordinateFrame:
    """A frame of shapes as astropy knows it."""
    return _SKY[frame]


def coordinates(lon: ArrayLike, lat: ArrayLike, frame: str) -> SkyCoord:
    """Positions (deg) in a frame of shapes."""
    return SkyCoord(lon, lat, unit="deg", frame=_SKY[frame])


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _text(told: Any) -> str:
    if not isinstance(told, str):
        raise TypeError(f"{told!r} where a text should be")
    return told


def _count_sentence(form: Form, count: int, make: Make) -> str:
    if form == "polygon" and count > make.most:
        return f"a polygon of {count:,} vertices is too long; give one of at most {make.most:,}"
    if form == "polygon":
        return f"{count} vertices make no polygon; give at least {make.fewest}"
    wanted = f"{make.most} point{'s' if make.most > 1 else ''}"
    return f"a {_spoken(form)} has {wanted}, not {count}; give {wanted}"


def _check_pixels(points: tuple[Point, ...]) -> None:
    for x, y in points:
        if not (abs(x) <= _FARTHEST_PX and abs(y) <= _FARTHEST_PX):  # NaN is neither
            raise MarkError(f"{x:g}, {y:g} is no place in an image; give its pixel position")


def _check_sky(points: tuple[Point, ...]) -> None:
    for lon, lat in points:
        if not (abs(lon) <= 720.0 and abs(lat) <= 90.0):
            raise MarkError(
                f"{lon:g}, {lat:g} deg is no place on the sky; give a longitude up to 360 and a "
                "latitude between -90 and 90 degrees"
            )


def _check_sizes(shape: Shape, make: Make) -> None:
    most = _LARGEST_ARCSEC if shape.on_sky else _FARTHEST_PX
    for name, size in zip(make.sizes, shape.sizes, strict=True):
        if not 0 < size <= most:
            bound = "above 0" if not size > most else f"up to {most:g} {shape.unit}"
            raise MarkError(f"a {_spoken(name)} of {size:g} {shape.unit} is none; give one {bound}")
    if shape.is_annulus:
        half = len(shape.sizes) // 2
        for inner, outer in zip(shape.sizes[:half], shape.sizes[half:], strict=True):
            if not inner < outer:
                raise MarkError(
                    f"an annulus from {inner:g} to {outer:g} {shape.unit} has nothing between; "
                    "give the inner size first, and a larger outer one"
                )
