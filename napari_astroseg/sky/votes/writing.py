"""Writing: a crowd's own drawings in the layout of Galaxy Zoo 3D, and maps of votes as FITS."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.coords.worldcoords import wcs_cards
from napari_astroseg.sky.files.sets import VOTE_MAPS
from napari_astroseg.sky.files.writing import replacing, write_image
from napari_astroseg.sky.votes import outlines
from napari_astroseg.sky.votes.gz3d import Galaxy
from napari_astroseg.sky.votes.votemap import VoteMap

_CLUSTER = ("x", "y", "var_x", "var_y", "var_x_y", "ra", "dec", "var_ra", "var_dec", "var_ra_dec")
_TABLES = (("center", "star"), ("spiral",), ("bar",))
"""What each table of raw classifications, HDU 8 to 10, holds."""


@dataclass(frozen=True, eq=False)
class Annotator:
    """What one person drew on one field.

    Parameters
    ----------
    name
        Who.
    time
        When.
    masks
        `center`, `star`, `spiral`, `bar` → mask (H, W). What was looked for and not found is an
        empty mask; what is left out was not looked for.
    """

    name: str
    masks: Mapping[str, NDArray[np.bool_]]
    time: datetime = field(default_factory=lambda: datetime.now(UTC))


def summed(
    annotators: Sequence[Annotator], kind: str, shape: tuple[int, int]
) -> NDArray[np.uint16]:
    """How many of them marked each pixel, (H, W)."""
    votes = np.zeros(shape, np.uint16)
    for each in annotators:
        if kind in each.masks:
            votes += np.asarray(each.masks[kind], bool)
    return votes


def write_gz3d_like(
    path: str | Path,
    picture: NDArray[np.uint8],
    annotators: Sequence[Annotator],
    wcs: WCS | None = None,
    galaxy: Galaxy | None = None,
) -> Path:
    """Write several people's masks of one field in the layout of Galaxy Zoo 3D.

    Two things differ from it: the votes for centres and stars are counts of people's masks like
    the others, not ellipses around clusters of points; and the tables of raw classifications
    name their annotator, what is beyond ASCII as JSON writes it.

    Parameters
    ----------
    path
        Replaced if it exists; a `.gz` ending packs it.
    picture
        What they saw, (H, W, 3).
    annotators
        One for each person.
    wcs
        Where the picture lies on the sky.
    galaxy
        What is known of the field.

    Raises
    ------
    VoteError
        When a mask has another shape than the picture, or marks something else.
    OutputError
        When the file cannot be written.
    """
    path = Path(path)
    shape = _checked(picture, annotators)
    cards = fits.Header() if wcs is None else wcs.to_header(relax=True)
    hdus: list[fits.hdu.base.ExtensionHDU] = [
        fits.PrimaryHDU(np.ascontiguousarray(picture, np.uint8), cards)
    ]
    votes = [summed(annotators, kind, shape) for kind in VOTE_MAPS]
    hdus += [fits.ImageHDU(each.astype(float), cards) for each in votes]
    hdus.append(fits.table_to_hdu(_about(galaxy or Galaxy())))
    empty = {name: np.empty(0) for name in _CLUSTER} | {"count": np.empty(0, np.int64)}
    hdus += [fits.table_to_hdu(Table(empty)) for _ in range(2)]
    hdus += [fits.table_to_hdu(_raw(annotators, kinds)) for kinds in _TABLES]
    with replacing(path) as temporary:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(temporary, "wb") as file:
            fits.HDUList(hdus).writeto(file)
    return path


def write_votes(path: str | Path, votes: VoteMap) -> Path:
    """Write a map of votes as a FITS image of whole numbers with its WCS, compressed in tiles.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    cards = wcs_cards(votes.header, votes.wcs) if votes.wcs is not None else fits.Header()
    counts = votes.counts
    notes: dict[str, str | int | float] = {"EXTNAME": votes.name.upper(), "MOST": votes.most}
    if votes.voters is not None:
        notes["VOTERS"] = votes.voters
    return write_image(Path(path), counts, cards, "", notes, compress=True)


def _checked(picture: NDArray[np.uint8], annotators: Sequence[Annotator]) -> tuple[int, int]:
    """(H, W) of the field."""
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise VoteError(
            f"the picture has the shape {picture.shape}; pass red, green and blue as (H, W, 3)"
        )
    shape = picture.shape[0], picture.shape[1]
    for each in annotators:
        for kind, mask in each.masks.items():
            if kind not in VOTE_MAPS:
                raise VoteError(f"{each.name} marks {kind!r}; use one of {', '.join(VOTE_MAPS)}")
            if mask.shape != shape:
                raise VoteError(
                    f"the {kind} mask of {each.name} has the shape {mask.shape} and the picture "
                    f"{shape}; draw on the same pixels"
                )
    return shape


def _about(galaxy: Galaxy) -> Table:
    """The table of what is known, one row."""
    return Table(
        {
            "ra": np.array([galaxy.ra], np.float32),
            "dec": np.array([galaxy.dec], np.float32),
            "MANGAID": [galaxy.manga_id.ljust(1)],
            "IAUNAME": [galaxy.iau_name.ljust(1)],
            "IFUDESIGNSIZE": [float(galaxy.fibres or -1)],
            "nsa_id": [-1 if galaxy.nsa_id is None else galaxy.nsa_id],
        }
    )


def _raw(annotators: Sequence[Annotator], kinds: Sequence[str]) -> Table:
    """The raw classifications of those who looked for any of `kinds`."""
    own = [
        (number, each)
        for number, each in enumerate(annotators, 1)
        if any(kind in each.masks for kind in kinds)
    ]
    columns = {
        "classification_id": np.array([number for number, _ in own], np.int64),
        "time_stamp": _texts(
            f"{each.time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" for _, each in own
        ),
        "annotator": _texts(json.dumps(each.name)[1:-1] for _, each in own),
    }
    for kind in kinds:
        columns[f"{kind}_paths"] = _texts(_json(each.masks.get(kind)) for _, each in own)
    return Table(columns)


def _texts(words: Iterable[str]) -> NDArray[np.bytes_]:
    """A column of ASCII text."""
    encoded = [word.encode("ascii") for word in words]
    return np.array(encoded, f"S{max(map(len, encoded), default=1) or 1}")


def _json(mask: NDArray[np.bool_] | None) -> str:
    """A mask as a list of outlines."""
    lines = [] if mask is None else outlines.outlines(mask)
    return json.dumps([line.tolist() for line in lines])
