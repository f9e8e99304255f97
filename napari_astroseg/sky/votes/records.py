"""Records: what is kept of many files as a few flat arrays, in memory and on disk."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.votes.counting import at_or_above
from napari_astroseg.sky.votes.scan import Scanned


class Stamp(NamedTuple):
    """One version of one file.

    Parameters
    ----------
    name
        Its path below the folder, with slashes.
    size
        Bytes.
    changed
        Time of its last change, ns.
    """

    name: str
    size: int
    changed: int


FILE = [("size", "i8"), ("changed", "i8"), ("lon", "f8"), ("lat", "f8"), ("pixel_arcsec2", "f8")]
MAP = [
    ("file", "i8"), ("kind", "u1"), ("voters", "i4"), ("drew", "i4"), ("most", "i4"),
    ("missing", "i8"),
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Records:
    """What is known of files and their maps.

    Parameters
    ----------
    names, identities
        Of the files: paths below the folder, MaNGA ids.
    problems
        Why a file was skipped; "" where it was not.
    files
        Of dtype `FILE`, one for each file.
    maps
        Of dtype `MAP`, one for each map, in the files' order.
    above
        Pixels with at least 0, 1, … votes up to the map's largest count, map after map.
    """

    names: Sequence[str]
    identities: Sequence[str]
    problems: Sequence[str]
    files: NDArray[Any]
    maps: NDArray[Any]
    above: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def stamps(self) -> list[Stamp]:
        """Which versions of which files these are."""
        told = zip(self.names, self.files["size"], self.files["changed"], strict=True)
        return [Stamp(name, int(size), int(changed)) for name, size, changed in told]

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each map's own part of `above` starts."""
        lengths = self.maps["most"].astype(np.int64) + 1
        return np.cumsum(lengths) - lengths

    def chosen(self, files: Sequence[int]) -> Records:
        """Those of some files, in that order."""
        maps_of: dict[int, list[int]] = {}
        for number, file in enumerate(self.maps["file"].tolist()):
            maps_of.setdefault(file, []).append(number)
        wanted = [number for file in files for number in maps_of.get(file, ())]
        maps = self.maps[wanted].copy()
        maps["file"] = [place for place, file in enumerate(files) for _ in maps_of.get(file, ())]
        starts, most = self.starts, self.maps["most"]
        parts = [self.above[starts[n] : starts[n] + most[n] + 1] for n in wanted]
        return Records(
            [self.names[n] for n in files],
            [self.identities[n] for n in files],
            [self.problems[n] for n in files],
            self.files[list(files)],
            maps,
            np.concatenate([np.empty(0, np.uint32), *parts]),
        )

    def write(self, path: Path) -> None:
        """Write them as a NumPy archive of plain numbers."""
        with path.open("wb") as file:
            np.savez(
                file,
                names=_packed(self.names),
                identities=_packed(self.identities),
                problems=_packed(self.problems),
                files=self.files,
                maps=self.maps,
                above=self.above,
            )

    @classmethod
    def read(cls, path: Path) -> Records | None:
        """What `write` wrote; None where it is not that."""
        try:
            with np.load(path, allow_pickle=False) as held:
                read = cls(
                    _unpacked(held["names"]),
                    _unpacked(held["identities"]),
                    _unpacked(held["problems"]),
                    held["files"],
                    held["maps"],
                    held["above"],
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return read if read._whole() else None

    def _whole(self) -> bool:
        """Whether the parts fit one another."""
        of_files = len(self.names) == len(self.identities) == len(self.problems) == len(self.files)
        fits = self.files.dtype == np.dtype(FILE) and self.maps.dtype == np.dtype(MAP)
        return of_files and fits and len(self.above) == int((self.maps["most"] + 1).sum())


def recorded(scans: Iterable[tuple[Stamp, Scanned | str]]) -> Records:
    """Records of files, each with what was found in it or why it was skipped."""
    told = list(scans)
    files = np.zeros(len(told), FILE)
    maps: list[tuple[int, ...]] = []
    above = [np.empty(0, np.uint32)]
    for place, (stamp, found) in enumerate(told):
        nan = float("nan")
        where = (nan, nan, nan)
        if isinstance(found, Scanned):
            where = (found.lon, found.lat, found.pixel_arcsec2)
            for each in found.maps:
                most = len(each.histogram) - 1
                maps.append((place, each.kind, each.voters, each.drew, most, each.missing))
                above.append(at_or_above(each.histogram).astype(np.uint32))
        files[place] = (stamp.size, stamp.changed, *where)
    return Records(
        [stamp.name for stamp, _ in told],
        [found.identity if isinstance(found, Scanned) else "" for _, found in told],
        [found if isinstance(found, str) else "" for _, found in told],
        files,
        np.array(maps, MAP),
        np.concatenate(above),
    )


def joined(parts: Sequence[Records]) -> Records:
    """Several records one after another."""
    maps = []
    first = 0
    for part in parts:
        own = part.maps.copy()
        own["file"] += first
        maps.append(own)
        first += len(part)
    return Records(
        [name for part in parts for name in part.names],
        [each for part in parts for each in part.identities],
        [each for part in parts for each in part.problems],
        np.concatenate([np.zeros(0, FILE), *(part.files for part in parts)]),
        np.concatenate([np.zeros(0, MAP), *maps]),
        np.concatenate([np.empty(0, np.uint32), *(part.above for part in parts)]),
    )


def _packed(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Texts as bytes, each ended by a zero."""
    told = "".join(f"{text}\0" for text in texts).encode("utf-8", "surrogateescape")
    return np.frombuffer(told, np.uint8)


def _unpacked(data: NDArray[np.uint8]) -> list[str]:
    return data.tobytes().decode("utf-8", "surrogateescape").split("\0")[:-1]
