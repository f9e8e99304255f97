"""What `astroseg dataset` does about crops without bubbles: drawn, parted, dropped, drawn up."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_astroseg.errors import DataError

if TYPE_CHECKING:
    from napari_astroseg.sky.clusters.choice import Choice
    from napari_astroseg.sky.datasets.dataset import Dataset
    from napari_astroseg.sky.progress import Progress

_SHOWN, _SIDE = 16, 64
"""Crops of a class in the picture, and their side, px."""


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the words."""
    verb.add_argument(
        "--non-bubbles",
        type=int,
        metavar="N",
        help="draw N crops without bubbles, part them into classes, and keep these beside the data",
    )
    verb.add_argument("--classes", type=int, default=9, metavar="N", help="how many classes (9)")
    verb.add_argument("--seed", type=int, default=0, metavar="S", help="another draws others (0)")
    verb.add_argument(
        "--drop", metavar="A,B", help="classes that no network is shown, by number; '' for none"
    )


def chosen(
    options: argparse.Namespace, data: Dataset, progress: Progress
) -> tuple[Choice, tuple[str, ...]] | None:
    """The choice asked for, kept beside the data, and notes on it; None where none was asked for.

    Raises
    ------
    DataError
        When it cannot be made, or would take the place of one that somebody made.
    """
    from napari_astroseg.sky.clusters.choice import FILE, Choice
    from napari_astroseg.sky.clusters.nonbubbles import find_non_bubbles

    if options.non_bubbles is None and options.drop is None:
        return None
    place: Path = options.folder
    notes: tuple[str, ...] = ()
    if options.non_bubbles is None:
        choice = Choice.read(place)
        choice.require(data)
    elif (place / FILE).exists():
        raise DataError(f"{place / FILE} is there already; remove it to draw anew")
    else:
        count, seed = options.non_bubbles, options.seed
        choice, notes = find_non_bubbles(data, count, options.classes, seed, progress=progress)
    if options.drop is not None:
        choice = choice.changed(dropped=[number - 1 for number in _numbers(options.drop)])
    choice.write(place)
    if options.non_bubbles is not None:
        _draw(data, choice, place / Path(FILE).with_suffix(".png"))
    return choice, notes


def told(choice: Choice, notes: tuple[str, ...]) -> list[str]:
    """A choice in words."""
    lines = [f"non-bubbles: {len(choice.classes)} classes, digest {choice.digest}"]
    for number, each in enumerate(choice.classes, 1):
        sides = [side for _, _, _, side in each.crops]
        words = f"  {number}: {len(sides):,} crops of {min(sides)} to {max(sides)} px"
        lines.append(f"{words}, dropped" if each.dropped else f"{words}, weight {each.weight:g}")
    return [*lines, *(f"  {note}" for note in notes)]


def described(choice: Choice, notes: tuple[str, ...]) -> dict[str, Any]:
    """A choice as an object of `--json`."""
    classes = [
        {"crops": len(each.crops), "dropped": each.dropped, "weight": each.weight}
        for each in choice.classes
    ]
    return {"digest": choice.digest, "classes": classes, "notes": list(notes)}


def _numbers(words: str) -> list[int]:
    """Numbers of classes, from 1."""
    try:
        return [int(word) for word in words.split(",") if word.strip()]
    except ValueError:
        raise DataError(
            f"--drop {words} names no classes; give their numbers, such as --drop 3,7"
        ) from None


def _draw(data: Dataset, choice: Choice, path: Path) -> None:
    """Write a picture with a strip for each class, the first on top."""
    import numpy as np
    from PIL import Image

    from napari_astroseg.sky.clusters.nonbubbles import GAP, strip
    from napari_astroseg.sky.files.writing import replacing

    strips = [strip(data, choice, n, _SHOWN, _SIDE) for n in range(len(choice.classes))]
    whole = np.concatenate([np.pad(each, ((0, GAP), (0, 0), (0, 0))) for each in strips])
    with replacing(path) as temporary:
        Image.fromarray(whole).save(temporary, "png")
