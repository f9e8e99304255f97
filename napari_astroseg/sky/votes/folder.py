"""VoteFolder: the votes of tens of thousands of files as a table that answers at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.votes.counting import Histogram
from napari_astroseg.sky.votes.records import Records
from napari_astroseg.sky.votes.scan import KINDS
from napari_astroseg.sky.votes.votemap import LADDER


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Maps of one kind, those with the largest counts first."""

    maps: NDArray[np.intp]
    order: NDArray[np.intp]
    starts: NDArray[np.int64]
    fewer: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class VoteFolder:
    """The votes of a folder.

    Parameters
    ----------
    folder
        Where the files are.
    records
        What is known of them.
    notes
        What the user should know, one sentence each.
    """

    folder: Path
    records: Records
    notes: tuple[str, ...] = ()
    _ranked: dict[str | None, _Ranked] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        """Number of maps."""
        return len(self.records.maps)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What there are maps of."""
        return tuple(KINDS[kind] for kind in np.unique(self.records.maps["kind"]))

    @property
    def skipped(self) -> dict[str, str]:
        """Files that hold no readable votes → why."""
        told = zip(self.records.names, self.records.problems, strict=True)
        return {name: problem for name, problem in told if problem}

    @property
    def incomplete(self) -> dict[str, int]:
        """Files with pixels that have no value → how many of all their maps, as without votes."""
        missing = np.zeros(len(self.records), np.int64)
        np.add.at(missing, self.records.maps["file"], self.records.maps["missing"])
        return {self.records.names[n]: int(missing[n]) for n in np.flatnonzero(missing).tolist()}

    def paths(self, kind: str | None = None) -> list[Path]:
        """The file of each map of a kind, or of every map, in the order of `areas`."""
        files = self.records.maps["file"][self._rank(kind).maps]
        return [self.folder / self.records.names[file] for file in files]

    def areas(self, threshold: int, kind: str | None = None) -> NDArray[np.int64]:
        """Pixels with at least `threshold` votes in each map of a kind, or in every map.

        Raises
        ------
        VoteError
            When the threshold is below 1, or nothing is called that kind.
        """
        if threshold < 1:
            raise VoteError(f"{threshold} is no number of people; give a threshold from 1 up")
        ranked = self._rank(kind)
        count = int(np.searchsorted(ranked.fewer, -threshold, side="right"))
        areas = np.zeros(len(ranked.maps), np.int64)
        areas[ranked.order[:count]] = self.records.above[ranked.starts[:count] + threshold]
        return areas

    def histogram(self, number: int) -> Histogram:
        """Pixels with 0, 1, … votes in one map, by its place among all maps."""
        start = int(self.records.starts[number])
        above = self.records.above[start : start + int(self.records.maps["most"][number]) + 1]
        beyond = np.append(above[1:], 0)
        return above.astype(np.int64) - beyond

    def table(self, kind: str | None = None, thresholds: Sequence[int] = LADDER) -> QTable:
        """One row for each map of a kind, or for every map.

        `file`, `class`, `id`, `ra`, `dec`, `pixels`, `voters` and `drew` (-1: not known), `most`,
        `agreement`, and `area_1` to `area_6`, with `arcsec2_1` … where there is a WCS.
        """
        rank = self._rank(kind)
        maps = self.records.maps[rank.maps]
        files = maps["file"]
        about = self.records.files[files]
        table = QTable(
            {
                "file": np.array(self.records.names, str)[files],
                "class": np.array(KINDS)[maps["kind"]],
                "id": np.array(self.records.identities, str)[files],
                "ra": about["lon"] * u.deg,
                "dec": about["lat"] * u.deg,
                "pixels": self.records.above[self.records.starts[rank.maps]].astype(np.int64),
                "voters": maps["voters"],
                "drew": maps["drew"],
                "most": maps["most"],
                "agreement": self._agreement(rank.maps),
            }
        )
        for threshold in thresholds:
            areas = self.areas(threshold, kind)
            table[f"area_{threshold}"] = areas
            table[f"arcsec2_{threshold}"] = areas * about["pixel_arcsec2"] * u.arcsec**2
        return table

    def _agreement(self, maps: NDArray[np.intp]) -> NDArray[np.float64]:
        """As `counting.agreement`, of all maps at once.

        With A(t) pixels of at least t votes, Σ c = Σ A(t) and Σ c (c - 1) = 2 Σ (t - 1) A(t).
        """
        records = self.records
        most = records.maps["most"].astype(np.int64)
        votes = np.arange(len(records.above)) - np.repeat(records.starts, most + 1)
        above = np.where(votes > 0, records.above, 0).astype(float)
        given = np.add.reduceat(above, records.starts)[maps]
        pairs = 2.0 * np.add.reduceat(above * (votes - 1), records.starts)[maps]
        among = np.maximum(records.maps["drew"], most)[maps]
        told = np.full(len(maps), np.nan)
        known = (among >= 2) & (given > 0)
        told[known] = pairs[known] / ((among[known] - 1) * given[known])
        return told

    def _rank(self, kind: str | None) -> _Ranked:
        """The maps of a kind by their largest counts, made once."""
        if kind not in self._ranked:
            if kind is not None and kind not in KINDS:
                raise VoteError(f"no votes are for {kind!r}; use one of {', '.join(KINDS)}")
            own = self.records.maps["kind"]
            every = np.ones(len(own), bool) if kind is None else own == KINDS.index(kind)
            maps = np.flatnonzero(every)
            fewer = -self.records.maps["most"][maps]
            order = np.argsort(fewer, kind="stable")
            starts = self.records.starts[maps][order]
            self._ranked[kind] = _Ranked(maps, order, starts, fewer[order])
        return self._ranked[kind]
