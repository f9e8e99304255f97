"""FITS files: what is in one, and the lazy image of an HDU.

Whatever a file does wrong leaves here as an `ImageError` whose sentence names the file and the
remedy.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address, HduKey, ImageRef
from napari_astroseg.sky.files.handle import Handle
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import CompressedFile, CompressedPixels, FitsPixels, PixelSource
from napari_astroseg.sky.worldcoords import read_wcs, wcs_cards

ImageHDU = fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU

_WHOLE_FILE_PACKERS = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\x1f\x9d": "uncompress"}
_LFS = b"version https://git-lfs"


@contextmanager
def opened(path: Path) -> Iterator[fits.HDUList]:
    """Open a FITS file read-only, its own complaints turned into `ImageError`."""
    _look_before_opening(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd but readable headers are told in notes
            with fits.open(path, mode="readonly", do_not_scale_image_data=True) as hdus:
                yield hdus
    except ImageError:
        raise
    except Exception as error:
        # astropy answers a broken file with whatever broke inside it; all of it is the file's.
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ImageError(
            f"{path.name} cannot be read as FITS ({reason}); "
            "check it with `fitsverify`, or fetch it again"
        ) from error


def _look_before_opening(path: Path) -> None:
    """Say plainly what the path is, where it cannot be a FITS file."""
    try:
        if path.is_dir():
            raise ImageError(f"{path.name} is a folder; name the FITS files inside it")
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        reason = (error.strerror or "no such file").lower()
        raise ImageError(
            f"{path} cannot be opened ({reason}); check the name and permissions"
        ) from error
    if not start:
        raise ImageError(f"{path.name} is empty (0 bytes); fetch it again")
    if start.startswith(_LFS):
        raise ImageError(f"{path.name} is a Git LFS pointer, not data; run `git lfs pull` first")
    for magic, remedy in _WHOLE_FILE_PACKERS.items():
        if start.startswith(magic):
            raise ImageError(
                f"{path.name} is compressed as a whole, which cannot be read piece by piece; "
                f"unpack it with `{remedy} {path.name}` and open the result"
            )
    if not start.startswith(b"SIMPLE"):
        raise ImageError(f"{path.name} is not a FITS file; open one that starts with SIMPLE = T")


def is_picture(hdu: Any) -> bool:
    """Whether an HDU holds two image axes of some size, others degenerate."""
    shape = getattr(hdu, "shape", ())
    if not isinstance(hdu, ImageHDU) or isinstance(hdu, fits.GroupsHDU) or len(shape) < 2:
        return False
    return min(shape[-2:]) > 0 and all(n == 1 for n in shape[:-2])


def chosen(hdus: fits.HDUList, hdu: HduKey | None, path: Path) -> int:
    """Index of the asked HDU, or of the first picture."""
    if hdu is None:
        found = next((i for i, each in enumerate(hdus) if is_picture(each)), None)
        if found is None:
            raise ImageError(_nothing_to_show(hdus, path))
        return found
    try:
        index = int(hdus.index_of(hdu))
        chosen = hdus[index]
    except (KeyError, IndexError) as error:
        raise ImageError(
            f"{path.name} has no HDU {hdu!r}; `astroseg info {path.name}` lists them"
        ) from error
    if not is_picture(chosen):
        raise ImageError(
            f"{path.name}: HDU {hdu!r} holds no two-dimensional image; "
            f"`astroseg info {path.name}` lists those that do"
        )
    return index


def _nothing_to_show(hdus: fits.HDUList, path: Path) -> str:
    images = [h for h in hdus if isinstance(h, ImageHDU) and not isinstance(h, fits.GroupsHDU)]
    cubes = [h.shape for h in images if len(h.shape) > 2 and min(h.shape) > 0]
    if cubes:
        return (
            f"{path.name} holds a cube of shape {cubes[0]}; "
            "write the plane you want to a file of its own and open that"
        )
    if any(isinstance(h, (fits.BinTableHDU, fits.TableHDU)) for h in hdus):
        return f"{path.name} holds tables but no image; open it in a table viewer such as TOPCAT"
    return f"{path.name} holds no two-dimensional image of any size; fetch the file with the pixels"


def image_of(hdus: fits.HDUList, index: int, address: Address, handle: Handle) -> SkyImage:
    """The lazy image of one HDU of an open file."""
    hdu = hdus[index]
    header = hdu.header
    wcs, notes = read_wcs(header)
    pixels = _pixels_of(hdu, index, handle)
    unit = str(header.get("BUNIT", "")).strip()
    reference = ImageRef(address.place, index)
    name = address.name.partition(".")[0]
    return SkyImage(pixels, wcs, wcs_cards(header, wcs), unit, name, reference, notes)


def _pixels_of(hdu: Any, index: int, handle: Handle) -> PixelSource:
    """The lazy reader that suits how the HDU is stored."""
    height, width = hdu.shape[-2:]
    header = hdu.header
    stored = np.dtype(fits.BITPIX2DTYPE[header["BITPIX"]]).newbyteorder(">")
    if isinstance(hdu, fits.CompImageHDU):
        plane, tile_rows = (0,) * (len(hdu.shape) - 2), int(hdu.tile_shape[-2])
        file = CompressedFile(handle)
        return CompressedPixels(file, index, (height, width), stored, plane, tile_rows)
    offset = int(hdu.fileinfo()["datLoc"])
    needed = offset + height * width * stored.itemsize
    if needed > handle.size:
        raise ImageError(
            f"{handle.name}: its header promises {needed / 2**20:,.1f} MiB and the file holds "
            f"{handle.size / 2**20:,.1f} MiB; it was cut short: fetch it again"
        )
    blank = header.get("BLANK") if stored.kind in "iu" else None
    scale, zero = float(header.get("BSCALE", 1.0)), float(header.get("BZERO", 0.0))
    return FitsPixels(handle, offset, (height, width), stored, scale, zero, blank)
