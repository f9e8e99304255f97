"""Region maps: labelled structures as they lie in FITS files, and the predictions around them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.errors import AstroSegError, CatalogueError, ImageError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.files.address import Address, is_url
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.structures import EIGHT, measure
from napari_astroseg.sky.window import Window

Mask = NDArray[np.bool_]

_OF_MORE = ("mean_value", "peak_value", "score", "length")
"""Columns that ask for more than a map of regions, or for regions that do not touch."""

_BAND = 1024
"""Rows that are read at a time."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a prediction left: its regions, labelled, with their catalogue.

    Parameters
    ----------
    regions
        The map of regions; its pixels are those that all else is compared on.
    labels
        (H, W) int32, 0 outside.
    missing
        (H, W), True where there was nothing to predict on.
    catalogue
        A row for each structure, joined by `id`.
    image
        What was predicted on, on the same pixels; None where it is not to be had.
    source
        Where that image is; None where it is not to be had.
    notes
        What the reader should know, one sentence each.
    """

    regions: SkyImage
    labels: NDArray[np.int32]
    missing: Mask
    catalogue: Catalogue
    image: SkyImage | None = None
    source: Address | None = None
    notes: tuple[str, ...] = ()


def open_prediction(place: str | Path) -> Prediction:
    """A folder left by `astroseg predict`, or a FITS file of labelled regions.

    Raises
    ------
    ImageError, CatalogueError
        When there are no regions, or the catalogue is not theirs.
    """
    regions = open_regions(place)
    if not Address.of(place).is_folder:
        labels, missing = labels_of(regions)
        return Prediction(regions, labels, missing, _bare_catalogue(labels, regions))
    folder = Path(place)
    labels, missing = labels_of(regions, split=False)
    missing |= _unpredicted(folder / "probability.fits", labels.shape)
    image, source, notes = _predicted_on(folder / "provenance.json", regions)
    catalogue = _catalogue(folder, labels, regions)
    return Prediction(regions, labels, missing, catalogue, image, source, notes)


def open_regions(place: str | Path, progress: Progress = silent) -> SkyImage:
    """The map of regions alone, which a file `regions.fits` does not name: its folder does.

    Raises
    ------
    ImageError
        When there is none.
    """
    address = Address.of(place)
    if address.remote:
        return open_image(place, progress=progress)
    path = address.path / "regions.fits" if address.is_folder else address.path
    if address.is_folder and not path.is_file():
        raise ImageError(
            f"{place} holds no regions.fits; give a folder left by `astroseg predict`, "
            "or a FITS file of regions"
        )
    image = open_image(path if address.is_folder else place, progress=progress)
    if path.name != "regions.fits":
        return image
    return replace(image, name=f"{path.resolve().parent.name}/{image.name}")


def labels_of(image: SkyImage, split: bool = True) -> tuple[NDArray[np.int32], Mask]:
    """The labels in a map of regions, and where it is missing.

    Parameters
    ----------
    split
        A map of one number only is a mask: label what hangs together in it, by corners, too.

    Raises
    ------
    ImageError
        When the values are no labels.
    """
    shape, pixels = image.shape, image.plane(0).pixels
    labels, missing = np.zeros(shape, np.int32), np.zeros(shape, bool)
    for top in range(0, shape[0], _BAND):
        rows = slice(top, min(top + _BAND, shape[0]))
        values = np.asarray(pixels[rows, 0 : shape[1]])
        missing[rows] = ~np.isfinite(values)
        labels[rows] = _whole(np.where(missing[rows] | (values < 0), 0, values), image)
    highest = labels.max(initial=0)
    if split and highest and not np.any((labels > 0) & (labels < highest)):
        labels = np.asarray(ndimage.label(labels, EIGHT, output=np.int32)[0], np.int32)
    return labels, missing


def _whole(values: NDArray[Any], image: SkyImage) -> NDArray[np.int32]:
    """Values as labels, if they are some."""
    if not np.array_equal(values, np.rint(values)):
        raise ImageError(
            f"{image.name} is an image, not regions: it holds values between whole numbers; "
            "give a map of labels, or of 0 and 1"
        )
    highest = values.max(initial=0)
    if highest >= 2**31:
        raise ImageError(
            f"{image.name} is an image, not regions: its values go up to {highest:.3g}; "
            "give a map of labels, or of 0 and 1"
        )
    if highest > max(image.shape[0] * image.shape[1], 2**20):
        raise ImageError(
            f"{image.name} numbers a structure {highest:.0f}, more than it has pixels; "
            "number its structures from 1"
        )
    return values.astype(np.int32)


def _unpredicted(path: Path, shape: tuple[int, ...]) -> Mask:
    """Where a prediction has no probability; nowhere where no file tells of it."""
    if path.is_file():
        probability = open_image(path)
        if probability.shape == shape:
            return np.isnan(probability.pixels[Window.whole(probability.shape).slices])
    return np.zeros(shape, bool)


def _catalogue(folder: Path, labels: NDArray[np.int32], regions: SkyImage) -> Catalogue:
    """That of the prediction, or one made of the regions alone."""
    path = folder / "catalogue.ecsv"
    if not path.is_file():
        return _bare_catalogue(labels, regions)
    catalogue = Catalogue.read(path)
    if "id" not in catalogue.table.colnames:
        raise CatalogueError(
            f"{path} has no column `id` that would tell its rows from one another; "
            "predict again, or give regions.fits alone"
        )
    known = set(np.asarray(catalogue.table["id"]).tolist())
    extra = known - set(np.unique(labels).tolist())
    if extra:
        raise CatalogueError(
            f"{path} has structure {min(extra)}, which regions.fits beside it has not; "
            "predict again, or give regions.fits alone"
        )
    return catalogue


def _bare_catalogue(labels: NDArray[np.int32], regions: SkyImage) -> Catalogue:
    """Place and area of each structure that there is."""
    numbers, dense = np.unique(labels, return_inverse=True)
    first = int(numbers[0] != 0)  # where all is structure, none is 0
    counted = np.zeros_like(labels)
    counted[...] = dense.reshape(labels.shape) + first
    window = Window.whole((labels.shape[0], labels.shape[1]))
    whole = measure(counted, (labels > 0).astype(np.float32), regions.plane(0), window)
    table = whole.table
    table["id"] = numbers[numbers != 0].astype(np.int64)
    table["id"].info.description = "number of the structure in the map of regions"
    table.remove_columns([name for name in _OF_MORE if name in table.colnames])
    return Catalogue(table, whole.frame)


def _predicted_on(
    path: Path, regions: SkyImage
) -> tuple[SkyImage | None, Address | None, tuple[str, ...]]:
    """The image that a prediction was made on and where it is, or a sentence why not."""
    from napari_astroseg.sky.grids.align import align, match_pixels

    try:
        command: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["command"]
        place, hdu, plane = (command.get(name) for name in ("image", "hdu", "plane"))
        if not place:
            return None, None, ()
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None, None, (f"no {path.name} tells which image was predicted on",)
    if is_url(str(place)):  # a folder from elsewhere must not make anyone ask the network
        return None, None, (f"the image that was predicted on is not fetched: {place}",)
    try:
        address = Address(str(place), hdu)
        image = replace(open_image(address).plane(plane or 0), name=address.name)
        same = image.wcs is None and image.shape == regions.shape
        return (match_pixels if same else align)(image, regions).image, address, ()
    except AstroSegError as error:
        return None, None, (f"the image that was predicted on is not shown: {error}",)
