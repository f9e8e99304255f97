"""Opening: from what a user names to a `SkyImage`; a header is read, the pixels are not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from napari_astroseg.sky.files.address import Address, HduKey
from napari_astroseg.sky.files.fitsfile import chosen, image_of, opened
from napari_astroseg.sky.files.handle import open_handle
from napari_astroseg.sky.image import SkyImage


def open_image(path: str | Path | Address, hdu: HduKey | None = None) -> SkyImage:
    """A lazy image of one HDU; the header is read, the pixels are not.

    Parameters
    ----------
    path
        A FITS file, plain or with tile-compressed images; `FILE[SCI,1]` names an HDU.
    hdu
        Number, EXTNAME, or (EXTNAME, EXTVER); by default the first that holds an image.

    Raises
    ------
    ImageError
        When the file or the HDU holds nothing that can be shown, with the remedy.
    """
    address = Address.of(path, hdu)
    with opened(address.path) as hdus:
        index = chosen(hdus, address.hdu, address.path)
        image = image_of(hdus, index, address, open_handle(address.place))
    if address.hdu is None:
        return image
    return dataclasses.replace(image, name=f"{image.name} [{address.hdu}]")
