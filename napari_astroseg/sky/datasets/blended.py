"""Blended: stamps of blended galaxies, `stamps_WithNoise_NAME.npy` and `stamps_seg_NAME.npy`.

Both are (N, H, W): brightness, and 0 for background, 1 for one galaxy, 2 where two or more
overlap (Bretonnière+2021). They are mapped into memory, never unpickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import DataError
from napari_astroseg.sky.datasets.finding import Finding, below
from napari_astroseg.sky.datasets.truth import Item, Listing, Truth
from napari_astroseg.sky.image import SkyImage

CLASSES = ("isolated", "overlap")
"""By their number in the truth, which counts from 1."""

_IMAGES, _TRUTH = "stamps_WithNoise_", "stamps_seg_"
_VALIDATION = 0.15
"""The authors train on 85 %."""

Stack = NDArray[Any]


@dataclass(frozen=True, eq=False)
class _Pair:
    """One file of stamps and that of their truth."""

    images: Stack
    truth: Stack
    files: tuple[Path, Path]
    name: str

    def item(self, number: int) -> Item:
        return Item(
            f"{self.name}[{number}]",
            self.files,
            partial(self._image, number),
            partial(self._truth, number),
        )

    def _image(self, number: int) -> SkyImage:
        return SkyImage.from_array(self.images[number], name=f"{self.name}[{number}]")

    def _truth(self, number: int, image: SkyImage) -> Truth:
        truth = np.asarray(self.truth[number])
        odd = ~np.isin(truth, (0, 1, 2))
        if odd.any():
            raise DataError(
                f"its truth holds {truth[odd][0]:g}, which is none of 0 (background), 1 (one "
                "galaxy), 2 (overlap); write these"
            )
        return Truth({name: truth == n for n, name in enumerate(CLASSES, 1)})


@dataclass(frozen=True, eq=False)
class _Stamps(Sequence[Item]):
    """The stamps of all pairs, one after another, made when they are asked for."""

    pairs: tuple[_Pair, ...]

    def __len__(self) -> int:
        return sum(len(pair.images) for pair in self.pairs)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        for pair in self.pairs:
            if 0 <= index < len(pair.images):
                return pair.item(index)
            index -= len(pair.images)
        raise IndexError(index)


def recognised(folder: Path) -> bool:
    """Whether there is a file such as `stamps_WithNoise_field_0.npy`."""
    return any(folder.glob(f"{_IMAGES}*.npy"))


def listed(folder: Path) -> Listing:
    """Every stamp of a folder whose truth is there and fits."""
    pairs, findings = [], []
    for path in sorted(folder.glob(f"{_IMAGES}*.npy")):
        try:
            pairs.append(_pair(path))
        except DataError as error:
            findings.append(Finding.of(below(path, folder), error))
    return Listing(_Stamps(tuple(pairs)), CLASSES, (), tuple(findings), {}, _VALIDATION)


def catalogue_of(item: Item) -> tuple[Path, int]:
    """The catalogue beside the file of a stamp, where there may be one, and the stamp's number."""
    images = item.files[0]
    name = images.name.replace(_IMAGES, "catalogue_")
    number = int(item.name.rpartition("[")[2].removesuffix("]"))
    return images.with_name(name).with_suffix(".ecsv"), number


def _pair(path: Path) -> _Pair:
    truth_path = path.with_name(path.name.replace(_IMAGES, _TRUTH))
    if not truth_path.exists():
        raise DataError(f"{path.name} has no truth beside it; add {truth_path.name}")
    images, truth = _mapped(path), _mapped(truth_path)
    if images.shape != truth.shape:
        raise DataError(
            f"{path.name} is of the shape {images.shape} and {truth_path.name} of {truth.shape}; "
            "write one truth for each stamp"
        )
    return _Pair(images, truth, (path, truth_path), path.stem)


def _mapped(path: Path) -> Stack:
    """A stack (N, H, W) mapped into memory."""
    try:
        stack: Stack = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        if "allow_pickle" in str(error) or "Python object" in str(error):
            raise DataError(
                f"{path.name} holds a pickle, which can run any program when it is read, and was "
                "not opened; save its stamps as an array of plain numbers"
            ) from error
        raise DataError(
            f"{path.name} is no whole NumPy file ({error}); write it again with `numpy.save`"
        ) from error
    if stack.ndim == 4 and stack.shape[-1] == 1:
        stack = stack[..., 0]
    if stack.ndim != 3 or stack.dtype.kind not in "fiu" or 0 in stack.shape:
        raise DataError(
            f"{path.name} holds {stack.dtype} of the shape {stack.shape}; save stamps as numbers "
            "of the shape (N, height, width)"
        )
    return stack
