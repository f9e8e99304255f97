"""Votes: six thresholds of many maps over one pass over their bytes, and folders of thousands."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import cast

import numba
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, seconds, words
from napari_astroseg.sky.votes.counting import MOST, at_or_above, tallied, trimmed
from napari_astroseg.sky.votes.folder import VoteFolder
from napari_astroseg.sky.votes.index import index_votes
from napari_astroseg.sky.votes.records import joined
from napari_astroseg.sky.votes.votemap import LADDER

GALAXIES = 29_813
"""Maps of Galaxy Zoo 3D that Rey Deutsch et al. (2023) learn from."""

_SIDE, _SMALL = 525, 64
_PEOPLE = 15
_LOOKS = 40
"""Different maps; the others are copies of them."""

_THREADS = 2
_MEMORY_TARGET, _FOLDER_TARGET, _AGAIN_TARGET, _ANY_TARGET_MS = 0.15, 30.0, 4.0, 1.0

Maps = NDArray[np.uint8]


def measure(plan: Plan, scratch: Path) -> Iterator[Measurement]:
    """In memory, as a folder of maps of full size, and as a folder of many small ones."""
    looks = [_votes(number, _SIDE) for number in range(min(_LOOKS, plan.vote_maps))]
    yield _in_memory(plan, np.stack([looks[n % len(looks)] for n in range(plan.vote_maps)]))
    folder = _written(scratch / "maps", looks, plan.vote_maps)
    told, votes = _folder(plan, folder, scratch)
    yield told
    yield _any_threshold(plan, votes)
    shutil.rmtree(folder)
    small = [_votes(number, _SMALL) for number in range(min(_LOOKS, plan.vote_files))]
    yield _again(plan, _written(scratch / "many", small, plan.vote_files), scratch)


def _votes(number: int, side: int) -> Maps:
    """Counts of 15 people who draw the same few patches, each a bit differently."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:side, :side] / side - 0.5
    counts = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(0, 4))):  # in every fourth nobody sees anything
        middle, radius = rng.uniform(-0.3, 0.3, 2), rng.uniform(0.05, 0.15)
        for _ in range(_PEOPLE):
            away = np.hypot(x - middle[0] + rng.normal(0, 0.02), y - middle[1])
            counts += away < radius * rng.uniform(0.7, 1.3)
    return counts


def _in_memory(plan: Plan, maps: Maps) -> Measurement:
    """Areas at six thresholds of maps (N, H, W) over the sum of their bytes."""
    total = _compiled()
    halves = np.array_split(maps, _THREADS)
    with ThreadPoolExecutor(_THREADS) as pool:
        pair = Pair(
            *in_turn(
                plan,
                lambda: list(pool.map(_areas, halves)),
                lambda: list(pool.map(total, [half.reshape(-1) for half in halves])),
            )
        )
    rate, read = (maps.nbytes / each / 1e9 for each in (pair.ours_s, pair.bare_s))
    all_of_them = pair.ours_s * GALAXIES / len(maps)
    how = (
        f"{rate:.1f} / {read:.1f} GB/s on {_THREADS} threads: {len(maps):,} maps of {_SIDE}² px at "
        f"thresholds 1 to 6; {GALAXIES:,} of them take {words(all_of_them)}"
    )
    return Measurement.at_least("votes", 1 / pair.ratio, "× memory read", _MEMORY_TARGET, how)


def _areas(maps: Maps) -> NDArray[np.int64]:
    """Pixels at or above each threshold of the ladder, (N, 6), from one histogram for each map."""
    bins, areas = np.zeros(MOST + 1, np.int64), np.zeros((len(maps), len(LADDER)), np.int64)
    for number, each in enumerate(maps):
        bins[: _PEOPLE * 4] = 0
        tallied(each, bins, "votes")
        above = at_or_above(trimmed(bins))[1 : len(LADDER) + 1]
        areas[number, : len(above)] = above
    return areas


@cache
def _compiled() -> Callable[[Maps], np.uint64]:
    """`_total`, compiled once for a process."""
    return cast(Callable[[Maps], np.uint64], numba.njit(nogil=True, fastmath=True)(_total))


def _total(values: Maps) -> np.uint64:
    """The sum: reads every byte, and costs no more."""
    total = np.uint64(0)
    for n in range(values.size):
        total += np.uint64(values[n])
    return total


def _written(folder: Path, looks: Sequence[Maps], count: int) -> Path:
    """A folder of so many FITS files of maps."""
    folder.mkdir()
    files = []
    for number, votes in enumerate(looks):
        fits.PrimaryHDU(votes).writeto(folder / "one.fits", overwrite=True)
        files.append((folder / "one.fits").read_bytes())
        if number + 1 >= count:
            break
    (folder / "one.fits").unlink()
    for number in range(count):
        (folder / f"{number:05}.fits").write_bytes(files[number % len(files)])
    return folder


def _folder(plan: Plan, folder: Path, scratch: Path) -> tuple[Measurement, VoteFolder]:
    """A folder that nobody has indexed, at six thresholds, over reading its files."""
    paths = sorted(folder.iterdir())
    found: list[VoteFolder] = []

    def ours() -> None:
        with _fresh_cache(scratch):
            votes = index_votes(folder, workers=_THREADS)
        for threshold in LADDER:
            votes.areas(threshold)
        found[:] = [votes]

    pair = Pair(*in_turn(plan, ours, partial(_read, paths)))
    size = sum(path.stat().st_size for path in paths)
    how = (
        f"{words(pair.ours_s)} / {words(pair.bare_s)}: {len(paths):,} files of {_SIDE}² px, "
        f"{size / 1e9:.2f} GB in the system's cache, indexed for the first time, against reading "
        f"them; {pair.ours_s / len(paths) * 1e3:.2f} ms a file"
    )
    value = pair.ratio
    return Measurement.at_most("votes, a folder", value, "× read", _FOLDER_TARGET, how), found[0]


def _read(paths: Sequence[Path]) -> None:
    """Every byte of every file, once, on as many threads."""

    def some(own: Sequence[Path]) -> None:
        for path in own:
            path.read_bytes()

    with ThreadPoolExecutor(_THREADS) as pool:
        for done in [pool.submit(some, paths[n::_THREADS]) for n in range(_THREADS)]:
            done.result()


def _any_threshold(plan: Plan, votes: VoteFolder) -> Measurement:
    """All maps of Galaxy Zoo 3D at any threshold, from an index."""
    copies = -(-GALAXIES // max(1, len(votes)))
    many = VoteFolder(votes.folder, joined([votes.records] * copies))
    many.areas(1)
    (took,) = in_turn(plan, lambda: [many.areas(threshold) for threshold in LADDER])
    value = float(np.median(took)) / len(LADDER) * 1e3
    how = f"the areas of {len(many):,} maps at one threshold, from the index in memory"
    figures = round(value, 3), "ms", 0.0, _ANY_TARGET_MS
    return Measurement("votes, any threshold", *figures, value <= _ANY_TARGET_MS, "≤", how)


def _again(plan: Plan, folder: Path, scratch: Path) -> Measurement:
    """A folder of many files that has been indexed before, over listing it."""
    with _fresh_cache(scratch):
        first = seconds(lambda: index_votes(folder))
        pair = Pair(*in_turn(plan, lambda: index_votes(folder), lambda: _listed(folder)))
    how = (
        f"{words(pair.ours_s)} / {words(pair.bare_s)}: {plan.vote_files:,} files known from "
        f"before, against listing them with size and date; the first time took {words(first)}"
    )
    value = pair.ratio
    return Measurement.at_most("votes, a folder again", value, "× listing", _AGAIN_TARGET, how)


def _listed(folder: Path) -> int:
    """Name, size and date of every file, and something made of them."""
    told = [(each.name, each.stat()) for each in os.scandir(folder)]
    return sum(about.st_size + about.st_mtime_ns for _, about in told)


@contextmanager
def _fresh_cache(scratch: Path) -> Iterator[None]:
    """A cache that knows nothing, in place of the user's."""
    before = os.environ.get("ASTROSEG_CACHE")
    with tempfile.TemporaryDirectory(dir=scratch) as cache:
        os.environ["ASTROSEG_CACHE"] = cache
        try:
            yield
        finally:
            if before is None:
                del os.environ["ASTROSEG_CACHE"]
            else:
                os.environ["ASTROSEG_CACHE"] = before
