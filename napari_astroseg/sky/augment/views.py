"""Views: the seven ways in which a bubble is shown in an epoch (Nishimoto et al. 2025).

Centred in 1.7 of its box; at a random place in a crop of which it takes between 17 and 58 % of the
side; and the first of these turned three times and mirrored twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.augment.sample import Sample, scaled_boxes, seen_boxes
from napari_astroseg.sky.augment.turns import FLIPS, QUARTERS, STILL, Boxes, Turn
from napari_astroseg.sky.crops import crop
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

OF_BOX = 1.7
"""Side of a centred crop in units of the box."""

TRANSLATED = (0.17, 0.58)
"""Share of the side that the box takes in a crop where it lies at random, from and to."""


@dataclass(frozen=True)
class View:
    """A window of an image, and how what it shows is turned."""

    window: Window
    turn: Turn = STILL


def seven_views(
    box: Sequence[float] | NDArray[np.float64],
    rng: np.random.Generator,
    shape: tuple[int, int] | None = None,
) -> list[View]:
    """How one object is shown: centred, translated, three quarter turns, two flips.

    Parameters
    ----------
    box
        x_min, y_min, x_max, y_max, see `Boxes`. The windows may hang over the image's edges.
    shape
        (H, W) of the image: where it is given, the translated window lies inside if it can.
    """
    left, low, right, top = (float(edge) for edge in box)
    extent = max(right - left, top - low)
    centred = Window.around((left + right) / 2, (low + top) / 2, max(1, round(OF_BOX * extent)))
    side = max(1, round(extent / rng.uniform(*TRANSLATED)))
    height, width = (None, None) if shape is None else shape
    x = _corner(left, right, side, width, rng)
    y = _corner(low, top, side, height, rng)
    turned = [View(centred, turn) for turn in (*QUARTERS, *FLIPS)]
    return [View(centred), View(Window(x, y, side, side)), *turned]


def seen(
    image: SkyImage,
    boxes: Boxes,
    view: View,
    side: int,
    bands: Sequence[int] | None = None,
) -> Sample | None:
    """What a view shows of an image, on (side, side) pixels, and all objects it shows enough of.

    Parameters
    ----------
    boxes
        (N, 4) of all objects of the image; each counts as of kind 1.
    bands
        Which planes of the image, by number; all of them by default.

    Returns
    -------
    None where a pixel is missing.
    """
    planes = crop(image, view.window, side, bands)
    if planes is None:
        return None
    there, _ = seen_boxes(boxes, view.window)
    there = scaled_boxes(there, view.window.shape, side)
    return Sample(planes, there, np.ones(len(there), np.int64)).turned(view.turn)


def _corner(
    low: float, high: float, side: int, length: int | None, rng: np.random.Generator
) -> int:
    """First pixel of a window of `side` that shows all from edge `low` to edge `high`."""
    first, last = int(np.ceil(high + 0.5)) - side, int(np.floor(low + 0.5))
    first = min(first, last)
    if length is not None and max(first, 0) <= min(last, length - side):
        first, last = max(first, 0), min(last, length - side)
    return int(rng.integers(first, last + 1))
