"""Families: which HDUs of a file are the errors and the masks of which image.

They are told by EXTNAME and EXTVER, as the observatories write them: SCI, ERR, DQ (HST, JWST);
IMAGE, MASK, VARIANCE (Rubin); SCI, MSK, WGT (DES); DATA, STAT, DQ (MUSE); FLUX, IVAR, MASK
(SDSS); an image and its ERROR.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from napari_astroseg.sky.files.derived import Spread

Role = Literal["science", "uncertainty", "mask", "other"]

_DEVIATIONS = ("ERR", "ERROR", "ERRORS", "UNCERT", "UNCERTAINTY", "UNC", "STDDEV", "STD", "SIGMA",
               "RMS", "NOISE")  # fmt: skip
_VARIANCES = ("VAR", "VARIANCE", "STAT")
_WEIGHTS = ("IVAR", "IVM", "INVVAR", "WEIGHT", "WEIGHTS", "WGT")
_SPREADS: tuple[Spread, ...] = ("deviation", "variance", "weight")
_MASKS = ("DQ", "MASK", "MSK", "FLAG", "FLAGS", "BPM", "BADPIX", "QUALITY", "PIXELMASK")
_OTHERS = ("WHT", "CTX", "CON", "EXP", "EXPOSURE", "EXPMAP", "COVERAGE", "COV", "HITS", "NHIT",
           "SAMP", "TIME", "WCSDVARR", "D2IMARR", "AREA", "PSF", "BEAM", "WAVELENGTH", "PIXAREA",
           "BKG", "BACKGROUND", "SKY")  # fmt: skip
_MAIN = ("", "SCI", "IMAGE", "DATA", "FLUX", "SIGNAL", "PRIMARY", "INTENSITY", "MAP")
"""Names of images whose family members carry only the name of their role."""


class Part(NamedTuple):
    """What a name says: whose family ("" for the main image's), which role, how it is written."""

    family: str
    role: Role
    spread: Spread | None = None


_ROLES: dict[str, Part] = {
    **{name: Part("", "uncertainty", "deviation") for name in _DEVIATIONS},
    **{name: Part("", "uncertainty", "variance") for name in _VARIANCES},
    **{name: Part("", "uncertainty", "weight") for name in _WEIGHTS},
    **{name: Part("", "mask") for name in _MASKS},
    **{name: Part("", "other") for name in _OTHERS},
}


class Relatives(NamedTuple):
    """HDUs of what belongs to an image; None without."""

    uncertainty: int | None = None
    mask: int | None = None


class Member(NamedTuple):
    """One image HDU, as far as families go."""

    hdu: int
    name: str
    version: int
    shape: tuple[int, ...]


def part_of(name: str) -> Part:
    """What an EXTNAME says of its image.

    `ERR` is the uncertainty of the main image, `HALPHA_IVAR` that of `HALPHA`, `VAR_POISSON` one
    component of an uncertainty, which stands for no image's by itself.
    """
    name = name.strip().upper()
    if name in _ROLES:
        return _ROLES[name]
    first, _, rest = name.partition("_")
    if rest and first in _VARIANCES + _DEVIATIONS:
        return Part(name, "uncertainty")
    family, _, last = name.rpartition("_")
    if family and last in _ROLES and _ROLES[last].role != "other":
        return _ROLES[last]._replace(family=family)
    return Part("" if name in _MAIN else name, "science")


def families(members: Sequence[Member]) -> dict[int, Relatives]:
    """Number of a science image's HDU → the HDUs that belong to it.

    They have its shape and version, and come after it if anything does. Standard deviations go
    before variances, and those before weights.
    """
    images: dict[tuple[object, ...], list[int]] = defaultdict(list)
    parts = [(each, part_of(each.name)) for each in members]
    for each, (family, role, _) in parts:
        if role == "science":
            for known in (family, None):
                images[each.version, each.shape, known].append(each.hdu)
    best: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    for each, (family, role, spread) in parts:
        if role == "mask" or spread is not None:
            own = images.get((each.version, each.shape, family))
            if not own and not family:  # the main image has a name of its own
                own = images.get((each.version, each.shape, None))
            if own:
                owner = own[max(0, bisect_left(own, each.hdu) - 1)]
                rank = (_SPREADS.index(spread) if spread else 0, each.hdu)
                best[owner][role] = min(rank, best[owner].get(role, rank))
    hdus = {owner: {role: hdu for role, (_, hdu) in found.items()} for owner, found in best.items()}
    return {
        owner: Relatives(found.get("uncertainty"), found.get("mask"))
        for owner, found in hdus.items()
    }
