"""Choosing: which image of a file is meant, or why none can be."""

from __future__ import annotations

from collections.abc import Callable

from astropy.io import fits

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import HduKey
from napari_astroseg.sky.files.contents import Contents, Entry
from napari_astroseg.sky.files.opened import OpenFile

Spelling = Callable[[str], str]


def chosen(file: OpenFile, found: Contents, key: HduKey | None) -> Entry:
    """The entry that is asked for, or the one that opens by default.

    Raises
    ------
    ImageError
        When there is none.
    """
    name = file.address.name
    if key is None:
        if found.default is None:
            raise ImageError(nothing_to_show(file, found))
        return found.default
    for spelled in (str, str.upper):  # bands called r and R are two
        for entry in found.entries:
            if _called((entry.hdu, entry.name, entry.version), key, spelled):
                return entry
    told = key if isinstance(key, (int, str)) else ",".join(map(str, key))
    if not any(_called(hdu, key) for hdu in found.without):
        raise ImageError(f"{name} has no HDU {told!r}; `astroseg info {name}` lists them")
    raise ImageError(
        f"{name}: HDU {told!r} holds no two-dimensional image; "
        f"`astroseg info {name}` lists those that do"
    )


def _called(hdu: tuple[int, str, int], key: HduKey, spelled: Spelling = str.upper) -> bool:
    """Whether an HDU of this number, name and version is meant by a key."""
    number, name, own = hdu
    if isinstance(key, int):
        return number == key
    wanted, version = key if isinstance(key, tuple) else (key, own)
    names = {spelled(name), "PRIMARY"} if number == 0 else {spelled(name)}
    return spelled(wanted.strip()) in names and version == own


def nothing_to_show(file: OpenFile, found: Contents) -> str:
    """Why a file without images cannot be shown, and what to do."""
    name = file.address.name
    if isinstance(file.hdus[0], fits.GroupsHDU):
        return (
            f"{name} holds random groups (visibilities), which are no two-dimensional image; "
            "make an image of them first, with CASA or AIPS"
        )
    if found.tables:
        return f"{name} holds tables but no image; open it in a table viewer such as TOPCAT"
    return f"{name} holds no two-dimensional image of any size; fetch the file with the pixels"
