"""Ways: how a FITS image can be put into a viewer, ours and what people do today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_astroseg.errors import SetupError

Add = Callable[[Any, Path], object]
"""Opens a file and adds it to a viewer."""


@dataclass(frozen=True)
class Way:
    """One way, and what it takes.

    Parameters
    ----------
    name
        What tables call it.
    add
        The way itself.
    appetite
        Memory that it takes at its peak, in sizes of the file.
    """

    name: str
    add: Add
    appetite: float


def _ours(viewer: Any, path: Path) -> None:
    from napari_astroseg.gui import layers
    from napari_astroseg.sky.opening import open_image

    layers.add_image(viewer, open_image(path))


def _getdata(viewer: Any, path: Path) -> None:
    """All of it in memory, as the first lines of many notebooks have it."""
    from astropy.io import fits

    viewer.add_image(fits.getdata(path))


def _dask(viewer: Any, path: Path) -> None:
    """A memory map as one dask array, without levels."""
    import dask.array as da
    from astropy.io import fits

    with fits.open(path, memmap=True) as hdus:
        viewer.add_image(da.from_array(hdus[0].data, chunks=1024))


def _strided(viewer: Any, path: Path) -> None:
    """A memory map, and every second, fourth, … pixel of it as levels."""
    from astropy.io import fits

    with fits.open(path, memmap=True) as hdus:
        data = hdus[0].data
    factors = [1]
    while max(data.shape) // factors[-1] > 2048:
        factors.append(2 * factors[-1])
    viewer.add_image([data[::factor, ::factor] for factor in factors], multiscale=True)


def _array(viewer: Any, path: Path) -> None:
    """A small array that is in memory: what a first picture costs at least."""
    import numpy as np

    viewer.add_image(np.random.default_rng(0).random((1000, 1000), dtype=np.float32))


ARRAY = Way("array", _array, 0.0)
OURS = Way("ours", _ours, 0.1)
OTHERS = (
    Way("getdata", _getdata, 3.4),
    Way("memmap + dask", _dask, 5.4),
    Way("strided levels", _strided, 1.0),
)


def way(name: str) -> Way:
    """The way of that name."""
    for each in (ARRAY, OURS, *OTHERS):
        if each.name == name:
            return each
    raise SetupError(f"there is no way of opening called {name!r}; see napari_astroseg.bench.ways")
