"""Footprints: which pixels of a map lie inside each structure, and which in the ring around it.

Every pixel of sky belongs to the ring of its nearest structure only. So what a ring shows is never
the wing of a neighbour, and however crowded a map is, no pixel is looked at twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.window import Window

Labels = NDArray[np.integer[Any]]
Ints = NDArray[np.int64]

BLOCK = 2048
"""Side of the squares in which a map is gone through, pixels."""

CELL = 32
"""Side of the squares in which stars are told from sky, pixels; blocks begin and end with them."""

_NARROWEST, _WIDEST = 4, 16
"""Of a ring that follows its structure's width, pixels."""

_PLACES_APART = 6
"""How far around it a structure's footprint is put elsewhere, in widths of its outer ring."""

_FAR = 768
"""And at most this far, unless the structure itself is wider, pixels."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """Pixels of several structures, one structure's after another's.

    Parameters
    ----------
    rows, columns
        Of each pixel, in the block's window.
    starts
        Where each structure's begin, and at last where the last one's end.
    """

    rows: Ints
    columns: Ints
    starts: Ints

    @property
    def counts(self) -> Ints:
        """Number of pixels of each structure."""
        return np.diff(self.starts)


@dataclass(frozen=True, eq=False)
class Block:
    """Some structures of a map, and the part of it that must be read for them.

    Parameters
    ----------
    ids
        Their labels, ascending.
    window
        What to read: their footprints, and the sky in reach around them.
    step_px, reach_px
        For each: how far from it its footprint is clear of it, and how far it is put elsewhere.
    ring_px
        Width of each one's ring.
    """

    ids: Ints
    window: Window
    step_px: NDArray[np.float64]
    reach_px: NDArray[np.float64]
    ring_px: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Footprints:
    """Where the structures of a block are, where their rings, and where there is none of either."""

    inside: Pixels
    ring: Pixels
    sky: NDArray[np.bool_]
    """True at valid pixels farther than the gap from every structure."""


def blocks(labels: Labels, gap_px: float, ring_px: float | None) -> Iterator[Block]:
    """The structures of a map, in groups of neighbours.

    Parameters
    ----------
    labels
        (H, W), 0 outside.
    gap_px
        Between a structure and its ring.
    ring_px
        Width of all rings; None for each as wide as its structure, 4 to 16 pixels.

    Notes
    -----
    A structure belongs to the block of its middle; a block is as large as its structures ask.
    """
    boxes = ndimage.find_objects(labels)
    ids = np.array([i for i, box in enumerate(boxes, 1) if box is not None], np.int64)
    if not len(ids):
        return
    spans = np.array([[s for axis in boxes[i - 1] for s in (axis.start, axis.stop)] for i in ids])
    width = mean_widths(labels)[ids]
    ring = np.clip(width, _NARROWEST, _WIDEST) if ring_px is None else np.full(len(ids), ring_px)
    step = 2.0 * (gap_px + ring) + width
    reach = np.minimum(_PLACES_APART * step, np.maximum(_FAR, 2.0 * step))
    middle = (spans[:, [0, 2]] + spans[:, [1, 3]]) // 2 // BLOCK
    of_block = middle[:, 0] * (middle[:, 1].max() + 1) + middle[:, 1]
    for each in np.unique(of_block):
        here = np.nonzero(of_block == each)[0]
        margin = int(np.ceil(reach[here].max()))
        top, left = spans[here, 0].min(), spans[here, 2].min()
        bottom, right = spans[here, 1].max(), spans[here, 3].max()
        whole = Window(int(left), int(top), int(right - left), int(bottom - top))
        window = _in_cells(whole.grown(margin)).clipped((labels.shape[0], labels.shape[1]))
        yield Block(ids[here], window, step[here], reach[here], ring[here])


def _in_cells(window: Window) -> Window:
    """The least window of whole cells around one, so that no cell is seen in part."""
    x, y = window.x // CELL * CELL, window.y // CELL * CELL
    width, height = -(-window.x_end // CELL) * CELL - x, -(-window.y_end // CELL) * CELL - y
    return Window(x, y, width, height)


def footprints(labels: Labels, valid: NDArray[np.bool_], block: Block, gap_px: float) -> Footprints:
    """The pixels of a block's structures and of their rings.

    Parameters
    ----------
    labels, valid
        (H, W) of the block's window; pixels that are not valid belong to nothing.
    """
    distance, (rows, columns) = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    nearest = labels[rows, columns]
    outer = np.full(int(labels.max(initial=0)) + 1, -1.0)
    outer[block.ids] = gap_px + block.ring_px
    sky = valid & (distance > gap_px)
    known = outer > 0.0
    return Footprints(
        _pixels(labels, valid & known[labels], block.ids),
        _pixels(nearest, sky & (distance <= outer[nearest]), block.ids),
        sky,
    )


def areas(labels: Labels) -> Ints:
    """Pixels of each label, 0 among them; counted band by band, as counting makes a copy."""
    area = np.zeros(int(labels.max(initial=0)) + 1, np.int64)
    for top in range(0, labels.shape[0], BLOCK):
        area += np.bincount(labels[top : top + BLOCK].ravel(), minlength=len(area))
    return area


def mean_widths(labels: Labels) -> NDArray[np.float64]:
    """Width of each structure in pixels, by label: twice its area over its edge; 0 for no such."""
    area = areas(labels)
    along = np.zeros(len(area), np.int64)
    for top in range(0, labels.shape[0], BLOCK):
        first = max(top - 1, 0)
        band = labels[first : top + BLOCK + 1]
        edge = np.zeros(band.shape, bool)
        across, down = band[:, 1:] != band[:, :-1], band[1:] != band[:-1]
        edge[:, 1:] |= across
        edge[:, :-1] |= across
        edge[1:] |= down
        edge[:-1] |= down
        own = slice(top - first, top - first + BLOCK)  # without its neighbours' rows
        along += np.bincount(band[own][edge[own]], minlength=len(area))
    return 2.0 * area / np.maximum(along, 1)


def _pixels(owner: Labels, mask: NDArray[np.bool_], ids: Ints) -> Pixels:
    """The pixels under the mask, by owner."""
    rows, columns = np.nonzero(mask)
    of = owner[rows, columns]
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], np.append(ids, ids[-1] + 1))
    return Pixels(rows[order], columns[order], starts)
