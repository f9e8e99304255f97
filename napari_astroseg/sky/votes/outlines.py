"""Outlines: drawn paths as counts per pixel, by the rule of Galaxy Zoo 3D, and masks as outlines.

The rule: each path is closed; one that crosses or touches itself before that counts nowhere; any
other adds one vote to every pixel whose centre lies inside. Pixel (0, 0) has its centre at (0, 0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.float64]
"""Places (x, y) along a line, (N, 2), px."""

Piece = tuple[NDArray[np.bool_], tuple[int, int]]


def counts_inside(paths: Sequence[Path], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """How many of the paths each pixel's centre lies inside, (H, W)."""
    from matplotlib.path import Path as Outline  # it costs an import, and its rule is theirs

    counts = np.zeros(shape, np.uint16)
    for path in paths:
        if len(path) < 3 or not is_simple(path):
            continue
        low = np.maximum(np.ceil(path.min(0)).astype(int), 0)
        high = np.minimum(np.floor(path.max(0)).astype(int), (shape[1] - 1, shape[0] - 1)) + 1
        if (low >= high).any():
            continue
        rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]]
        places = np.column_stack((columns.ravel(), rows.ravel()))
        inside = Outline(np.vstack((path, path[:1]))).contains_points(places)
        counts[low[1] : high[1], low[0] : high[0]] += inside.reshape(rows.shape)
    return counts


def is_simple(path: Path) -> bool:
    """Whether a line neither crosses nor touches itself, but for its two ends meeting."""
    moved = np.ones(len(path), bool)
    moved[1:] = (np.diff(path, axis=0) != 0).any(1)
    points = path[moved]
    closed = len(points) > 2 and bool((points[0] == points[-1]).all())
    start, end = points[:-1], points[1:]
    for i in range(len(start)):
        a, b = start[i], end[i]
        later = slice(i + 2, len(start) - 1 if closed and i == 0 else None)
        if _meet(a, b, start[later], end[later]).any():
            return False
        if i + 1 < len(start) and _folds(a, b, end[i + 1]):
            return False
    return not (closed and _folds(start[-1], end[-1], end[0]))


def outlines(mask: NDArray[np.bool_]) -> list[Path]:
    """Outlines that, counted, give a mask (H, W) again; a piece with holes is cut through each."""
    from skimage.measure import find_contours

    found = []
    for piece, (x, y) in _solid(np.asarray(mask, bool), (0, 0)):
        (line,) = find_contours(np.pad(piece, 1).astype(float), 0.5, fully_connected="low")
        found.append(np.column_stack((line[:-1, 1] - 1 + x, line[:-1, 0] - 1 + y)))
    return found


def _solid(mask: NDArray[np.bool_], at: tuple[int, int]) -> Iterator[Piece]:
    """The pieces of a mask whose pixels share sides, without holes, and their corners (x, y)."""
    from scipy import ndimage

    labels, _ = ndimage.label(mask)
    for number, window in enumerate(ndimage.find_objects(labels), 1):
        piece = labels[window] == number
        corner = at[0] + window[1].start, at[1] + window[0].start
        holes, count = ndimage.label(np.pad(~piece, 1, constant_values=True), np.ones((3, 3)))
        if count == 1:
            yield piece, corner
            continue
        row = ndimage.find_objects(holes)[1][0].start  # the outside is the first one
        yield from _solid(piece[:row], corner)
        yield from _solid(piece[row:], (corner[0], corner[1] + row))


def _meet(a: Path, b: Path, start: Path, end: Path) -> NDArray[np.bool_]:
    """Which of the lines from `start` to `end` share a place with the one from a to b."""
    from_a, from_b = _side(start, end, a), _side(start, end, b)
    of_start, of_end = _side(a, b, start), _side(a, b, end)
    apart = (from_a * from_b > 0) | (of_start * of_end > 0)
    boxes = (np.minimum(start, end) <= np.maximum(a, b)) & (
        np.maximum(start, end) >= np.minimum(a, b)
    )
    met: NDArray[np.bool_] = ~apart & boxes.all(1)
    return met


def _side(a: Path, b: Path, place: Path) -> NDArray[np.float64]:
    """On which side of the line from a to b a place lies: the sign, 0 on it."""
    along, to = b - a, place - a
    side: NDArray[np.float64] = np.sign(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])
    return side


def _folds(a: Path, b: Path, c: Path) -> bool:
    """Whether a line from a to b runs back on itself to c."""
    return bool(_side(a, b, c) == 0 and np.dot(b - a, c - b) < 0)
