"""Export: what was drawn as FITS with its sky coordinates, and as a field to learn from.

Files of any size are written band by band, whole or not at all. Whoever draws on meanwhile finds
some of it in the file and some not.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.errors import MarkError, OutputError
from napari_astroseg.sky.coords.worldcoords import wcs_cards, window_cards
from napari_astroseg.sky.files.writing import replacing_folder
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.classes import Classes, MarkClass
from napari_astroseg.sky.marks.steps import Labels
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.mosaics.mosaicfile import write_mosaic
from napari_astroseg.sky.pixels import FloatArray, Key, PixelSource, PlainPixels
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.window import Window

MARGIN = 64
"""Pixels around what was drawn that belong to a field to learn from: a patch's side."""


@dataclass(frozen=True, eq=False)
class MarkPixels(PlainPixels):
    """Someone's labels in a window as an image's values.

    Parameters
    ----------
    store, annotator
        Where they are, and whose.
    window
        Which part of the image.
    label
        1 where this one is, else 0; None for the labels themselves.
    """

    store: MarkStore
    annotator: str
    window: Window
    label: int | None = None
    identity: None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.window.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 holds them all."""
        return np.dtype(np.float32)

    def __getitem__(self, key: Key) -> FloatArray:
        part = _part(self.window, key)
        labels: NDArray[Any] = self.store.read(part, self.annotator)
        return (labels if self.label is None else labels == self.label).astype(np.float32)


@dataclass(frozen=True, eq=False)
class PartPixels(PlainPixels):
    """A window of another source, inside it."""

    source: PixelSource
    window: Window
    identity: None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.window.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the source."""
        return self.source.dtype

    def __getitem__(self, key: Key) -> FloatArray:
        return self.source[_part(self.window, key).slices]


def write_labels(
    store: MarkStore,
    path: Path,
    annotator: str,
    classes: Classes,
    progress: Progress = silent,
) -> Path:
    """Write someone's labels as a tile-compressed FITS image; cards name its classes.

    Parameters
    ----------
    path
        Replaced if it exists.
    classes
        Told in the cards `CLASS1`, `CLASS2` …
    progress
        Told bands written; raising `Stopped` from it leaves no file.

    Raises
    ------
    OutputError
        When the disk refuses.
    """
    whole = Window.whole(store.shape)
    pixels = MarkPixels(store, annotator, whole)
    cards = {f"CLASS{each.label}": each.name for each in classes}
    image = _image(store, pixels, whole, {**cards, "MARKEDBY": annotator})
    return write_whole(image, path, _stored(store, annotator), progress)


def write_mask(
    store: MarkStore,
    path: Path,
    annotator: str,
    one: MarkClass,
    progress: Progress = silent,
) -> Path:
    """Write what someone drew of one class as a mask of 0 and 1; otherwise as `write_labels`."""
    whole = Window.whole(store.shape)
    image = _mask(store, annotator, whole, one)
    return write_whole(image, path, np.uint8, progress)


def write_field(
    store: MarkStore,
    image: SkyImage,
    folder: Path,
    annotator: str,
    target: MarkClass,
    background: MarkClass | None,
    window: Window,
    progress: Progress = silent,
) -> Path:
    """Write a window of an image and its masks as a recipe of four maps learns from them.

    Parameters
    ----------
    folder
        Gets NAME_image.fits, NAME_target.fits and, with a background, NAME_background.fits.
    target, background
        Classes of what is looked for, and of what is certainly nothing; without the latter,
        everything else in the window is.

    Raises
    ------
    MarkError
        When the store belongs to another image, or a background that is none of it lies there.
    OutputError
        When the disk refuses.
    """
    misfit = store.about.misfit(image)
    if misfit:
        raise MarkError(misfit)
    window = window.clipped(store.shape)
    name = f"{re.sub(r'[^A-Za-z0-9.+-]+', '_', Path(image.name).stem)}_image.fits"
    stale = folder / name.replace("image", "background")
    if background is None and stale.exists():
        raise MarkError(f"{stale} is of an earlier mask; remove it, or choose another folder")
    cards = window_cards(wcs_cards(image.header, image.wcs), window)
    part = SkyImage(PartPixels(image.pixels, window), header=cards, unit=image.unit)
    with replacing_folder(folder) as making:
        write_whole(part, making / name, image.dtype, progress)
        for role, one in (("target", target), ("background", background)):
            if one is not None:
                mask = _mask(store, annotator, window, one)
                write_whole(mask, making / name.replace("image", role), np.uint8, progress)
    return folder


def learning_window(store: MarkStore, annotator: str) -> Window:
    """The smallest window with all that someone drew, and its surroundings.

    Raises
    ------
    MarkError
        When that is nothing.
    """
    ends = []
    for window, labels in _drawn(store, annotator):
        rows, columns = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(labels.any(axis=0))
        x, y = window.x + int(columns[0]), window.y + int(rows[0])
        ends.append((x, y, window.x + int(columns[-1]) + 1, window.y + int(rows[-1]) + 1))
    if not ends:
        raise MarkError("nothing is drawn here yet; draw something to learn from first")
    lefts, tops, rights, bottoms = zip(*ends, strict=True)
    x, y = min(lefts), min(tops)
    drawn = Window(x, y, max(rights) - x, max(bottoms) - y)
    return drawn.grown(MARGIN).clipped(store.shape)


def _mask(store: MarkStore, annotator: str, window: Window, one: MarkClass) -> SkyImage:
    pixels = MarkPixels(store, annotator, window, one.label)
    return _image(store, pixels, window, {"MARKED": one.name, "MARKEDBY": annotator})


def _image(store: MarkStore, pixels: MarkPixels, window: Window, told: dict[str, str]) -> SkyImage:
    header: fits.Header = window_cards(wcs_cards(store.about.header, store.about.wcs), window)
    for name, words in told.items():
        if words:
            header[name] = "".join(c if " " <= c <= "~" else "?" for c in words)
    return SkyImage(pixels, header=header)


def _stored(store: MarkStore, annotator: str) -> Any:
    """The smallest whole numbers that FITS has for all labels."""
    largest = max((int(labels.max()) for _, labels in _drawn(store, annotator)), default=0)
    return np.uint8 if largest < 2**8 else np.int16 if largest < 2**15 else np.int32


def _drawn(store: MarkStore, annotator: str) -> Iterator[tuple[Window, Labels]]:
    """Each chunk that holds any of someone's labels, and these."""
    for row, column in store.places(annotator):
        window = Window(column * CHUNK, row * CHUNK, CHUNK, CHUNK)
        labels = store.read(window, annotator)
        if labels.any():
            yield window, labels


def _part(window: Window, key: Key) -> Window:
    """What two slices of a window mean."""
    rows, columns = (range(n)[each] for n, each in zip(window.shape, key, strict=True))
    return Window(
        window.x + columns.start, window.y + rows.start, max(1, len(columns)), max(1, len(rows))
    )


def write_whole(image: SkyImage, path: Path, dtype: Any, progress: Progress = silent) -> Path:
    """Write an image of any size as tile-compressed FITS, band by band; whole or not at all.

    Raises
    ------
    OutputError
        When the disk refuses.
    """
    with _beside(path) as making:
        for band in write_mosaic(image, making, dtype=dtype):
            progress(f"writing {path.name}", band.done, band.total)
    return path


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name in a folder beside a path; what was written there takes its place at the end."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            yield Path(folder) / path.name
            (Path(folder) / path.name).replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({(error.strerror or str(error)).lower()}); "
            "free some space or choose another folder"
        ) from error
