"""Detections: what is to be judged, as arrays, from catalogues, region files and predictions.

Rows that name no place are told and left out; nothing else is needed of a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.errors import VettingError
from napari_astroseg.sky.shapes.shape import coordinates

Doubles = NDArray[np.float64]
Unit = Literal["arcsec", "px"]

MOST_DETECTIONS = 5_000_000
"""In one list."""


@dataclass(frozen=True)
class Detection:
    """One of them.

    Parameters
    ----------
    number
        Its row, from 0.
    name
        What its catalogue calls it.
    lon, lat
        On the sky, deg; NaN where unknown.
    x, y
        0-based pixels; NaN where unknown.
    radius
        How far it reaches, in `unit`; NaN where unknown.
    score, uncertainty
        NaN where unknown.
    kind
        What it is taken for; "" where nothing says so.
    frame
        Of `lon` and `lat`; None where there are none.
    """

    number: int
    name: str
    lon: float
    lat: float
    x: float
    y: float
    radius: float
    unit: Unit
    score: float
    uncertainty: float
    kind: str
    frame: str | None


@dataclass(frozen=True, eq=False)
class Detections:
    """Many of them, in the order of their file: an array (N,) for each thing that is known.

    Parameters
    ----------
    names
        Each different from the others.
    lon, lat, x, y, radius, score, uncertainty
        As of a `Detection`.
    kinds
        What each is taken for.
    frame
        Of `lon` and `lat`: `galactic`, `icrs`, `fk5`, …; None without sky positions.
    unit
        Of `radius`.
    source
        What they come from.
    notes
        What the user should know, one sentence each; among them why rows were left out.
    """

    names: tuple[str, ...]
    lon: Doubles
    lat: Doubles
    x: Doubles
    y: Doubles
    radius: Doubles
    score: Doubles
    uncertainty: Doubles
    kinds: tuple[str, ...]
    frame: str | None = None
    unit: Unit = "arcsec"
    source: str = ""
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if len(self.names) > MOST_DETECTIONS:
            raise VettingError(
                f"{self.source or 'the list'} holds {len(self.names):,} detections; "
                f"split it into lists of at most {MOST_DETECTIONS:,}"
            )
        if len(set(self.names)) < len(self.names):
            raise VettingError("two detections have one name; give each its own")
        lengths = {len(self.names), len(self.kinds), *(len(each) for each in self._arrays())}
        if len(lengths) > 1:
            raise VettingError("the arrays of detections differ in length; give one value for each")

    @classmethod
    def of(cls, count: int, **known: Any) -> Detections:
        """So many detections of which only `known` is known; unknown numbers are NaN."""
        told: dict[str, Any] = {"names": range(1, count + 1), "kinds": [""] * count, **known}
        for each in fields(cls):
            if each.type == "Doubles":
                nothing = np.full(count, np.nan)
                told[each.name] = np.asarray(told.get(each.name, nothing), np.float64)
        for name in ("names", "kinds"):
            told[name] = tuple(map(str, told[name]))
        return cls(**told)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, number: int) -> Detection:
        values = [float(array[number]) for array in self._arrays()]
        lon, lat, x, y, radius, score, uncertainty = values
        return Detection(
            number, self.names[number], lon, lat, x, y, radius, self.unit, score, uncertainty,
            self.kinds[number], self.frame,
        )  # fmt: skip

    @property
    def position(self) -> SkyCoord:
        """Sky positions of all.

        Raises
        ------
        VettingError
            When any has none.
        """
        if self.frame is None or not np.isfinite(self.lon).all():
            raise VettingError(
                f"{self.source or 'the list'} has no positions on the sky; give lon and lat"
            )
        return coordinates(self.lon, self.lat, self.frame)

    @property
    def digest(self) -> str:
        """The same for the same detections, wherever their file lies: names and places decide."""
        told = hashlib.sha256()
        told.update("\0".join([self.frame or "", *self.names]).encode("utf-8", "surrogatepass"))
        for array in (self.lon, self.lat, self.x, self.y):
            rounded = np.round(np.nan_to_num(array, nan=-1e6), 6) + 0.0  # no minus zero
            told.update(rounded.astype("<f8").tobytes())
        return told.hexdigest()

    def taken(self, rows: Sequence[int] | NDArray[Any]) -> Detections:
        """Some of them, in that order."""
        at = np.asarray(rows, np.int64)
        some: dict[str, Any] = {
            each.name: getattr(self, each.name)[at]
            for each in fields(self)
            if each.type == "Doubles"
        }
        for name in ("names", "kinds"):
            told = getattr(self, name)
            some[name] = tuple(told[row] for row in at.tolist())
        return replace(self, **some)

    def _arrays(self) -> tuple[Doubles, ...]:
        return (
            self.lon, self.lat, self.x, self.y, self.radius, self.score, self.uncertainty,
        )  # fmt: skip
