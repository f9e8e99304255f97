"""Mosaic file: a lazy image written to disk, band by band, so that memory does not grow with it.

What is done lies beside the file, in the folder `.NAME.part`, until the file is whole: the bytes,
and after each band a note of how far they are good. A run that was stopped or killed goes on from
there and leaves the same file, byte for byte, as one that was not.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from astropy.io import fits

from napari_astroseg import __version__
from napari_astroseg.errors import OutputError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.appending import BLOCK, Form, Packed, Plain, is_whole
from napari_astroseg.sky.files.filesread import files_read
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.mosaic import open_mosaic
from napari_astroseg.sky.mosaics.mosaictile import Tile
from napari_astroseg.sky.mosaics.partfolder import BYTES, DONE, DONE_NEW, emptied, held
from napari_astroseg.sky.mosaics.tiling import TiledPixels
from napari_astroseg.sky.pixels import digest

_WORKERS = 2

_IDENTITY = "PIXELSID"
"""The card that tells which values a file holds."""


@dataclass(frozen=True)
class BandWritten:
    """One more band of rows lies on disk.

    Parameters
    ----------
    done, total
        Bands so far, and all.
    """

    done: int
    total: int


@dataclass(frozen=True)
class _Done:
    """How far the bytes beside the file are good.

    Parameters
    ----------
    key
        Of the values and the form that they were written in.
    bands
        Written.
    length
        Bytes of them.
    largest
        Of the items among them.
    """

    key: str
    bands: int = 0
    length: int = 0
    largest: int = 0


def write_mosaic(
    image: SkyImage | Sequence[str | Path | Address | SkyImage],
    out: Path,
    *,
    compress: bool = True,
    resume: bool = False,
    overwrite: bool = False,
    dtype: Any = None,
) -> Iterator[BandWritten]:
    """Write an image, or the mosaic of some tiles, as FITS; whole or not at all.

    Closing the generator stops; what was done is kept beside the file for `resume`.

    Parameters
    ----------
    image
        Any lazy image; a mosaic's tiles and levels are told in HISTORY cards.
    out
        The file.
    compress
        In tiles of 256 × 256 pixels, without loss (GZIP_2).
    resume
        Go on where an earlier call was stopped, if there was one; do nothing if it was not.
    overwrite
        Replace a file that is there.
    dtype
        Of the values in the file; the image's own by default.

    Yields
    ------
    BandWritten
        After each band of rows.

    Raises
    ------
    OutputError
        When the file is there, is one of the tiles, or cannot be written; or when what is to be
        resumed was begun from other values.
    ImageError
        When a tile cannot be read.
    """
    if not isinstance(image, SkyImage):
        image = open_mosaic(image)
    stored = np.dtype(image.dtype if dtype is None else dtype)
    header = _header(image)
    form: Form = (Packed if compress else Plain)(image.shape, stored, header)
    if resume and image.pixels.identity is not None and is_whole(out, form):
        return
    _refuse(image, out, overwrite)
    with _told(out), held(out) as part:
        done = _begun(part, form, image, out, resume)
        total = -(-image.shape[0] // form.rows)
        if isinstance(form, Plain):
            _require_room(form.size - form.body - done.length, out)
        with (part / BYTES).open("r+b") as file:
            file.truncate(form.body + done.length)
            for band in range(done.bands, total):
                done = _written(image, form, done, band, file)
                _note(part, done)
                yield BandWritten(band + 1, total)
            _finish(file, form, done)
        (part / BYTES).replace(out)
        emptied(part)


def _written(image: SkyImage, form: Form, done: _Done, band: int, file: IO[bytes]) -> _Done:
    """One band more on disk."""
    rows = slice(band * form.rows, min((band + 1) * form.rows, image.shape[0]))

    def encoded(columns: slice) -> list[bytes]:
        return form.encoded(image.pixels[rows, columns])

    start = form.body + done.length
    sizes: list[int] = []
    file.seek(start)
    with ThreadPoolExecutor(_WORKERS, "astroseg-write") as pool:
        for items in pool.map(encoded, form.pieces()):
            sizes += map(len, items)
            file.writelines(items)
    at, noted = form.reserved(band, sizes, start)
    file.seek(at)
    file.write(noted)
    file.flush()
    os.fsync(file.fileno())  # the note must not be on disk before what it notes
    length = done.length + sum(sizes)
    return replace(done, bands=band + 1, length=length, largest=max(done.largest, *sizes))


def _finish(file: IO[bytes], form: Form, done: _Done) -> None:
    file.seek(form.body + done.length)
    file.write(bytes(-(form.body + done.length) % BLOCK))
    file.seek(0)
    file.write(form.settled(done.length, done.largest))
    file.flush()
    os.fsync(file.fileno())


def _begun(part: Path, form: Form, image: SkyImage, out: Path, resume: bool) -> _Done:
    """What is there to go on from; else a fresh beginning."""
    identity = image.pixels.identity
    key = digest(identity, len(form.head), form.head) if identity is not None else ""
    done = _noted(part, form) if resume else None
    if done is not None:
        if not key or done.key != key:
            raise OutputError(
                f"what is left of {out.name} was begun from other tiles or settings; "
                "write it without --resume to begin again"
            )
        return done
    emptied(part)
    with (part / BYTES).open("wb") as file:
        file.write(form.head)
        file.truncate(form.body)
    done = _Done(key)
    _note(part, done)
    return done


def _noted(part: Path, form: Form) -> _Done | None:
    """How far an earlier run came; None if there was none, or nothing of it is good."""
    try:
        done = _Done(**json.loads((part / DONE).read_text(encoding="utf-8")))
        whole = (part / BYTES).stat().st_size >= form.body + done.length
    except (OSError, ValueError, TypeError):
        return None
    return done if whole else None


def _note(part: Path, done: _Done) -> None:
    fresh = part / DONE_NEW
    fresh.write_text(json.dumps(asdict(done)), encoding="utf-8")
    fresh.replace(part / DONE)


def _refuse(image: SkyImage, out: Path, overwrite: bool) -> None:
    """Nothing that is read is written to, and nothing is lost unasked."""
    if out.is_dir():
        raise OutputError(f"{out} is a folder; name a file in it")
    if out.exists() and any(_same(place, out) for place in _places(image)):
        raise OutputError(
            f"{out} is one of the tiles or files that are read; give another name with --out"
        )
    if not overwrite:
        require_free(out)


def require_free(out: Path) -> None:
    """Refuse a name that is taken.

    Raises
    ------
    OutputError
        When there is a file.
    """
    if out.exists():
        raise OutputError(f"{out} is there already; choose another name or add --force")


def _places(image: SkyImage) -> Iterator[Path]:
    """Files that an image's values come from."""
    if image.reference is not None:
        yield Path(image.reference.place)
    if isinstance(image.pixels, TiledPixels):  # of a tile that was packed, the file itself
        yield from (Path(tile.place) for tile in image.pixels.tiles if tile.place)
    yield from files_read(image)


def _same(path: Path, out: Path) -> bool:
    return path.exists() and path.samefile(out)


def _header(image: SkyImage) -> fits.Header:
    """Sky, unit, and how the values came about."""
    header = image.header.copy()
    if image.unit:
        header["BUNIT"] = image.unit
    if image.pixels.identity is not None:
        header[_IDENTITY] = image.pixels.identity, "digest of tiles and settings"
    header.add_history(f"written by napari-astroseg {__version__}")
    for note in image.notes:
        header.add_history(_ascii(note))
    if isinstance(image.pixels, TiledPixels):
        for line in _lineage(image.pixels.tiles):
            header.add_history(_ascii(line))
    return header


def _lineage(tiles: Sequence[Tile]) -> list[str]:
    """Whose values these are; of one image as it is, just its name."""
    if len(tiles) == 1 and tiles[0].unchanged:
        return [f"values of {tiles[0].name}"]
    return [tile.told for tile in tiles]


def _ascii(text: str) -> str:
    """Text as a FITS header can hold it."""
    plain = text.replace("×", "x").encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in plain)


def _require_room(needed: int, out: Path) -> None:
    free = shutil.disk_usage(out.parent).free
    if needed > free:
        raise OutputError(
            f"{out} needs {needed / 2**30:,.1f} GiB and its disk has {free / 2**30:,.1f} GiB left; "
            "free some space or choose another folder"
        )


@contextmanager
def _told(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written ({(error.strerror or str(error)).lower()}); "
            "free some space or choose another folder"
        ) from error
