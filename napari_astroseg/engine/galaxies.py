"""Galaxies: pictures of Galaxy Zoo 3D and the volunteers' mask, as batches of stamps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.loader import Judge, Loader, Planes, drawn_turns, made_ahead, turned
from napari_astroseg.engine.metrics import PixelCounts
from napari_astroseg.engine.pixeljudge import PixelJudge
from napari_astroseg.engine.prepare import prepared
from napari_astroseg.errors import DataError, OutputError
from napari_astroseg.recipes.data import VoteData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.cache import GIB, Cache
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.datasets.split import PARTS, Part
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.votes.stamps import Stamp, galaxy_stamps

_CACHE = Cache("stamps", 8 * GIB)
_LEAST_KEPT = 16 * 2**20
"""Bytes of stamps that are quicker read anew than written out."""


class GalaxySet(Loader):
    """The galaxies of a folder, each one stamp, parted into training and validation.

    A stamp of the published size takes 64 KiB; those of many galaxies are kept in the cache, to be
    read from there in this training and the next.

    Raises
    ------
    DataError
        When nothing can be learnt from them; the sentence says what to change.
    """

    def __init__(self, recipe: Recipe, data: Path, progress: Progress = silent) -> None:
        assert isinstance(recipe.data, VoteData)
        self._recipe, self._spec = recipe, recipe.data
        dataset = open_galaxies(self._spec, data, progress)
        self.digest = dataset.digest
        self.training, self.validation = (
            read_stamps(self._spec, dataset, part, progress) for part in PARTS[:2]
        )
        for part, stamps in (("training", self.training), ("validation", self.validation)):
            if not stamps[:, 3].any():
                lower = "lower data.threshold, or " if self._spec.threshold > 1 else ""
                raise DataError(
                    f"no pixel of the {part} galaxies of {data} ({len(stamps)}) has "
                    f"{self._spec.threshold} or more votes for {self._spec.marked}; "
                    f"{lower}add galaxies"
                )
        self.told = (
            f"{len(self.training)} galaxies and {len(self.validation)} for validation, "
            f"{self._spec.marked} from {self._spec.threshold} votes"
        )
        self.notes = left_out(dataset)

    def batches(self, number: int) -> tuple[int, Iterator[PixelBatch]]:
        """How many batches an epoch has, and each, of all training galaxies in a new order."""
        schedule = self._recipe.schedule
        rng = np.random.default_rng([schedule.seed, number])
        order = rng.permutation(len(self.training))
        turns = drawn_turns(rng, len(order), self._spec.augmentation)
        starts = range(0, len(order), schedule.batch_size)
        return len(starts), made_ahead(partial(self._batch, order, turns), starts)

    def validation_batches(self) -> Iterator[PixelBatch]:
        """The validation galaxies, never turned."""
        size = self._recipe.schedule.batch_size
        for start in range(0, len(self.validation), size):
            yield batch_of(self.validation[start : start + size], self._recipe)

    def judge(self) -> Judge:
        """A judge of the validation pixels."""
        return PixelJudge(self._figures)

    def _figures(self, counts: PixelCounts) -> dict[str, float]:
        """Jaccard, precision and accuracy of all validation pixels together."""
        chosen = self._recipe.prediction.threshold
        threshold = counts.best()[0] if chosen is None else chosen
        return {
            "jaccard": counts.jaccard(threshold),
            "precision": counts.precision(threshold),
            "accuracy": counts.accuracy(threshold),
            "threshold": threshold,
        }

    def _batch(self, order: NDArray[np.intp], turns: NDArray[np.int64], start: int) -> PixelBatch:
        mine = slice(start, start + self._recipe.schedule.batch_size)
        stamps = self.training[order[mine]]
        for stamp, turn in zip(stamps, turns[mine], strict=True):
            stamp[:] = turned(stamp, turn).copy()
        return batch_of(stamps, self._recipe)


def open_galaxies(spec: VoteData, data: Path, progress: Progress = silent) -> Dataset:
    """The folder as a recipe of Galaxy Zoo 3D takes it."""
    threshold, share = spec.threshold, spec.validation
    return open_dataset(data, "gz3d", threshold=threshold, validation=share, progress=progress)


def read_stamps(
    spec: VoteData, dataset: Dataset, part: Part | None = None, progress: Progress = silent
) -> Stamp:
    """The stamps (N, 4, side, side) of a part, or of all; see `galaxy_stamp`.

    Raises
    ------
    DataError
        When there are none.
    """
    numbers = range(len(dataset)) if part is None else dataset.of(part)
    paths = [dataset.items[number].files[0] for number in numbers]
    if not paths:
        raise DataError(
            f"{dataset.folder} holds no {part or 'readable'} galaxy; bring at least two galaxies, "
            "or change data.validation"
        )
    shape = len(paths), 4, spec.stamp_px, spec.stamp_px
    how = spec.marked, spec.threshold, spec.stamp_px
    name = f"{dataset.digest}-{spec.marked}-{spec.stamp_px}-{part or 'all'}.npy"
    kept = _CACHE.find(name)
    if kept is None and math.prod(shape) >= _LEAST_KEPT:
        with suppress(OutputError):  # no room in the cache: in memory, then
            _keep(name, shape, galaxy_stamps(paths, *how, progress))
            kept = _CACHE.find(name)
    if kept is not None:
        mapped: Stamp = np.load(kept, mmap_mode="r")
        return mapped
    stamps = np.empty(shape, np.uint8)
    for number, stamp in enumerate(galaxy_stamps(paths, *how, progress)):
        stamps[number] = stamp
    return stamps


def _keep(name: str, shape: tuple[int, ...], stamps: Iterator[Stamp]) -> None:
    """Write stamps into the cache as a NumPy file."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with _CACHE.making(name, math.prod(shape)) as path, path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for stamp in stamps:
            file.write(stamp.tobytes())


def batch_of(stamps: Stamp, recipe: Recipe) -> PixelBatch:
    """Stamps (N, 4, side, side) as a network takes them; every pixel teaches."""
    seen = np.ones((len(stamps), 1, *stamps.shape[2:]), bool)
    planes: Planes = prepared(stamps[:, :3], seen, recipe)
    return PixelBatch(planes, stamps[:, 3:].astype(np.float32), seen.astype(np.float32))


def left_out(dataset: Dataset) -> tuple[str, ...]:
    """What the user should know of files that teach nothing, one sentence."""
    out = [finding for finding in dataset.findings if finding.left_out]
    if not out:
        return ()
    more = f"{len(out)} files are left out, the first: " if len(out) > 1 else ""
    return (f"{more}{out[0].sentence}",)
