"""Pyramid: block means over what memory gives, and all levels of a file to disk."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from napari_astroseg.bench import child
from napari_astroseg.bench.fields import write_survey
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, seconds
from napari_astroseg.sky.pyramids.blockmeans import Encoding, Reducer
from napari_astroseg.sky.pyramids.chunks import CHUNK

_WIDTH = 20_000
_THREADS = 2
_ROWS = 64
_PIECE = 2048
_LEVEL_TARGET, _DISK_TARGET, _MEMORY_TARGET = 0.30, 1.2, 512.0


def measure(plan: Plan, scratch: Path) -> Iterator[Measurement]:
    """Level 1 in memory, side by side with what others offer; then a whole file."""
    read, level = _level_one(plan)
    yield level
    side = plan.large_px[0]
    path = write_survey(scratch / f"survey-{side}.fits", side)
    yield from to_disk(plan, path, scratch, scratch / "kept", read)
    path.unlink()


def to_disk(
    plan: Plan, path: Path, scratch: Path, cache: Path, read: float
) -> Iterator[Measurement]:
    """All levels of a file, which the system has in its cache, into a cache folder."""
    module = "napari_astroseg.bench.growing"
    found = child.run(module, str(path), str(plan.openings), scratch=scratch, cache=cache)
    rate = path.stat().st_size / float(np.median(found["seconds"])) / 1e9
    told = f"{path.stat().st_size / 1e9:.1f} GB in {np.median(found['seconds']):.2f} s, "
    told += f"{rate / read:.2f} × the {read:.1f} GB/s at which {_THREADS} threads read memory"
    figures = round(rate, 3), "GB/s", round(read, 3), _DISK_TARGET
    yield Measurement("pyramid to disk", *figures, rate >= _DISK_TARGET, "≥", told)
    peak = round(found["peak_mib"], 1)
    told = "most memory over a process that has the file open, the compiler included"
    figures = peak, "MiB", 0.0, _MEMORY_TARGET
    yield Measurement("pyramid memory", *figures, peak <= _MEMORY_TARGET, "≤", told)


def _level_one(plan: Plan) -> tuple[float, Measurement]:
    """GB/s at which memory is read; level 1 of big-endian values with gaps, over that."""
    values = np.random.default_rng(0).normal(size=(plan.pyramid_px, _WIDTH)).astype(">f4")
    values[: plan.pyramid_px // 20] = np.nan
    values[:, ::97] = np.nan
    with ThreadPoolExecutor(_THREADS) as pool:

        def together(works: Sequence[Callable[[], object]]) -> None:
            for done in [pool.submit(work) for work in works]:
                done.result()

        halves = np.array_split(values, _THREADS)
        total = numba.njit(nogil=True, fastmath=True)(_total)
        reads = [partial(total, half.view(np.float32)) for half in halves]
        means = [_first_level(half) for half in halves]
        pair = Pair(*in_turn(plan, lambda: together(means), lambda: together(reads)))
    rate, read = (values.nbytes / each / 1e9 for each in (pair.ours_s, pair.bare_s))
    peers = ", ".join(f"{name} {gbs / read:.3f}" for name, gbs in _peers(values).items())
    how = f"{rate:.1f} / {read:.1f} GB/s on {_THREADS} threads, NaN-aware; as ratios: {peers}"
    told = Measurement.at_least("pyramid level 1", rate / read, "× memory read", _LEVEL_TARGET, how)
    return read, told


def _total(values: NDArray[np.float32]) -> np.float32:
    """The sum: reads every byte, and costs no more."""
    total = np.float32(0.0)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            total += values[row, column]
    return total


def _first_level(values: NDArray[np.float32]) -> Callable[[], object]:
    """The making of level 1 of some rows, strip by strip, row of chunks after row of chunks."""
    height, width = values.shape
    reducer = Reducer(Encoding(values.dtype), width, 1)
    into = np.zeros(-(-width // (2 * CHUNK)) * CHUNK * CHUNK, np.float32)

    def once() -> None:
        for top in range(0, height, _ROWS):
            starts = np.array([0, top // 2 % CHUNK * CHUNK])
            reducer.reduce(values[top : top + _ROWS], into, starts)

    return once


def _peers(values: NDArray[np.float32]) -> dict[str, float]:
    """GB/s of what people use, on a piece that suits their patience."""
    import dask.array as da
    from skimage.measure import block_reduce

    piece = np.ascontiguousarray(values[-_PIECE:, :_PIECE])
    rows, columns = piece.shape
    lazy = da.from_array(piece, chunks=1024)
    ways: dict[str, Callable[[], object]] = {
        "numpy nanmean": lambda: np.nanmean(
            piece.reshape(rows // 2, 2, columns // 2, 2), axis=(1, 3)
        ),
        "skimage block_reduce": lambda: block_reduce(piece, (2, 2), np.nanmean),
        "dask coarsen": lambda: da.coarsen(np.nanmean, lazy, {0: 2, 1: 2}).compute(),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # blocks without any value
        return {name: piece.nbytes / seconds(once) / 1e9 for name, once in ways.items()}
