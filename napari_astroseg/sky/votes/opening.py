"""Opening: from what a user names to its maps of votes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.files.address import Address, HduKey
from napari_astroseg.sky.files.choosing import chosen
from napari_astroseg.sky.files.contents import Contents, Entry, contents
from napari_astroseg.sky.files.fitsfile import Images
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.files.sets import VOTE_MAPS
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.votes.gz3d import gz3d_of
from napari_astroseg.sky.votes.votemap import VoteMap


def open_votes(
    path: str | Path | Address, hdu: HduKey | None = None, *, progress: Progress = silent
) -> dict[str, VoteMap]:
    """What was marked → how many people marked each pixel.

    Parameters
    ----------
    path
        A file of Galaxy Zoo 3D, or any FITS image of whole numbers; `FILE[3]` names an HDU.
    hdu
        Which image, where the file has several.
    progress
        Hears of a file that must be unpacked first.

    Returns
    -------
    `center`, `star`, `spiral` and `bar` of Galaxy Zoo 3D, or the one of them that is asked for;
    `votes` of any other image, whose pixels are all read and checked.

    Raises
    ------
    ImageError
        When the file cannot be read.
    VoteError
        When it holds no counts.
    """
    address = Address.of(path, hdu)
    if address.is_folder:
        raise VoteError(
            f"{address.name} is a folder; index it as a whole with "
            "`napari_astroseg.sky.votes.index.index_votes`, or name one file inside it"
        )
    with opened(address, progress) as file:
        found = contents(file)
        entry = None if address.hdu is None else chosen(file, found, address.hdu)
        if found.kind == "votes" and (entry is None or entry.name in VOTE_MAPS):
            maps = gz3d_of(file, found).votes
            return maps if entry is None else {entry.name: maps[entry.name]}
        entry = entry or plain_map(file.hdus, found) or chosen(file, found, None)
        if entry.kind != "image":
            raise VoteError(
                f"{address.name} opens as {_KINDS[entry.kind]}, not as one map of counts; "
                f"name the HDU of one (`astroseg info {address.name}` lists them)"
            )
        votes = VoteMap(Images(file, found).image(entry))
    votes.counts  # noqa: B018 (any image opens so far: this tells counts from others)
    return {"votes": votes}


_KINDS = {
    "multiband": "several bands",
    "cube": "a cube",
    "rgb": "a colour picture",
    "healpix": "a HEALPix map",
}


def plain_map(hdus: Any, found: Contents) -> Entry | None:
    """The first plain image of whole numbers, else the first plain one; None without any."""
    plain = [entry for entry in found.entries if entry.kind == "image"]
    whole = (entry for entry in plain if hdus[entry.hdu].header["BITPIX"] > 0)
    return next(whole, next(iter(plain), None))
