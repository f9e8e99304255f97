"""Drawings: what each volunteer marked, and the votes that come of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.votes.clusters import clusters
from napari_astroseg.sky.votes.outlines import Path, counts_inside

Marks = Literal["points", "paths"]


@dataclass(frozen=True, eq=False)
class Drawing:
    """What one volunteer marked of one kind of thing; perhaps nothing.

    Parameters
    ----------
    number
        Of the classification.
    time
        When it was made, as the file writes it.
    name
        Who made it; "" for the volunteers of Galaxy Zoo, whose names are not published.
    marks
        `points` for places, one in each; `paths` for outlines.
    lines
        Places (x, y), (N, 2), px, with pixel centres at whole numbers.
    """

    number: int
    time: str
    name: str
    marks: Marks
    lines: tuple[Path, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing was marked."""
        return not self.lines


def counted(drawings: Sequence[Drawing], shape: tuple[int, int]) -> Iterator[NDArray[np.uint16]]:
    """The votes (H, W) that each drawing gives; they add up to the map of counts.

    A point gives one vote to the ellipse of the cluster that it makes with the other people's.
    """
    if not any(each.marks == "points" for each in drawings):
        for each in drawings:
            yield counts_inside(each.lines, shape)
        return
    places = [line for each in drawings for line in each.lines]
    found = clusters(np.concatenate(places)) if places else []
    ellipses = [each.ellipse(shape) for each in found]
    first = 0
    for each in drawings:
        votes = np.zeros(shape, np.uint16)
        last = first + sum(map(len, each.lines))
        for cluster, ellipse in zip(found, ellipses, strict=True):
            own = np.count_nonzero((cluster.members >= first) & (cluster.members < last))
            if own:
                votes += ellipse * np.uint16(own)
        first = last
        yield votes


def drawings_of(rows: Any, kind: str) -> tuple[tuple[Drawing, ...], int]:
    """The drawings in a table of raw classifications, and how many rows make no sense.

    Parameters
    ----------
    rows
        Of a FITS table with `{kind}_paths` or `{kind}_points`, as JSON.
    kind
        `center`, `star`, `spiral` or `bar`.
    """
    names = rows.dtype.names or ()
    marks: Marks = "paths" if f"{kind}_paths" in names else "points"
    column = f"{kind}_{marks}"
    if column not in names:
        return (), 0
    found: list[Drawing] = []
    broken = 0
    for row in rows:
        try:
            lines = _lines(json.loads(row[column]), marks)
        except (ValueError, TypeError):
            broken += 1
            continue
        number = int(row["classification_id"]) if "classification_id" in names else len(found) + 1
        time, name = (str(row[key]).strip() if key in names else "" for key in _TOLD)
        found.append(Drawing(number, time, _name(name), marks, lines))
    return tuple(found), broken


_TOLD = ("time_stamp", "annotator")


def _name(written: str) -> str:
    """A name whose letters beyond ASCII are written as in JSON."""
    try:
        return str(json.loads(f'"{written}"'))
    except ValueError:
        return written


def _lines(told: Any, marks: Marks) -> tuple[Path, ...]:
    """The lines of a JSON list of points or of lists of them."""
    lists = [[point] for point in told] if marks == "points" else told
    lines = tuple(np.array(each, float).reshape(-1, 2) for each in lists if each)
    if not all(np.isfinite(line).all() for line in lines):
        raise ValueError("a place without a number")
    return lines
