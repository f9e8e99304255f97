"""Opening: from what a user names to a `SkyImage`; headers are read, the pixels are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address, HduKey
from napari_astroseg.sky.files.choosing import chosen
from napari_astroseg.sky.files.contents import Entry, contents
from napari_astroseg.sky.files.fitsfile import Images
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.files.sets import band_of
from napari_astroseg.sky.files.zarrfile import is_store, open_store
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.stack import band_labels, common_start, stacked


def open_image(
    path: str | Path | Address, hdu: HduKey | None = None, *, progress: Progress = silent
) -> SkyImage:
    """A lazy image, or stack of images, of one HDU; headers are read, the pixels are not.

    Parameters
    ----------
    path
        A FITS file on this machine or at a URL, a HiPS folder, or the zarr store of a prediction;
        `FILE[SCI,1]` names an HDU.
    hdu
        Number, EXTNAME, or (EXTNAME, EXTVER); by default the first science image, or the
        bands of one field where the file's images are that.
    progress
        Hears of a file that must be unpacked first.

    Returns
    -------
    A cube, a colour picture or several bands are a stack, with `planes` and `axis`. An image
    whose file also has its errors and flags carries them as `uncertainty` and `mask`.

    Raises
    ------
    ImageError
        When the file or the HDU holds nothing that can be shown, with the remedy.
    """
    address = Address.of(path, hdu)
    if is_hips_place(address):
        from napari_astroseg.sky.spheres.hips import open_hips

        return open_hips(address)
    if address.is_folder and is_store(address.place):
        return open_store(address.place)
    with opened(address, progress) as file:
        found = contents(file, address.hdu if isinstance(address.hdu, int) else None)
        images = Images(file, found)
        if address.hdu is None and found.bands:
            by_hdu = {entry.hdu: entry for entry in found.entries}
            each = [images.with_family(by_hdu[number]) for number, _ in found.bands]
            try:
                return stacked(each, [name for _, name in found.bands], each[0].name)
            except ImageError as error:  # HDUs may be named like bands and be none of one sky
                note = f"only the first of its bands is shown: {error}"
                return replace(each[0], notes=(*each[0].notes, note))
        image = images.with_family(chosen(file, found, address.hdu))
    return image if address.hdu is None else replace(image, name=f"{image.name} {_told(address)}")


def open_bands(paths: Sequence[str | Path | Address], name: str = "") -> SkyImage:
    """Several images of one grid as the bands of one.

    Parameters
    ----------
    paths
        One image each, in the order of the bands; `FILE[g]` names an HDU.
    name
        What to call the whole; by default after the files.

    Returns
    -------
    A stack whose bands are called after FILTER cards, EXTNAMEs, or what tells the files' names
    apart.

    Raises
    ------
    ImageError
        When one cannot be opened, holds a stack, or lies on another grid than the first.
    """
    if not paths:
        raise ImageError("no bands were named; name the files of at least one")
    addresses = [Address.of(path) for path in paths]
    images, names = zip(*map(_band, addresses), strict=True)
    labels = band_labels(names, [address.name for address in addresses])
    return stacked(images, labels, name or _common_name(images))


def pictures(path: str | Path | Address, progress: Progress = silent) -> list[Entry]:
    """Every image of a file, from its headers alone; empty where it holds none.

    Raises
    ------
    ImageError
        When the file cannot be read.
    """
    address = Address.of(path)
    if is_hips_place(address):
        image = open_image(address)
        shape = image.shape if image.planes is None else (image.count, *image.shape)
        return [Entry(0, image.name, 1, shape, "healpix", "science", image.unit)]
    with opened(address, progress) as file:
        return list(contents(file).entries)


def is_hips_place(address: Address) -> bool:
    """Whether an address is that of a HiPS and not of a file."""
    if not address.remote and address.name != "properties" and not address.is_folder:
        return False
    from napari_astroseg.sky.spheres.hips import (
        is_hips,  # it costs an import that files do not need
    )

    return is_hips(address.place)


def _band(address: Address) -> tuple[SkyImage, str]:
    with opened(address) as file:
        found = contents(file)
        entry = chosen(file, found, address.hdu)
        image = Images(file, found).with_family(entry)
        if image.count > 1:
            raise ImageError(
                f"{address.name} holds {image.count} planes where one band is wanted; "
                "open it by itself"
            )
        return image, band_of(entry.name, file.hdus[entry.hdu].header, file.hdus[0].header)


def _common_name(images: Sequence[SkyImage]) -> str:
    """What the names of all bands begin with, or the first one's."""
    names = [image.name for image in images]
    return common_start(names).rstrip(" _-.") or names[0]


def _told(address: Address) -> str:
    """The HDU of an address as its user writes it."""
    key = address.hdu
    return f"[{','.join(map(str, key))}]" if isinstance(key, tuple) else f"[{key}]"
