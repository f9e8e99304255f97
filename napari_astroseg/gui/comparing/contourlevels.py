"""Contour levels: the values along which lines are drawn, as written or as they suit a layer."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.gui.look.looks import sampled

_LOWEST, _HIGHEST = 0.5, 0.995
"""Quantiles of the lowest and the highest automatic level."""
_SAMPLE = 512


def read_levels(text: str) -> tuple[float, ...] | None:
    """Levels as the user writes them, "1 3 10" or "0.5, 1"; None for none.

    Raises
    ------
    ImageError
        When something is not a number.
    """
    words = re.split(r"[\s,;]+", text.strip())
    try:
        levels = sorted({float(word) for word in words if word})
    except ValueError as error:
        raise ImageError(
            f"{text.strip()!r} are no contour levels; give numbers such as 1 3 10, or nothing for "
            "automatic ones"
        ) from error
    if not np.isfinite(levels).all():
        raise ImageError(
            f"{text.strip()!r} are no contour levels: each must be finite; give numbers such as "
            "1 3 10"
        )
    return tuple(levels) or None


def chosen_levels(coarsest: Any, plane: int, count: int) -> tuple[float, ...]:
    """Levels at quantiles of all values, closer together where the picture is bright.

    From the median up, the share of the sky above each level is the same fraction of that above
    the level before. It may read.
    """
    values = sample_of(coarsest, plane)
    if not len(values):
        return ()
    above = np.geomspace(1 - _LOWEST, 1 - _HIGHEST, max(count, 2))[-count:]
    return tuple(sorted({float(each) for each in np.quantile(values, 1 - above)}))


def sample_of(coarsest: Any, plane: int) -> NDArray[np.float32]:
    """Finite values all over a layer, a few hundred thousand at most; it may read."""
    if hasattr(coarsest, "level"):  # of a display level, raw values that are sampled already
        return np.asarray(sampled(coarsest.level).values, np.float32)
    steps = [slice(None, None, -(-side // _SAMPLE)) for side in coarsest.shape[-2:]]
    values = np.asarray(cut(coarsest, plane, *steps), np.float32).ravel()
    return values[np.isfinite(values)]


def cut(source: Any, plane: int, rows: slice, columns: slice) -> Any:
    """A part of one plane of a level, or of an array; raw values, and it may read."""
    raw = getattr(source, "level", source)
    deep = (0,) * (len(raw.shape) - 3) + ((plane,) if len(raw.shape) > 2 else ())
    return raw[(*deep, rows, columns)]
