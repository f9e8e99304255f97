"""Classes: what the labels of a store stand for, kept in it as values that can be taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.marks.draft import Draft
from napari_astroseg.sky.marks.sparse import Place
from napari_astroseg.sky.marks.steps import Json
from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.window import Window

PREFIX = "class/"
"""What the names of their values start with; the label follows."""

BACKGROUND = "background"
"""The class of what is certainly nothing."""

LARGEST = 255
"""Labels of classes end here, so that a mask of them fits into bytes."""

_COLOURS = (
    "#35f0c8", "#ffb454", "#6ea8ff", "#ff6e9c", "#8a93a6",
    "#c792ea", "#d3f261", "#ff8f6b", "#59d0ff", "#f2d5a0",
)  # fmt: skip
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LONGEST = 100


@dataclass(frozen=True)
class MarkClass:
    """A class.

    Parameters
    ----------
    label
        Of its pixels, 1 to 255.
    name
        What is drawn.
    colour
        As `#rrggbb`.
    key
        A digit that chooses it, 1 to 9; "" for none.
    """

    label: int
    name: str
    colour: str
    key: str = ""


Classes = tuple[MarkClass, ...]


def _first(names: tuple[str, ...]) -> Classes:
    made = zip(range(1, len(names) + 1), names, _COLOURS, strict=False)
    return tuple(MarkClass(label, name, colour, str(label)) for label, name, colour in made)


DEFAULTS = _first(("filament", "bubble", "galaxy", "star", BACKGROUND))
"""Those of a store that says nothing else."""


def classes_of(values: Mapping[str, Json]) -> Classes:
    """The classes among a store's values, by label; the defaults where there are none.

    Raises
    ------
    MarkError
        When one of them makes no sense.
    """
    found = [_read(name, told) for name, told in values.items() if name.startswith(PREFIX)]
    return tuple(sorted(found, key=lambda each: each.label)) or DEFAULTS


def new_class(classes: Classes, name: str = "") -> MarkClass:
    """A class with the first label, key and colour that none of the others has.

    Raises
    ------
    MarkError
        When there are as many as there can be.
    """
    labels, keys = {each.label for each in classes}, {each.key for each in classes}
    label = next((n for n in range(1, LARGEST + 1) if n not in labels), None)
    if label is None:
        raise MarkError(f"there are {LARGEST} classes already; rename one of them")
    key = next((digit for digit in "123456789" if digit not in keys), "")
    colour = _COLOURS[(label - 1) % len(_COLOURS)]
    return MarkClass(label, name or f"class {label}", colour, key)


def put_class(draft: Draft, classes: Classes, one: MarkClass) -> None:
    """Add a class, or change the one of its label; a key that it takes is taken from others.

    Raises
    ------
    MarkError
        When its name is empty, too long, or another's.
    """
    name = " ".join(one.name.split())
    others = [each for each in classes if each.label != one.label]
    if not 0 < len(name) <= _LONGEST:
        raise MarkError(f"a class needs a name of 1 to {_LONGEST} letters; type one")
    if any(each.name.lower() == name.lower() for each in others):
        raise MarkError(f"there is a class {name} already; choose another name")
    for each in others:
        freed = each if each.key != one.key else replace(each, key="")
        _set(draft, freed)
    _set(draft, replace(one, name=name))


def remove_class(draft: Draft, classes: Classes, label: int, places: set[Place]) -> None:
    """Take a class away, and what the draft's annotator drew of it in these chunks.

    Raises
    ------
    MarkError
        When it is the last one.
    """
    if len(classes) == 1:
        raise MarkError("this is the only class; rename it, or add another one first")
    for each in classes:
        _set(draft, each)
    draft.set(f"{PREFIX}{label}", None)
    for row, column in sorted(places):
        window = Window(column * CHUNK, row * CHUNK, CHUNK, CHUNK)
        labels = draft.read(window)
        drawn = labels == label
        if drawn.any():
            draft.write(window, np.where(drawn, np.uint16(0), labels))


def _set(draft: Draft, one: MarkClass) -> None:
    told = asdict(one)
    del told["label"]
    draft.set(f"{PREFIX}{one.label}", told)


def _read(name: str, told: Json) -> MarkClass:
    label = name.removeprefix(PREFIX)
    try:
        one = MarkClass(int(label), told["name"], told["colour"], told["key"])
        texts = one.name, one.colour, one.key
        if not (1 <= one.label <= LARGEST and all(isinstance(each, str) for each in texts)):
            raise ValueError(label)
        if not (_COLOUR.fullmatch(one.colour) and one.key in {"", *"123456789"}):
            raise ValueError(one.colour)
    except (ValueError, TypeError, KeyError) as error:
        raise MarkError(
            f"{name} in these marks describes no class; restore them from a copy"
        ) from error
    return one
