"""FITS in and out: `open_image` reads a header and no pixels; `write_image` never half-writes.

This module alone knows FITS files. Whatever a file does wrong leaves here as an `ImageError`
whose sentence names the file and the remedy.
"""

from __future__ import annotations

import dataclasses
import gzip
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError, OutputError
from napari_astroseg.sky.image import ImageRef, SkyImage
from napari_astroseg.sky.pixels import CompressedPixels, FitsPixels, PixelSource
from napari_astroseg.sky.window import Window

ImageHDU = fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU

_SKY_CARD = re.compile(
    r"(WCSAXES|(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)[12]|(CD|PC)[12]_[12]|(CD|PC)00[12]00[12]|"
    r"PV[12]_\d+|"
    r"CNPIX[12]|[XY]PIXELSZ|PPO\d|AMD[XY]\d+|PLT(RA[HMS]|DEC(SN|[DMS]))|"  # Schmidt plates (DSS)
    r"LONPOLE|LATPOLE|RADESYS|RADECSYS|EQUINOX|EPOCH|(A|B|AP|BP)_(ORDER|DMAX|\d_\d)|WAT[12]_\d+)$"
)
_WHOLE_FILE_PACKERS = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\x1f\x9d": "uncompress"}
_LFS = b"version https://git-lfs"


def open_image(path: str | Path, hdu: int | str | None = None) -> SkyImage:
    """A lazy image of one HDU; the header is read, the pixels are not.

    Parameters
    ----------
    path
        A FITS file, plain or with tile-compressed images.
    hdu
        Number or EXTNAME; by default the first HDU that holds a two-dimensional image.

    Raises
    ------
    ImageError
        When the file or the HDU holds nothing that can be shown, with the remedy.
    """
    path = Path(path).absolute()  # pixels are read later, from wherever the process is then
    with opened(path) as hdus:
        index = _chosen(hdus, hdu, path)
        image = _image_of(hdus, index, path)
    return image if hdu is None else dataclasses.replace(image, name=f"{path.stem} [{hdu}]")


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


def _chosen(hdus: fits.HDUList, hdu: int | str | None, path: Path) -> int:
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


def _image_of(hdus: fits.HDUList, index: int, path: Path) -> SkyImage:
    hdu = hdus[index]
    header = hdu.header
    wcs, notes = read_wcs(header)
    pixels = _pixels_of(hdu, index, path)
    unit = str(header.get("BUNIT", "")).strip()
    reference = ImageRef(path, index)
    return SkyImage(pixels, wcs, wcs_cards(header, wcs), unit, path.stem, reference, notes)


def _pixels_of(hdu: Any, index: int, path: Path) -> PixelSource:
    """The lazy reader that suits how the HDU is stored."""
    height, width = hdu.shape[-2:]
    header = hdu.header
    stored = np.dtype(fits.BITPIX2DTYPE[header["BITPIX"]]).newbyteorder(">")
    if isinstance(hdu, fits.CompImageHDU):
        leading, tile_rows = len(hdu.shape) - 2, int(hdu.tile_shape[-2])
        return CompressedPixels(path, index, (height, width), stored, leading, tile_rows)
    offset = int(hdu.fileinfo()["datLoc"])
    needed = offset + height * width * stored.itemsize
    if needed > path.stat().st_size:
        raise ImageError(
            f"{path.name}: its header promises {needed / 2**20:,.1f} MiB and the file holds "
            f"{path.stat().st_size / 2**20:,.1f} MiB; it was cut short: fetch it again"
        )
    blank = header.get("BLANK") if stored.kind in "iu" else None
    scale, zero = float(header.get("BSCALE", 1.0)), float(header.get("BZERO", 0.0))
    return FitsPixels(path, offset, (height, width), stored, scale, zero, blank)


def read_wcs(header: fits.Header) -> tuple[WCS | None, tuple[str, ...]]:
    """The celestial part of a header's world coordinates, or None and a sentence why not."""
    if not any(str(header.get(f"CTYPE{axis}", "")).strip() for axis in (1, 2)):
        return None, ("no sky coordinates in its header; positions are in pixels",)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wcs = WCS(header, naxis=[1, 2])
            if not wcs.has_celestial or wcs.wcs.lngtyp not in {"RA", "GLON"}:
                reason = f"its axes are {', '.join(wcs.wcs.ctype)}"
                return None, (f"no usable sky coordinates: {reason}; positions are in pixels",)
            wcs_to_celestial_frame(wcs)  # it raises for reference systems it does not know
            middle = wcs.pixel_to_world_values(header["NAXIS1"] / 2, header["NAXIS2"] / 2)
        if not np.all(np.isfinite(middle)) and not _reaches_the_sky(wcs, header):
            raise ValueError("no pixel falls on the sky")
    except Exception as error:
        # WCSLIB's own errors do not share a base class below Exception.
        reason = " ".join(str(error).split())[:120]
        return None, (f"no usable sky coordinates: {reason}; positions are in pixels",)
    return wcs, ()


def _reaches_the_sky(wcs: WCS, header: fits.Header) -> bool:
    """Whether any of a coarse grid of pixels lies on the sky (all-sky maps have empty middles)."""
    x = np.linspace(0, header["NAXIS1"] - 1, 9)
    y = np.linspace(0, header["NAXIS2"] - 1, 9)
    return bool(np.isfinite(wcs.pixel_to_world_values(*np.meshgrid(x, y))).any())


def wcs_cards(header: fits.Header, wcs: WCS | None) -> fits.Header:
    """The cards that place the first two axes on the sky, copied digit for digit."""
    cards = fits.Header()
    if wcs is None:
        return cards
    for card in header.cards:
        if _SKY_CARD.match(card.keyword):
            cards.append((card.keyword, card.value, card.comment), end=True)
    if "WCSAXES" in cards:
        cards["WCSAXES"] = 2
    return cards


def window_cards(cards: fits.Header, window: Window) -> fits.Header:
    """The same sky for the pixels of `window`: CRPIX moved by its corner, a plate's too."""
    moved = cards.copy()
    for axis, corner in ((1, window.x), (2, window.y)):
        if len(cards):
            moved[f"CRPIX{axis}"] = float(cards.get(f"CRPIX{axis}", 0.0)) - corner
        if f"CNPIX{axis}" in cards:
            moved[f"CNPIX{axis}"] = cards[f"CNPIX{axis}"] + corner
    return moved


def write_image(
    path: Path,
    values: NDArray[Any],
    cards: fits.Header | None = None,
    unit: str = "",
    notes: dict[str, str | int | float] | None = None,
    compress: bool = False,
) -> Path:
    """Write an array as a FITS image, whole or not at all.

    Parameters
    ----------
    path
        Replaced if it exists; a `.gz` ending packs the whole file.
    values
        (H, W) or (planes, H, W).
    cards
        Sky coordinates, as `wcs_cards` gives them.
    compress
        Tile-compress without loss (GZIP_2 for floats, RICE for integers).
    """
    header = fits.Header(cards.cards if cards is not None else [])
    if unit:
        header["BUNIT"] = unit
    for key, value in (notes or {}).items():
        header[key] = _ascii(value) if isinstance(value, str) else value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        if compress:
            kind = "GZIP_2" if values.dtype.kind == "f" else "RICE_1"
            tile = (1,) * (values.ndim - 2) + tuple(min(256, n) for n in values.shape[-2:])
            hdu: Any = fits.CompImageHDU(
                values, header, compression_type=kind, quantize_level=0, tile_shape=tile
            )
            hdus = fits.HDUList([fits.PrimaryHDU(), hdu])
        else:
            hdus = fits.HDUList([fits.PrimaryHDU(values, header)])
        with replacing(path) as temporary:
            opener = gzip.open if path.suffix == ".gz" else open
            with opener(temporary, "wb") as file:
                hdus.writeto(file)
    return path


def _ascii(text: str) -> str:
    """Text as a FITS header can hold it: what is beyond ASCII becomes a question mark."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place only when all went well.

    Raises
    ------
    OutputError
        When the folder cannot be written to or the disk is full; `path` is as it was.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({(error.strerror or str(error)).lower()}); "
            "free some space or choose another folder"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file-creation mask; reading it means setting it for a moment."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
