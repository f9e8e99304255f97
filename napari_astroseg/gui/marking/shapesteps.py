"""Shapesteps: what is done to shapes as steps of a store, in the thread that writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from napari_astroseg.gui.marking.shapeforms import Drawn, drawn_shapes, only_moved
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.classes import PREFIX as CLASS
from napari_astroseg.sky.marks.classes import classes_of
from napari_astroseg.sky.marks.history import Change
from napari_astroseg.sky.marks.shapes import (
    PREFIX,
    add_shapes,
    mark_shapes,
    put_shape,
    remove_shapes,
    shapes_of,
)
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.shapes.placing import on_sky
from napari_astroseg.sky.shapes.shape import Shape

Step = Callable[[MarkStore, str], Change | None]
"""Takes a store and whose marks are drawn; makes one step."""


def adding(name: str, shapes: Sequence[Shape], image: SkyImage) -> Step:
    """Add shapes; those in pixels are put on the sky, where the image has one."""

    def step(store: MarkStore, who: str) -> Change | None:
        now = datetime.now(UTC)
        own = [replace(each, who=each.who or who, when=each.when or now) for each in shapes]
        with store.step(name, who) as draft:
            add_shapes(draft, on_sky(own, image))
        return draft.change

    return step


def changing(name: str, changed: Mapping[int, tuple[Drawn, Shape]], image: SkyImage) -> Step:
    """Put shapes elsewhere, or in other sizes: number → as it was drawn, as it should be (px)."""

    def step(store: MarkStore, who: str) -> Change | None:
        now = datetime.now(UTC)
        with store.step(name, who) as draft:
            for number, (drawn, pixels) in changed.items():
                if store.value(f"{PREFIX}{number}") is not None:  # it has not gone meanwhile
                    put_shape(draft, number, replace(_placed(drawn, pixels, image), when=now))
        return draft.change

    return step


def telling(
    numbers: Sequence[int], *, class_name: str | None = None, name: str | None = None
) -> Step:
    """Give shapes a class or a name."""

    def step(store: MarkStore, who: str) -> Change | None:
        with store.step("name shapes", who) as draft:
            for number in numbers:
                kept = store.value(f"{PREFIX}{number}")
                if kept is None:
                    continue
                shape = Shape.from_json(kept)
                shape = shape if class_name is None else replace(shape, class_name=class_name)
                put_shape(draft, number, shape if name is None else replace(shape, name=name))
        return draft.change

    return step


def removing(numbers: Sequence[int]) -> Step:
    """Take shapes away."""

    def step(store: MarkStore, who: str) -> Change | None:
        with store.step(f"remove {_counted(len(numbers))}", who) as draft:
            remove_shapes(draft, numbers)
        return draft.change

    return step


def filling(numbers: Sequence[int], image: SkyImage) -> Step:
    """Label the pixels inside shapes by their classes; none for all shapes."""

    def step(store: MarkStore, who: str) -> Change | None:
        shapes = shapes_of(store)
        wanted = [shapes[number] for number in numbers or shapes if number in shapes]
        labels = {each.name: each.label for each in classes_of(store.values(CLASS))}
        with store.step(f"fill {_counted(len(wanted))}", who) as draft:
            mark_shapes(draft, wanted, image, labels)
        return draft.change

    return step


def read_drawn(
    store: MarkStore, image: SkyImage, numbers: Sequence[int] | None = None
) -> dict[int, Drawn | None]:
    """Shapes of a store as napari draws them, by number; None for one that is not there."""
    if numbers is None:
        return dict(drawn_shapes(shapes_of(store), image))
    told = {number: store.value(f"{PREFIX}{number}") for number in numbers}
    kept = {number: Shape.from_json(value) for number, value in told.items() if value is not None}
    drawn = drawn_shapes(kept, image)
    return {number: drawn.get(number) for number in numbers}


def _placed(drawn: Drawn, pixels: Shape, image: SkyImage) -> Shape:
    """What was changed in pixels as it is kept; only moved, it keeps its sizes to the digit."""
    if drawn.shape.on_sky and only_moved(drawn.pixels, pixels):
        (there,) = on_sky([Shape("point", pixels.points)], image)
        return replace(drawn.shape, points=there.points, frame=there.frame)
    (placed,) = on_sky([pixels], image)
    return placed


def _counted(count: int) -> str:
    return f"{count:,} shape{'s' * (count != 1)}"
