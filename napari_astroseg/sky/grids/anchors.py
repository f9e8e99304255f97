"""Anchors: an image placed on another by points that are the same in both, marked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.grids.affine import Affine, affine_through
from napari_astroseg.sky.grids.align import Aligned, Alignment
from napari_astroseg.sky.grids.grid import Doubles
from napari_astroseg.sky.grids.labelled import holds_labels
from napari_astroseg.sky.grids.laid import Laid
from napari_astroseg.sky.grids.warp import Sampling
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

Pair = tuple[tuple[float, float], tuple[float, float]]
"""(x, y) on an image, and on the one that it is put on."""

_APART_PX = 1.0
"""Points that are nearer tell nothing of a direction; so much they must lie off one line."""


def match_anchors(
    image: SkyImage, onto: SkyImage, pairs: Sequence[Pair], sampling: Sampling | None = None
) -> Aligned:
    """An image on the pixels of another by pairs of points; neither needs sky coordinates.

    Parameters
    ----------
    image
        What to show.
    onto
        Whose pixels to show it on; the answer has its sky, if any.
    pairs
        0-based pixel (x, y) of a point in `image` and in `onto`. Two are turned, stretched and
        shifted onto one another; three or more also sheared and mirrored, by least squares.
    sampling
        `nearest` for labels and flags; None for that where `holds_labels` says so.

    Raises
    ------
    ImageError
        When they are too few, too close together, or on a line; or when the images then lie
        apart.
    """
    points = np.array([[*there, *here] for there, here in pairs], float).reshape(-1, 4)
    if not np.isfinite(points).all():
        raise ImageError("a point to match by has no position; mark it again in both images")
    if len(points) < 2:
        few = "one pair of points" if len(points) else "no points"
        raise ImageError(f"{image.name} cannot be placed by {few}; mark at least two pairs")
    there, here = points[:, :2].T, points[:, 2:].T
    _require_apart(there, image.name)
    _require_apart(here, onto.name)
    forth = _similarity(there, here) if len(points) == 2 else _affine(there, here)
    found = np.stack(forth.at(there[0], there[1]))
    places = forth.inverse(onto.shape)
    window = _reach(forth, image.shape).overlap(Window.whole(onto.shape))
    if window is None:
        raise ImageError(
            f"matched by these points, {image.name} lies beside {onto.name}; mark them again"
        )
    labels = sampling is None and holds_labels(image)
    taken: Sampling = sampling or ("nearest" if labels else "bilinear")
    off = float(np.hypot(*(found - here)).max())
    how = Alignment("anchors", off, pairs=len(points), sampling=taken, labels=labels)
    part = places.coarser(1, window, (0, 0))
    laid = Laid.of(image, onto.shape, window, part, taken)
    return Aligned(laid.image(image, onto, how.told), how)


def _require_apart(points: Doubles, name: str) -> None:
    """Refuse points that lie together, or three and more on a line."""
    sides = np.linalg.svd(points - points.mean(axis=1, keepdims=True), compute_uv=False)
    if sides[0] < _APART_PX:
        raise ImageError(
            f"the points marked in {name} lie within a pixel of one another; "
            "mark some that are far apart"
        )
    if points.shape[1] > 2 and sides[1] < _APART_PX:
        raise ImageError(
            f"the points marked in {name} lie on one line; mark one beside it, or only two"
        )


def _similarity(there: Doubles, here: Doubles) -> Affine:
    """The turn, stretch and shift that takes two points to two others."""
    old, new = (complex(*(points[:, 1] - points[:, 0])) for points in (there, here))
    turn = new / old
    a, b = turn.real, turn.imag
    x, y = there[:, 0].tolist()
    to_x, to_y = here[:, 0].tolist()
    return Affine((1, 1), (to_x - a * x + b * y, a, -b), (to_y - b * x - a * y, b, a))


def _affine(there: Doubles, here: Doubles) -> Affine:
    """The affine that takes points nearest to others, by least squares."""
    found = affine_through((there[0], there[1]), (here[0], here[1]), (1, 1))
    if found is None:
        raise ImageError("these points place no image; mark some that are far apart")
    return found


def _reach(forth: Affine, shape: tuple[int, int]) -> Window:
    """The pixels that an image of `shape` is taken to."""
    height, width = shape
    x, y = forth.at(
        np.array([-0.5, width - 0.5, -0.5, width - 0.5]),
        np.array([-0.5, -0.5, height - 0.5, height - 0.5]),
    )
    left, low = (int(np.floor(each.min() + 0.5)) for each in (x, y))
    right, high = (int(np.ceil(each.max() - 0.5)) for each in (x, y))
    return Window(left, low, right - left + 1, high - low + 1)
