"""Figures: how a catalogue's numbers are written in a table, and copied out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

_POSITIONS = {"lon", "lat", "l", "b", "ra", "dec"}
_UNKNOWN = "–"
_MINUS = "−"
_FIXED = {"x": 1, "y": 1, "score": 3, "covered": 2}
_OF_IMAGE = {"contrast": 3, "significance": 1, "difference": None, "error": None, "ring": None,
             "why": None}  # fmt: skip
"""Columns of an image are called by one of these and its key."""
_FIRST = ("contrast", "significance")


def plain(column: Any) -> NDArray[Any]:
    """A column without its unit; what is masked is NaN, or empty where there are no numbers."""
    values = getattr(column, "value", column)
    mask = getattr(column, "mask", None)
    array = np.asarray(getattr(values, "unmasked", values))
    if mask is None or not np.any(mask):
        return array
    if array.dtype.kind in "fiub":
        return np.where(mask, np.nan, array.astype(float))
    return np.where(mask, "", array.astype(str))


def unit_words(column: Any) -> str:
    """A column's unit, "" for none."""
    unit = getattr(column, "unit", None)
    return "" if unit is None or unit == u.dimensionless_unscaled else unit.to_string("unicode")


def heading(name: str, unit: str) -> str:
    """A column's name and unit, in two lines."""
    kind, _, key = name.partition("_")
    if kind in _OF_IMAGE and key:
        return f"{kind} ({unit})\n{_words(key)}" if unit else f"{kind}\n{_words(key)}"
    return f"{_words(name)}\n{unit}" if unit else _words(name)


def on_screen(names: Sequence[str]) -> list[str]:
    """Columns as they stand in a table: what was asked for comes first, behind the number."""
    first = [name for name in names if name.partition("_")[0] in _FIRST and "_" in name]
    number = [name for name in names if name == "id"]
    return [*number, *first, *(name for name in names if name not in {*number, *first})]


def decimals(name: str) -> int | None:
    """How many decimals suit a column; None for three figures, whatever its size."""
    if name in _POSITIONS:
        return 5
    return _FIXED.get(name, _OF_IMAGE.get(name.partition("_")[0]))


def written(value: Any, places: int | None) -> str:
    """A number as people read it; a dash where nobody knows."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return str(value).replace("-", _MINUS)
    if isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            return _UNKNOWN
        text = f"{value:.3g}" if places is None else f"{value:.{places}f}"
        return text.replace("-", _MINUS)
    return str(value)


def copied(values: NDArray[Any]) -> list[str]:
    """Values as other programs read them: every digit that counts, NaN by its name."""
    if values.dtype == np.float32:
        return [f"{value:.9g}" for value in values.tolist()]
    return [str(value) for value in values.tolist()]


def _words(name: str) -> str:
    return name.replace("_", " ")
