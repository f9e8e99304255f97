"""Ds9: region files of SAOImage DS9, line by line; what cannot be read costs a sentence only.

Read is the format of its reference manual, with the dialects that are met: several regions on a
line, units behind numbers that differ from the frame's, `# text(…)`, legacy `circle point x y`.
A shape whose sizes and places are in different units is kept in those of its sizes. The first tag
is taken as the class, the text as the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes import tokens
from napari_astroseg.sky.shapes.imported import Collector
from napari_astroseg.sky.shapes.physical import Physical
from napari_astroseg.sky.shapes.placing import frame_of
from napari_astroseg.sky.shapes.shape import Form, Frame, Point, Shape, coordinates, frame_named
from napari_astroseg.sky.shapes.tokens import Properties, Where

Doubles = NDArray[np.float64]
Measure = tuple[float, Where]
"""A coordinate or a size, and what it counts along."""

_FRAMES: dict[str, Frame] = {
    "icrs": "icrs", "fk5": "fk5", "j2000": "fk5", "fk4": "fk4", "b1950": "fk4",
    "galactic": "galactic", "ecliptic": "ecliptic",
}  # fmt: skip
_FOREIGN = re.compile(r"linear|amplifier|detector|tile|wcs[a-z0]?$")
_UNREAD = {
    "vector", "ruler", "compass", "projection", "segment", "panda", "cpanda", "epanda", "bpanda"
}  # fmt: skip
_SYMBOLS = {"circle", "box", "diamond", "cross", "x", "arrow", "boxcircle"}
_FORMS: dict[str, Form] = {
    "point": "point", "text": "text", "line": "line", "polygon": "polygon", "circle": "circle",
    "ellipse": "ellipse", "box": "box", "annulus": "annulus",
}  # fmt: skip
_OF_RINGS: dict[Form, tuple[int, Form, Form]] = {
    "annulus": (1, "annulus", "circle"),
    "ellipse": (2, "ellipse_annulus", "ellipse"),
    "box": (2, "box_annulus", "box"),
}
"""Sizes of one ring, what two of them make, and what one makes."""

_HEADER = re.compile(r"#\s*(region file format|filename)", re.IGNORECASE)
_BEHIND_HASH = re.compile(r"#\s*([+-]?(?:text|composite|vector|ruler|compass|projection|segment|"
                          r"[ceb]?panda)\s*\(.*)", re.IGNORECASE)  # fmt: skip
_QUOTED = re.compile(r"""\{[^}]*\}|=\s*"[^"]*"|=\s*'[^']*'""")
_HEAD = re.compile(r"\s*([+-]?)\s*([A-Za-z]\w*)\s*")
_SPACE = re.compile(r"[\s,]+")
_DIRECT = re.compile(r"\{([^}]*)\}")


class Ds9Reader:
    """Reads lines, one after another; frame and global properties go on to the next.

    Parameters
    ----------
    image
        That the shapes are to lie on.
    found
        Where they go.
    who, when
        Who brings them, and when.
    """

    def __init__(
        self, image: SkyImage, found: Collector, who: str = "", when: datetime | None = None
    ) -> None:
        self._image = image
        self._found = found
        self._who, self._when = who, when
        self._where: Where | None = "physical"  # as DS9 takes what says nothing
        self._sky: Frame = "fk5"
        self._named = "physical"
        self._global = Properties()
        self._physical: Physical | None = None

    def line(self, number: int, written: str) -> None:
        """One line of the file."""
        written = written.strip()
        if written.startswith("#"):
            behind = _BEHIND_HASH.match(written)
            if behind is None:
                if not _HEADER.match(written) and written.strip("# "):
                    self._found.comment(written)
                return
            written = behind[1]
        for statement in _statements(written):
            where = f"line {number:,}"
            try:
                for shape in self._statement(statement):
                    self._found.add(where, shape)
            except MarkError as error:
                self._found.skip(where, str(error))

    def _statement(self, written: str) -> Iterator[Shape]:
        head = _HEAD.match(written)
        if head is None:
            if written.strip():
                raise MarkError(f"{written.strip()[:60]!r} is no region; remove it")
            return
        sign, name = head[1], head[2].lower()
        rest = written[head.end() :]
        if self._is_frame(name):
            if rest.strip():
                yield from self._statement(rest)
            return
        if name == "global":
            self._global = Properties.read(rest)
        elif name == "composite":  # its members follow, each by itself
            return
        elif name in _UNREAD:
            raise MarkError(f"a {name} marks nothing that is kept; draw a polygon instead")
        elif name in _SYMBOLS and rest[:5].lower() == "point":
            yield from self._shapes("point", sign, rest[5:])
        elif name in _FORMS:
            yield from self._shapes(_FORMS[name], sign, rest)
        else:
            raise MarkError(f"{name[:40]!r} is no region that is known; draw it as a polygon")

    def _is_frame(self, name: str) -> bool:
        """Whether a word is one, which then holds from there on."""
        if name in _FRAMES:
            self._where, self._sky = "sky", _FRAMES[name]
        elif name in ("image", "physical"):
            self._where = "image" if name == "image" else "physical"
        elif _FOREIGN.match(name):
            self._where = None
        else:
            return False
        self._named = name
        return True

    def _shapes(self, form: Form, sign: str, rest: str) -> Iterator[Shape]:
        if self._where is None:
            raise MarkError(
                f"a {form} in {self._named} coordinates cannot be placed; save it in icrs or image"
            )
        numbers, properties, direct = _parted(rest)
        told = Properties.read(properties)
        points, sizes, angle = self._measures(form, numbers)
        include = told.include if told.include is not None else sign != "-"
        name, tags = told.text or direct, told.tags
        for own_form, own in _rings(form, sizes):
            frame, placed, lengths = self._placed(points, own)
            yield Shape(
                form=own_form,
                points=placed,
                sizes=lengths,
                angle=angle % 360.0,
                frame=frame,
                class_name=tags[0] if tags else "",
                name=name,
                who=self._who,
                when=self._when,
                excludes=not include,
                color=told.color or self._global.color,
                tags=tags[1:],
                style=told.style,
            )

    def _measures(
        self, form: Form, numbers: Sequence[str]
    ) -> tuple[list[Measure], list[Measure], float]:
        """Coordinates, sizes and angle, of which some count along other axes than the frame's."""
        assert self._where is not None
        places = {"line": 4, "polygon": len(numbers)}.get(form, 2)
        if len(numbers) < places or places % 2 or not places:
            raise MarkError(f"a {form} of {len(numbers)} numbers lacks a coordinate; give x and y")
        hours = self._sky not in ("galactic", "ecliptic")
        points = [
            tokens.position(token, self._where, hours and not n % 2)
            for n, token in enumerate(numbers[:places])
        ]
        left = list(numbers[places:])
        angle = 0.0
        if form in ("ellipse", "box") and len(left) % 2:
            angle = tokens.angle(left.pop())
        if form in ("point", "text", "line", "polygon"):
            left = []  # some write more, such as a point's symbol
        return points, _sizes(left, self._where), angle

    def _placed(
        self, points: list[Measure], sizes: list[Measure]
    ) -> tuple[Frame, tuple[Point, ...], tuple[float, ...]]:
        """Frame, points and sizes of a shape, all in one system."""
        kinds = {where for _, where in points}
        if len(kinds) > 1:
            raise MarkError("one coordinate on the sky and one in pixels name no place; mend them")
        (where,) = kinds
        xy = np.array([value for value, _ in points]).reshape(-1, 2)
        lengths = [self._length(*each) for each in sizes]
        on_sky = where == "sky"
        sky_sizes = [kind == "sky" for _, kind in sizes]
        if not on_sky:
            xy = (xy if where == "image" else self._of_physical.pixels(xy)) - 1.0
        frame: Frame = self._sky if on_sky else "pixel"
        if sizes and all(each != on_sky for each in sky_sizes):
            frame, xy = self._other(xy, frame)
        elif any(each != on_sky for each in sky_sizes):
            raise MarkError("some of its sizes are angles and some pixels; give one kind")
        return frame, tuple(map(tuple, xy.tolist())), tuple(lengths)

    def _length(self, length: float, where: Where) -> float:
        return length * self._of_physical.scale if where == "physical" else length

    def _other(self, xy: Doubles, frame: Frame) -> tuple[Frame, Doubles]:
        """A place on the sky in pixels, or the other way round, as its sizes are so."""
        if self._image.wcs is None:
            raise MarkError(
                f"its place and its size are in pixels and angles, and {self._image.name} has no "
                "sky coordinates to convert them; save both in image coordinates"
            )
        if frame == "pixel":
            own = frame_of(self._image)
            there = self._image.sky(*xy.T).transform_to(frame_named(own)).spherical
            return own, np.column_stack((there.lon.deg, there.lat.deg))
        x, y = self._image.pixel(coordinates(xy[:, 0], xy[:, 1], frame))
        return "pixel", np.column_stack((x, y))

    @property
    def _of_physical(self) -> Physical:
        if self._physical is None:
            self._physical = Physical.of(self._image)
        return self._physical


def _statements(written: str) -> Iterator[str]:
    """What semicolons part, but for those within texts."""
    if ";" not in written:
        yield written
        return
    plain = _QUOTED.sub(lambda found: "_" * len(found[0]), written)
    start = 0
    while (at := plain.find(";", start)) >= 0:
        yield written[start:at]
        start = at + 1
    yield written[start:]


def _parted(rest: str) -> tuple[list[str], str, str]:
    """The numbers of a region, its properties, and a text that stands in braces right behind."""
    numbers, properties = rest, ""
    closing = rest.find(")")
    if rest.startswith("(") and closing >= 0:
        numbers, properties = rest[1:closing], rest[closing + 1 :]
        properties = properties.lstrip(" |").removeprefix("#")
    else:
        direct = _DIRECT.search(rest)
        if direct and "#" not in rest[: direct.start()]:
            told = rest[direct.end() :].strip().removeprefix("#")
            return _words(rest[: direct.start()]), told, direct[1]
        numbers, _, properties = rest.partition("#")
    return _words(numbers), properties.strip(), ""


def _words(numbers: str) -> list[str]:
    return [word for word in _SPACE.split(numbers.strip(" ()|")) if word]


def _sizes(left: Sequence[str], where: Where) -> list[Measure]:
    """Sizes; `n=3` at the end of two cuts what is between them into three."""
    if left and left[-1].lower().startswith("n="):
        try:
            count = int(left[-1][2:])
        except ValueError:
            count = 0
        ends = [tokens.size(token, where) for token in left[:-1]]
        if len(ends) != 2 or not 1 <= count <= 1000:
            raise MarkError(f"{left[-1]!r} parts no annulus; give two radii before it")
        (first, kind), (last, _) = ends
        return [(float(each), kind) for each in np.linspace(first, last, count + 1)]
    return [tokens.size(token, where) for token in left]


def _rings(form: Form, sizes: list[Measure]) -> Iterator[tuple[Form, list[Measure]]]:
    """The shapes that one region is: several where it has several rings."""
    if form not in _OF_RINGS or len(sizes) <= 2:
        yield form, sizes
        return
    step, two, one = _OF_RINGS[form]
    for at in range(0, len(sizes) - step, step):
        inner, outer = sizes[at : at + step], sizes[at + step : at + 2 * step]
        hollow = any(length for length, _ in inner)
        yield (two, inner + outer) if hollow else (one, outer)
