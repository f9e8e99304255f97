"""Background: what to add to each tile so that overlapping tiles agree.

Every pair of tiles is compared on a coarse sample of their overlap: the median difference, in a
few cells each when planes are fitted, which stars and galaxies hardly move. Offsets, or planes,
follow from all differences together by least squares. Their mean over tiles that hang together
is zero, so that the mosaic keeps the tiles' common level (Montage does likewise: Berriman et al.
2004, ASP Conf. Ser. 314, 593).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.mosaics.mosaictile import Level, Tile
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.window import Window

_SIDE = 96
"""Most places along a side of an overlap that are compared."""

_CELLS = 4
"""Cells along a side when planes are fitted."""

_FEWEST = 16
"""Differences that a median needs."""


@dataclass(frozen=True)
class Difference:
    """How two tiles differ at one place.

    Parameters
    ----------
    one, other
        Numbers of the tiles.
    x, y
        Of the place, px of the mosaic.
    value
        Median of `other` minus `one`.
    error
        Its standard error.
    """

    one: int
    other: int
    x: float
    y: float
    value: float
    error: float


def levels(tiles: Sequence[Tile], planes: bool = False, progress: Progress = silent) -> list[Level]:
    """The level of every tile.

    Parameters
    ----------
    planes
        Fit a plane to each tile, not an offset alone.
    """
    pairs = list(overlaps(tiles))
    found: list[Difference] = []
    for done, (one, other, shared) in enumerate(pairs):
        progress("comparing tiles", done, len(pairs))
        found += compared(tiles, one, other, shared, _CELLS if planes else 1)
    return solved(found, len(tiles), planes)


def overlaps(tiles: Sequence[Tile]) -> Iterator[tuple[int, int, Window]]:
    """Pairs of tiles whose windows overlap, and where; each pair once."""
    order = sorted(range(len(tiles)), key=lambda number: tiles[number].window.x)
    for place, one in enumerate(order):
        for other in order[place + 1 :]:
            if tiles[other].window.x >= tiles[one].window.x_end:
                break  # so do all that follow
            shared = tiles[one].window.overlap(tiles[other].window)
            if shared is not None:
                yield one, other, shared


def compared(
    tiles: Sequence[Tile], one: int, other: int, shared: Window, cells: int
) -> list[Difference]:
    """Median differences in cells of an overlap; none where too few values are common."""
    step_x, step_y = -(-shared.width // _SIDE), -(-shared.height // _SIDE)
    rows = range(shared.y + step_y // 2, shared.y_end, step_y)
    columns = range(shared.x + step_x // 2, shared.x_end, step_x)
    difference = tiles[other].values(rows, columns) - tiles[one].values(rows, columns)
    found = []
    for of_rows in np.array_split(np.arange(len(rows)), cells):
        for of_columns in np.array_split(np.arange(len(columns)), cells):
            part = difference[np.ix_(of_rows, of_columns)]
            present = np.isfinite(part)
            count = int(np.count_nonzero(present))
            if count < _FEWEST:
                continue
            i, j = np.nonzero(present)
            values = part[present].astype(float)
            value = float(np.median(values))
            spread = 1.4826 * float(np.median(np.abs(values - value)))
            x = float(np.mean(np.array(columns)[of_columns[j]]))
            y = float(np.mean(np.array(rows)[of_rows[i]]))
            found.append(Difference(one, other, x, y, value, 1.2533 * spread / np.sqrt(count)))
    return found


def solved(found: Sequence[Difference], count: int, planes: bool = False) -> list[Level]:
    """Levels that make the differences as small as they can be; their means are zero.

    The shortest of all solutions is taken: what is common to tiles that hang together, and
    therefore not determined, is zero.
    """
    if not found:
        return [Level()] * count
    from scipy.sparse import csr_matrix  # only mosaics need it
    from scipy.sparse.linalg import lsqr

    errors = np.array([each.error for each in found])
    typical = float(np.median(errors[errors > 0])) if np.any(errors > 0) else 1.0
    weights = 1.0 / np.hypot(errors, typical)  # no pair counts for everything
    places = np.array([(each.x, each.y) for each in found])
    middle, extent = places.mean(axis=0), max(1.0, float(np.ptp(places, axis=0).max()))
    terms = np.ones((len(found), 1))
    if planes:
        terms = np.hstack([terms, (places - middle) / extent])
    size = terms.shape[1]
    one, other = (np.array([getattr(each, end) for each in found]) for end in ("one", "other"))
    weighted = (terms * weights[:, None]).ravel()
    rows = np.repeat(np.arange(len(found)), size)
    columns = [(number[:, None] * size + np.arange(size)).ravel() for number in (one, other)]
    matrix = csr_matrix(
        (
            np.concatenate([-weighted, weighted]),
            (np.concatenate([rows, rows]), np.concatenate(columns)),
        ),
        shape=(len(found), count * size),
    )
    wanted = -np.array([each.value for each in found]) * weights
    answer = lsqr(matrix, wanted, atol=1e-12, btol=1e-12, iter_lim=20 * count * size + 100)[0]
    return [_level(each, middle, extent) for each in answer.reshape(count, size)]


def _level(answer: NDArray[np.float64], middle: NDArray[np.float64], extent: float) -> Level:
    """Offset and slopes from the corner of the mosaic, out of those about the middle."""
    if len(answer) == 1:
        return Level(float(answer[0]))
    slope = answer[1:] / extent
    return Level(float(answer[0] - slope @ middle), float(slope[0]), float(slope[1]))
