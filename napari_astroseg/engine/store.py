"""PredictionStore: a whole-mosaic answer on disk, tile by tile, so that a killed run resumes.

A zarr group: `probability` (maps, rows, columns) whose chunks are the tiles, one writer each, and
`done`, one flag per tile, set only after the tile is written.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.engine.model import Model
from napari_astroseg.errors import OutputError
from napari_astroseg.sky.coords.worldcoords import window_cards
from napari_astroseg.sky.files.zarrfile import ARRAY, HEADER, MAPS
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.tiles import Tile
from napari_astroseg.sky.window import Window

_ROWS = 256
"""Of an image in memory that are copied at once."""


class PredictionStore:
    """See the module's first lines; made by `open`."""

    def __init__(self, group: Any, tiles: list[Tile]) -> None:
        self._values, self._done, self._about = group[ARRAY], group["done"], group.attrs
        self._corner = tiles[0].core
        self._numbers = {tile.core: number for number, tile in enumerate(tiles)}
        self._flags = np.asarray(self._done[:], bool)

    @classmethod
    def open(
        cls,
        path: Path,
        window: Window,
        tiles: list[Tile],
        model: Model,
        image: SkyImage,
        maps: int,
        samples: int | None,
        resume: bool,
    ) -> PredictionStore:
        """A store for this very work; what another work left there is replaced.

        Parameters
        ----------
        maps
            In an answer: one for each class, and with `samples` a deviation for each.

        Raises
        ------
        OutputError
            When `resume` is asked and the store belongs to another model, image or window, or
            the disk refuses.
        """
        work = _work(window, tiles, model, image, samples)
        try:
            if resume and (path / "zarr.json").exists():
                group = zarr.open_group(path, mode="r+")
                if dict(group.attrs).get("work") != work:
                    raise OutputError(
                        f"{path} holds the tiles of another model, image or window; "
                        "leave out --resume, or give another --out"
                    )
                if {ARRAY, "done"} <= set(group.array_keys()):
                    return cls(group, tiles)  # else killed while it was made: make it again
            if path.exists():
                _remove_store(path)
            return cls(_created(path, tiles, maps, work), tiles)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({(error.strerror or str(error)).lower()}); "
                "free some space or choose another folder"
            ) from error

    def tell(self, cards: fits.Header, maps: Sequence[str]) -> None:
        """Say where the maps lie on the sky and what they are called.

        Parameters
        ----------
        cards
            Of the image that the tiles are cut from.
        """
        rows, columns = self._values.shape[1:]
        here = window_cards(cards, Window(self._corner.x, self._corner.y, columns, rows))
        self._about.update({HEADER: here.tostring(sep="\n"), MAPS: list(maps)})

    def has(self, tile: Tile) -> bool:
        """Whether the tile's answer is on disk."""
        return bool(self._flags[self._numbers[tile.core]])

    def get(self, tile: Tile) -> NDArray[np.float32]:
        """The answer (maps, h, w) on disk; errors as of `KeptMaps.read`."""
        with _readable():
            return np.asarray(self._values[(slice(None), *self._place(tile))])

    def put(self, tile: Tile, values: NDArray[np.float32]) -> None:
        """Write a tile, then its flag."""
        if self.has(tile):
            return
        number = self._numbers[tile.core]
        try:
            self._values[(slice(None), *self._place(tile))] = values
            self._done[number] = 1
        except OSError as error:
            raise OutputError(
                f"a tile could not be stored ({(error.strerror or str(error)).lower()}); free some "
                "space and run again with --resume"
            ) from error
        self._flags[number] = True

    def _place(self, tile: Tile) -> tuple[slice, slice]:
        return tile.core.moved(-self._corner.x, -self._corner.y).slices


class KeptMaps:
    """The maps of a store whose work is done, read where they are looked at."""

    def __init__(self, path: Path) -> None:
        group = zarr.open_group(path, mode="r")
        self._values: Any = group[ARRAY]
        self._x, self._y = group.attrs["corner"]

    def read(self, part: Window) -> NDArray[np.float32]:
        """The answer (maps, h, w) of a window that the tiles cover.

        Raises
        ------
        OutputError
            When the disk does not give it.
        """
        rows, columns = part.moved(-self._x, -self._y).slices
        with _readable():
            return np.asarray(self._values[:, rows, columns])


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"tiles that were stored cannot be read ({(error.strerror or str(error)).lower()}); "
            "check the disk, and run again without --resume"
        ) from error


def _work(
    window: Window, tiles: list[Tile], model: Model, image: SkyImage, samples: int | None
) -> str:
    """What makes two runs the same work, as text."""
    told: dict[str, Any] = {
        "image": _place(image),
        "values": image.pixels.identity or _in_memory(image),
        "window": [window.x, window.y, window.width, window.height],
        "tiles": len(tiles),
        "recipe": model.recipe.digest,
        "weights": model.digest,
    }
    if samples is not None:
        told["samples"] = samples
    return json.dumps(told, sort_keys=True)


def _place(image: SkyImage) -> list[str | int | None] | str:
    """Where an image is; not the URL of a far one, whose password is nothing to keep on disk."""
    source = image.reference
    if source is None:
        return image.name
    return [source.place if source.path is not None else "", source.hdu, source.plane]


def _in_memory(image: SkyImage) -> str:
    """What tells an image without a file from others of its name and shape."""
    told, (height, width) = hashlib.sha256(), image.shape
    for number in range(image.count):
        for row in range(0, height, _ROWS):
            rows = Window(0, row, width, min(_ROWS, height - row))
            told.update(image.plane(number).cutout(rows).tobytes())
    return f"{image.name} {image.shape} {told.hexdigest()[:16]}"


def _created(path: Path, tiles: list[Tile], maps: int, work: str) -> Any:
    first, last = tiles[0].core, tiles[-1].core
    shape = (maps, last.y_end - first.y, last.x_end - first.x)
    group = zarr.create_group(path, attributes={"work": work, "corner": [first.x, first.y]})
    group.create_array(
        ARRAY, shape=shape, chunks=(1, *first.shape), dtype="float32", fill_value=np.nan
    )
    group.create_array("done", shape=(len(tiles),), chunks=(1,), dtype="uint8", fill_value=0)
    return group


def _remove_store(path: Path) -> None:
    """Delete an earlier store, and nothing that is not one."""
    if not (path / "zarr.json").exists():
        raise OutputError(f"{path} is in the way and is no prediction store; move it elsewhere")
    shutil.rmtree(path)
