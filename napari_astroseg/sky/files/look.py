"""Look: what lies at a place, told from its kind and its first bytes before anyone opens it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal

import numpy as np

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.handle import Handle, open_handle
from napari_astroseg.sky.files.packed.extent import BLOCK

Packing = Literal["gzip", "bzip2", "compress", "xz", "zip"]
"""How a file is compressed as a whole."""

_PACKINGS: dict[bytes, Packing] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\x1f\x9d": "compress",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
_START = 1024

_OTHERS = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
    b"%PDF": "a PDF document",
    b"\x93NUMPY": "a NumPy array",
    b"#ASDF": "an ASDF file",
    b"XTENSION": "a FITS extension without its primary header",
}


def look(address: Address) -> tuple[Handle, Packing | None]:
    """The bytes of an address, and how they are compressed as a whole, if they are.

    Raises
    ------
    ImageError
        When there is nothing, it cannot be read, or it is plainly no FITS file.
    """
    if not address.remote:
        _look_at_entry(address.path)
    handle = open_handle(address.place)
    start = start_of(handle, _START)
    packing = next((kind for magic, kind in _PACKINGS.items() if start.startswith(magic)), None)
    if packing is None:
        look_at_start(start, handle.name)
        if handle.size < BLOCK:
            raise ImageError(
                f"{handle.name} ends after {handle.size} bytes, within its first header; "
                "it was cut short or is a header alone: fetch it again"
            )
    return handle, packing


def start_of(handle: Handle, count: int) -> bytes:
    """The first `count` bytes, or as many as there are."""
    start = np.empty(min(count, handle.size), np.uint8)
    if start.size:
        handle.read(start, 0)
    return start.tobytes()


def look_at_start(start: bytes, name: str) -> None:
    """Say plainly what first bytes are, where they are no FITS file's.

    Raises
    ------
    ImageError
        When they are not.
    """
    if start.startswith(b"SIMPLE"):
        if b"\n" in start[:160]:
            raise ImageError(
                f"{name} is a FITS header saved as text; open the FITS file that it came from"
            )
        return
    if not start:
        raise ImageError(f"{name} is empty (0 bytes); fetch it again")
    if start.startswith(b"version https://git-lfs"):
        raise ImageError(f"{name} is a Git LFS pointer, not data; run `git lfs pull` first")
    told = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if told.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        what = "an XML document" if told.startswith(b"<?xml") and b"<html" not in told else ""
        raise ImageError(
            f"{name} is {what or 'a web page'}, not a FITS file: a server's answer was saved in "
            "its place; fetch it again and look at the answer in a browser"
        )
    what = next((each for magic, each in _OTHERS.items() if start.startswith(magic)), "")
    if what:
        raise ImageError(f"{name} is {what}, not a FITS file; open one that starts with SIMPLE = T")
    if not start.strip(b"\0"):
        raise ImageError(f"{name} holds zeros where its header should be; fetch it again")
    raise ImageError(f"{name} is not a FITS file; open one that starts with SIMPLE = T")


def _look_at_entry(path: Path) -> None:
    """Say plainly what an entry of a folder is, where it holds no bytes to read at positions.

    Opening a pipe would wait for its writer; so the kind is asked first.
    """
    try:
        kind = path.stat().st_mode
        readable = stat.S_ISREG(kind) and os.access(path, os.R_OK)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ImageError(
            f"{path} cannot be opened ({reason}); check the name and permissions"
        ) from error
    if stat.S_ISDIR(kind):
        raise ImageError(f"{path.name} is a folder; name the FITS files inside it")
    if not stat.S_ISREG(kind):
        raise ImageError(
            f"{path.name} is a pipe, socket or device, which cannot be read piece by piece; "
            "save what it gives to a file and open that"
        )
    if not readable:
        raise ImageError(
            f"{path} cannot be opened (permission denied); check the name and permissions"
        )
