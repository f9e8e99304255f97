"""Crowdfile: a crowd's marks as maps of counts, in the layout of Galaxy Zoo 3D, as a catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.coords.worldcoords import wcs_cards
from napari_astroseg.sky.files.sets import VOTE_MAPS
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.limits import sampled_limits
from napari_astroseg.sky.marks.export import write_whole
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.stack import flattened
from napari_astroseg.sky.votes.agreement import Agreement
from napari_astroseg.sky.votes.crowd import Crowd
from napari_astroseg.sky.votes.writing import Annotator, write_gz3d_like
from napari_astroseg.sky.window import Window

_LARGEST = 2**25
"""Pixels of a field in the layout of Galaxy Zoo 3D, which holds four maps of them in float64."""


def write_crowd(
    crowd: Crowd, out: str | Path, kinds: Sequence[str] = (), *, progress: Progress = silent
) -> list[Path]:
    """Write how many people marked each pixel, as FITS with the image's sky coordinates.

    Parameters
    ----------
    out
        Replaced if it exists; of several classes each gets a file, with its name before the ending.
    kinds
        Which classes; all by default.

    Returns
    -------
    The files, in the order of the classes.

    Raises
    ------
    VoteError
        When nobody marked anything, or not such a class.
    OutputError
        When the disk refuses.
    """
    wanted = tuple(kinds) or crowd.classes
    if not wanted:
        raise VoteError("nobody marked anything, so there is nothing to count; draw first")
    dtype = np.uint8 if len(crowd.people) < 2**8 else np.int16
    written = []
    for kind, path in zip(wanted, crowd_files(out, wanted), strict=True):
        votes = crowd.votes(kind)
        header = wcs_cards(crowd.field.header, crowd.field.wcs)
        header["EXTNAME"] = _ascii(kind).upper()[:60]
        header["VOTERS"] = len(crowd.people)
        header["MOST"] = int(crowd.counts(kind).max(initial=0))
        image = replace(votes.image, header=header)
        written.append(write_whole(image, path, dtype, progress))
    return written


def crowd_files(out: str | Path, kinds: Sequence[str]) -> list[Path]:
    """Where `write_crowd` leaves the counts of each class, each in a file of its own.

    Of classes whose names come to one (`ring 1`, `ring_1`; on some disks `Arm`, `arm`) the second
    is numbered.
    """
    out = Path(out)
    if len(kinds) == 1:
        return [out]
    files: dict[str, Path] = {}
    for kind in kinds:
        number, name = 1, _named(out, kind)
        while name.casefold() in files:
            number += 1
            name = _named(out, f"{kind}-{number}")
        files[name.casefold()] = out.with_name(name)
    return list(files.values())


def write_crowd_gz3d(
    crowd: Crowd,
    out: str | Path,
    *,
    image: SkyImage | None = None,
    names: Mapping[str, str] | None = None,
) -> Path:
    """Write a crowd's marks in the layout of Galaxy Zoo 3D: counts, and who drew what when.

    Parameters
    ----------
    out
        Replaced if it exists; `.gz` packs it.
    image
        What they saw, for the picture, which is black without.
    names
        Class → `center`, `star`, `spiral` or `bar`, for classes of other names.

    Raises
    ------
    VoteError
        When a class has no place there, the field is too large, or `image` is another one.
    OutputError
        When the disk refuses.
    """
    height, width = crowd.field.shape
    if height * width > _LARGEST:
        raise VoteError(
            f"{crowd.field.name} of {width} × {height} pixels is too large for the layout of "
            "Galaxy Zoo 3D; write maps of counts instead"
        )
    if image is not None and image.shape != crowd.field.shape:
        raise VoteError(f"{image.name} is not what was marked; give that image, or none")
    own = {kind.lower(): place for kind, place in (names or {}).items()}
    places = {kind: own.get(kind.lower(), kind.lower()) for kind in crowd.classes}
    for kind, place in places.items():
        if place not in VOTE_MAPS:
            raise VoteError(
                f"the layout of Galaxy Zoo 3D has no place for {kind!r}; say which of "
                f"{', '.join(VOTE_MAPS)} it stands for"
            )
    whole = [_whole(each, places, crowd) for each in crowd.people]
    picture = np.zeros((height, width, 3), np.uint8) if image is None else picture_of(image)
    return write_gz3d_like(out, picture, whole, crowd.field.wcs)


def picture_of(image: SkyImage) -> NDArray[np.uint8]:
    """A grey picture of an image, (H, W, 3), from zscale's lower to its upper limit."""
    flat = flattened(image)
    limits = sampled_limits(flat)
    values = flat.cutout(Window.whole(flat.shape))
    with np.errstate(invalid="ignore"):
        grey = (values - limits.low) / (limits.high - limits.low)
    bytes_ = (np.clip(np.nan_to_num(grey), 0.0, 1.0) * 255).astype(np.uint8)
    return np.repeat(bytes_[:, :, None], 3, axis=2)


def objects_of(crowd: Crowd, found: Agreement) -> Catalogue:
    """The objects of an agreement as a catalogue: where, how large, who many marked it, how alike.

    Columns `id`, `lon`, `lat` (deg, ICRS or Galactic; left out without sky coordinates), `x`, `y`
    (0-based pixels), `area` (pixel²), `marked` (people), `dice`.
    """
    table = found.objects.copy()
    x, y = (table[name].to_value(u.pixel) for name in ("x", "y"))
    table["x"], table["y"] = x, y
    if crowd.field.wcs is None:
        return Catalogue(table)
    there = crowd.field.sky(x, y)
    there = there if there.frame.name == "galactic" else there.icrs
    table.add_column(there.spherical.lon.to(u.deg), name="lon", index=1)
    table.add_column(there.spherical.lat.to(u.deg), name="lat", index=2)
    return Catalogue(table, str(there.frame.name))


def _whole(person: Annotator, places: Mapping[str, str], crowd: Crowd) -> Annotator:
    """Someone's masks on all pixels of the field; those in one place as one."""
    masks: dict[str, NDArray[np.bool_]] = {}
    for kind, place in places.items():
        mask = masks.setdefault(place, np.zeros(crowd.field.shape, bool))
        mask[crowd.window.slices] |= person.masks[kind]
    return replace(person, masks=masks)


def _named(out: Path, kind: str) -> str:
    """`votes_arm.fits` of `votes.fits`, whatever the class is called."""
    safe = re.sub(r"[^\w.+-]+", "_", kind)
    stem, dot, ending = out.name.partition(".")
    return f"{stem}_{safe}{dot}{ending}"


def _ascii(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)
