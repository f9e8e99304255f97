"""Writing: FITS images, and any file, whole or not at all."""

from __future__ import annotations

import gzip
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.errors import OutputError


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
    header = image_header(cards, unit, notes)
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


def image_header(
    cards: fits.Header | None = None,
    unit: str = "",
    notes: dict[str, str | int | float] | None = None,
) -> fits.Header:
    """The cards of an image beyond its size; see `write_image`."""
    header = fits.Header(cards.cards if cards is not None else [])
    if unit:
        header["BUNIT"] = unit
    for key, value in (notes or {}).items():
        header[key] = _ascii(value) if isinstance(value, str) else value
    return header


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


@contextmanager
def replacing_folder(place: Path) -> Iterator[Path]:
    """A folder beside `place` that takes its name only when all went well.

    Where there is such a folder already, files of the same names are replaced and others left.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as temporary:
            making = Path(temporary) / place.name
            making.mkdir()
            yield making
            if not place.exists():
                making.rename(place)
                return
            for path in making.iterdir():
                path.replace(place / path.name)
    except OSError as error:
        raise OutputError(
            f"{place} cannot be written ({(error.strerror or str(error)).lower()}); "
            "free some space or choose another folder"
        ) from error


def _umask() -> int:
    """The process's file-creation mask; reading it means setting it for a moment."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
