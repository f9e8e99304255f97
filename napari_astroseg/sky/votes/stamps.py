"""Stamps: galaxies of Galaxy Zoo 3D and what was marked in them, all brought to one size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.files.contents import contents
from napari_astroseg.sky.files.fitsfile import Images
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.resizing import nearest
from napari_astroseg.sky.votes.inmemory import opened_whole
from napari_astroseg.sky.votes.votemap import VoteMap

Stamp = NDArray[np.uint8]


def galaxy_stamp(path: Path, kind: str, threshold: int, side: int) -> Stamp:
    """The picture of a file and where `kind` has `threshold` votes, (4, side, side).

    Red, green, blue, and 1 on what is marked; resized by nearest neighbour (Rey Deutsch+2023).

    Raises
    ------
    ImageError, VoteError
        When the file cannot be read, or is none of Galaxy Zoo 3D.
    """
    with opened_whole(path) as file:
        found = contents(file)
        if found.kind != "votes":
            raise VoteError(
                f"{path.name} is no file of Galaxy Zoo 3D; keep such files alone in the folder"
            )
        images = Images(file, found)
        entry = next(entry for entry in found.entries if entry.name == kind)
        marked = VoteMap(images.image(entry), kind).at_least(threshold)
        rows, columns = nearest(marked.shape[0], side)[:, None], nearest(marked.shape[1], side)
        stamp = np.empty((4, side, side), np.uint8)
        picture = file.hdus[found.entries[0].hdu].data  # (H, W, 3), as it is stored
        stamp[:3] = np.moveaxis(picture[rows, columns], -1, 0)
        stamp[3] = marked[rows, columns]
    return stamp


def galaxy_stamps(
    paths: Sequence[Path], kind: str, threshold: int, side: int, progress: Progress = silent
) -> Iterator[Stamp]:
    """`galaxy_stamp` of each file in turn, several read at once."""
    read = partial(galaxy_stamp, kind=kind, threshold=threshold, side=side)
    readers = ThreadPoolExecutor(2, thread_name_prefix="stamps")
    try:
        for done, stamp in enumerate(readers.map(read, paths)):
            progress("reading galaxies", done, len(paths))
            yield stamp
    finally:
        readers.shutdown(cancel_futures=True)
