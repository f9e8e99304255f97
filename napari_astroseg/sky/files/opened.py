"""Opened: a FITS file open for a while, wherever it lies and however it is packed.

Local files, URLs and unpacked files are all read through a `Handle`, without a memory map.
Whatever goes wrong inside leaves as an `ImageError` that names the file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from astropy.io import fits

from napari_astroseg.errors import AstroSegError, ImageError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.handle import Handle
from napari_astroseg.sky.files.hdus import open_hdus
from napari_astroseg.sky.files.look import look
from napari_astroseg.sky.files.packed.unpack import unpacked
from napari_astroseg.sky.progress import Progress, Stopped, silent


@dataclass(frozen=True)
class OpenFile:
    """A FITS file that is open.

    Parameters
    ----------
    address
        Where it lies, as it was asked for.
    hdus
        Its HDUs, loaded as they are asked for; values as stored, not scaled.
    handle
        The bytes that `hdus` were read from: of the unpacked file, where it was packed.
    reads
        `unpacked` where it had to be unpacked as a whole first; else `lazy`.
    notes
        What the user should know of how it was opened, one sentence each.
    """

    address: Address
    hdus: fits.HDUList
    handle: Handle
    reads: Literal["lazy", "unpacked"] = "lazy"
    notes: tuple[str, ...] = ()


@contextmanager
def opened(address: Address, progress: Progress = silent) -> Iterator[OpenFile]:
    """Open a FITS file read-only; astropy's complaints become an `ImageError`.

    A file compressed as a whole is unpacked into the cache first, which takes its time:
    `progress` hears of it, and may end it.

    Raises
    ------
    ImageError
        When it cannot be read.
    """
    handle, packing = look(address)
    notes: tuple[str, ...] = ()
    if packing is not None:
        handle, note = unpacked(address.place, handle, packing, progress)
        notes = (note,)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd but readable headers are told in notes
            with open_hdus(handle) as hdus:
                yield OpenFile(address, hdus, handle, "unpacked" if packing else "lazy", notes)
    except (AstroSegError, Stopped):
        raise
    except Exception as error:
        # astropy answers a broken file with whatever broke inside it; all of it is the file's.
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ImageError(
            f"{address.name} cannot be read as FITS ({reason}); "
            "check it with `fitsverify`, or fetch it again"
        ) from error
