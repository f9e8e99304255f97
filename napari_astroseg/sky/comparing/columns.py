"""Columns: what was measured in a comparison image, as columns of a catalogue."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray

from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.comparing.contrast import Contrast
from napari_astroseg.sky.image import parsed_unit

_WORDS = {
    "contrast": "(inside - ring) / ring",
    "significance": "difference over its error, from the same footprint elsewhere",
    "difference": "median inside less median of the ring",
    "error": "standard error of the difference",
    "ring": "median of the ring around it",
    "why": "why something is missing",
}

KINDS = tuple(_WORDS)
"""Columns are called by these, an underscore, and the key of the image."""


def key_of(name: str, taken: Collection[str] = ()) -> str:
    """A short name of an image for columns: `Spitzer GLIMPSE 8 µm` is `spitzer_glimpse_8_um`.

    Parameters
    ----------
    taken
        Keys that are in use; a number is added until it is none of them.
    """
    plain = unicodedata.normalize("NFKD", name.replace("µ", "u").replace("μ", "u"))
    key = re.sub(r"[^a-z0-9]+", "_", plain.encode("ascii", "ignore").decode().lower()).strip("_")
    key = key[:40].rstrip("_") or "image"
    number, free = 1, key
    while free in taken:
        number += 1
        free = f"{key}_{number}"
    return free


def keys_of(names: Iterable[str]) -> list[str]:
    """A key for each name, no two the same."""
    keys: list[str] = []
    for name in names:
        keys.append(key_of(name, keys))
    return keys


def add_contrast(
    catalogue: Catalogue, name: str, measured: Contrast, unit: str = "", key: str | None = None
) -> Catalogue:
    """The catalogue with what an image shows at its structures, joined by `id`.

    Parameters
    ----------
    name, unit
        Of the image, and of its values as its file writes it.
    key
        Of the columns; by default made of the name. Columns that have it are replaced.

    Returns
    -------
    A new catalogue with `contrast_KEY`, `significance_KEY`, `difference_KEY`, `error_KEY` and
    `ring_KEY` (NaN where there is none), and `why_KEY` in words. Units: those of the image.
    """
    key = key or key_of(name)
    table = catalogue.table.copy()
    at, known = _rows(measured.ids, np.asarray(table["id"], np.int64))
    value = parsed_unit(unit) or u.dimensionless_unscaled
    columns: dict[str, Any] = {
        "contrast": _taken(measured.contrast, at, known),
        "significance": _taken(measured.significance, at, known),
        "difference": _taken(measured.difference, at, known) * value,
        "error": _taken(measured.error, at, known) * value,
        "ring": _taken(measured.ring, at, known) * value,
        "why": _told(measured.reason, at, known),
    }
    for kind, column in columns.items():
        table[f"{kind}_{key}"] = column
        table[f"{kind}_{key}"].info.description = f"{_WORDS[kind]}, in {name}"
    return Catalogue(QTable(table), catalogue.frame)


def _rows(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[Any, NDArray[np.bool_]]:
    """Where each wanted id stands among the ascending ids, and whether it does."""
    at = np.searchsorted(ids, wanted)
    inside = at < len(ids)
    at = np.where(inside, at, 0)
    return at, inside & (ids[at] == wanted) if len(ids) else np.zeros(len(wanted), bool)


def _taken(values: NDArray[Any], at: Any, known: NDArray[np.bool_]) -> NDArray[np.float64]:
    taken = np.full(len(known), np.nan)
    taken[known] = values[at[known]]
    return taken


def _told(reasons: NDArray[np.str_], at: Any, known: NDArray[np.bool_]) -> NDArray[np.str_]:
    told = ["" if not k else str(reasons[i]) for i, k in zip(at.tolist(), known, strict=True)]
    missing = [w if k else "not in the map of regions" for w, k in zip(told, known, strict=True)]
    return np.array(missing, dtype=np.str_) if missing else np.zeros(0, "U1")
