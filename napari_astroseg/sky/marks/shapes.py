"""Shapes in a store: each a value of its own, so that undo goes over strokes and shapes alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.draft import Draft
from napari_astroseg.sky.marks.history import Change
from napari_astroseg.sky.marks.state import chunks_of
from napari_astroseg.sky.marks.steps import Json
from napari_astroseg.sky.shapes.outline import rings
from napari_astroseg.sky.shapes.raster import marked, reach
from napari_astroseg.sky.shapes.shape import Shape

PREFIX = "shape/"
"""What the names of their values start with; the number follows."""

MOST = 200_000
"""In one store."""


class _Valued(Protocol):
    """A store, or a draft of one."""

    def values(self, start: str = "") -> dict[str, Json]: ...


def shapes_of(store: _Valued) -> dict[int, Shape]:
    """The shapes in a store, or as a draft leaves them, by number; oldest first.

    Raises
    ------
    MarkError
        When one of them makes no sense.
    """
    return read_shapes(store.values(PREFIX))


def read_shapes(values: Mapping[str, Json]) -> dict[int, Shape]:
    """The shapes among a store's values, by number."""
    told = {_number(name): value for name, value in values.items() if name.startswith(PREFIX)}
    return {number: Shape.from_json(told[number]) for number in sorted(told)}


def add_shapes(draft: Draft, shapes: Sequence[Shape]) -> list[int]:
    """Add shapes to a step.

    Returns
    -------
    The number of each.

    Raises
    ------
    MarkError
        When there would be too many.
    """
    taken = [_number(name) for name in draft.values(PREFIX)]
    if len(taken) + len(shapes) > MOST:
        raise MarkError(
            f"{len(taken) + len(shapes):,} shapes are more than the {MOST:,} that are kept on one "
            "image; remove some, or keep them as a catalogue"
        )
    first = max(taken, default=0) + 1
    numbers = list(range(first, first + len(shapes)))
    for number, shape in zip(numbers, shapes, strict=True):
        draft.set(f"{PREFIX}{number}", shape.to_json())
    return numbers


def put_shape(draft: Draft, number: int, shape: Shape) -> None:
    """Put a shape in the place of one that was moved or changed."""
    draft.set(f"{PREFIX}{number}", shape.to_json())


def remove_shapes(draft: Draft, numbers: Iterable[int]) -> None:
    """Take shapes away."""
    for number in numbers:
        draft.set(f"{PREFIX}{number}", None)


def changed_shapes(change: Change) -> tuple[int, ...]:
    """Numbers of the shapes that a step, or taking it back, put, changed or took away."""
    return tuple(_number(name) for name in change.values if name.startswith(PREFIX))


def mark_shapes(
    draft: Draft, shapes: Sequence[Shape], image: SkyImage, labels: Mapping[str, int]
) -> None:
    """Set the labels of all pixels inside shapes, the later over the earlier.

    Parameters
    ----------
    draft
        Of whose annotator the mask is; it goes chunk by chunk, however large a shape is.
    image
        That the marks belong to.
    labels
        Class → its label; "" for shapes of any other.

    Raises
    ------
    MarkError
        When a class has no label, or a shape cannot be placed.
    """
    for shape, label in zip(shapes, _labels(shapes, labels), strict=True):
        (outline,) = rings([shape], image)
        window = reach(outline, image.shape)
        if window is None:
            continue
        for _, _, part in chunks_of(window, image.shape):
            inside = marked(shape, outline, part)
            if inside.any():
                own = draft.read(part)
                own[inside] = label
                draft.write(part, own)


def _labels(shapes: Sequence[Shape], labels: Mapping[str, int]) -> Iterator[int]:
    by_name = {name.lower(): label for name, label in labels.items()}
    for shape in shapes:
        label = by_name.get(shape.class_name.lower(), by_name.get(""))
        if shape.excludes:
            label = 0
        if label is None:
            raise MarkError(
                f"there is no class {shape.class_name or 'for shapes without one'} to mark "
                f"pixels by; use one of {', '.join(filter(None, labels)) or 'your own'}"
            )
        yield label


def _number(name: str) -> int:
    number = name.removeprefix(PREFIX)
    if not number.isdecimal() or len(number) > 9:
        raise MarkError(f"{name[:40]} in these marks is no shape; restore them from a copy")
    return int(number)
