"""Ds9 writing: shapes as the lines of a DS9 region file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from napari_astroseg.sky.shapes.shape import Shape

_NAMES = {"annulus": "annulus", "ellipse_annulus": "ellipse", "box_annulus": "box"}
_FRAMES = {"pixel": "image"}
_BREAKS = re.compile(r"[\r\n]+")


def ds9_lines(shapes: Iterable[Shape], comments: Sequence[str] = ()) -> Iterator[str]:
    """The lines of a region file; the class is written as the first tag, the name as the text.

    Who drew a shape, and when, has no place there: a catalogue has.
    """
    yield "# Region file format: DS9 version 4.1"
    yield from (f"# {_BREAKS.sub(' ', comment).lstrip('# ')}" for comment in comments)
    frame = ""
    for shape in shapes:
        if shape.frame != frame:
            frame = shape.frame
            yield _FRAMES.get(frame, frame)
        yield _line(shape)


def _line(shape: Shape) -> str:
    numbers = [*_points(shape), *_sizes(shape)]
    if shape.has_angle:
        numbers.append(_number(shape.angle, 6))
    sign = "-" if shape.excludes else ""
    properties = list(_properties(shape))
    region = f"{_NAMES.get(shape.form, shape.form)}({','.join(numbers)})"
    if shape.form == "text":
        return " ".join([f"# {sign}{region}", *properties])
    return " ".join([f"{sign}{region}", *(["#", *properties] if properties else [])])


def _points(shape: Shape) -> Iterator[str]:
    """To 4 µas, or to a millionth of a pixel."""
    for x, y in shape.points:
        if shape.on_sky:
            yield from (_number(x % 360.0, 9), _number(y, 9))
        else:
            yield from (_number(x + 1.0, 6), _number(y + 1.0, 6))


def _sizes(shape: Shape) -> Iterator[str]:
    mark = '"' if shape.on_sky else ""
    return (f"{size:.10g}{mark}" for size in shape.sizes)


def _properties(shape: Shape) -> Iterator[str]:
    if shape.color:
        yield f"color={_word(shape.color)}"
    if shape.name or shape.form == "text":
        yield f"text={_braced(shape.name)}"
    yield from (f"tag={_braced(label)}" for label in shape.labels)
    if shape.style:
        yield _BREAKS.sub(" ", shape.style)


def _braced(text: str) -> str:
    """Text in braces, which must hold none itself."""
    return "{" + _BREAKS.sub(" ", text).replace("{", "(").replace("}", ")") + "}"


def _word(text: str) -> str:
    return "".join(text.split()).replace(";", "")


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"
