"""Families: which HDUs of a file are the errors and the masks of which image.

They are told by EXTNAME and EXTVER, as the observatories write them: SCI, ERR, DQ (HST, JWST);
IMAGE, MASK, VARIANCE (Rubin); SCI, MSK, WGT (DES); DATA, STAT, DQ (MUSE); FLUX, IVAR, MASK
(SDSS); an image and its ERROR. Two kinds of names need a second look: a `WEIGHT` may be an
inverse variance or any other weight, and `STELLAR_SIGMA` a width of lines.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from astropy.io import fits

from napari_astroseg.sky.files.derived import Spread

Role = Literal["science", "uncertainty", "mask", "other"]

_DEVIATIONS = ("ERR", "ERROR", "ERRORS", "UNCERT", "UNCERTAINTY", "UNC", "STDDEV", "STD", "SIGMA",
               "RMS", "NOISE")  # fmt: skip
_VARIANCES = ("VAR", "VARIANCE", "STAT")
_WEIGHTS = ("IVAR", "IVM", "INVVAR", "WEIGHT", "WEIGHTS", "WGT")
_ANY_WEIGHTS = ("WEIGHT", "WEIGHTS", "WGT")
"""Names of weights that are not always inverse variances."""
_DES = {"SCI", "MSK", "WGT"}
_SPREADS: tuple[Spread, ...] = ("deviation", "variance", "weight")
_MASKS = ("DQ", "MASK", "MSK", "FLAG", "FLAGS", "BPM", "BADPIX", "QUALITY", "PIXELMASK")
_OTHERS = ("WHT", "CTX", "CON", "EXP", "EXPOSURE", "EXPMAP", "COVERAGE", "COV", "HITS", "NHIT",
           "SAMP", "TIME", "WCSDVARR", "D2IMARR", "AREA", "PSF", "BEAM", "WAVELENGTH", "PIXAREA",
           "BKG", "BACKGROUND", "SKY")  # fmt: skip
_INVERSE = re.compile(r"\binverse[\s_-]*varian|\binv(\.|erse)?[\s_-]*var\b|\bivar\b", re.IGNORECASE)
_INVERSE_UNIT = re.compile(
    r"\s*1\s*/\s*(\(.+\)|\w+)\s*(\*\*|\^)?\s*2\s*|"  # 1/Jy**2, 1/(MJy/sr)^2
    r"\s*(\(.+\)|[A-Za-z]\w*)\s*(\*\*|\^)?\s*\(?-2\)?\s*"  # Jy-2, (MJy/sr)**-2
)
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
    """One image HDU, as far as families go; `inverse` where its header tells of 1/variance."""

    hdu: int
    name: str
    version: int
    shape: tuple[int, ...]
    inverse: bool = False


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


def tells_of_inverse_variances(header: fits.Header) -> bool:
    """Whether the cards of an image of weights say that they are inverse variances.

    By their WGTTYPE (`IVAR`), by a unit such as `1/Jy**2`, or in words.
    """
    unit = str(header.get("BUNIT", ""))
    told = "\n".join(str(card) for card in header.cards if card.keyword != "HISTORY")
    return _INVERSE_UNIT.fullmatch(unit) is not None or _INVERSE.search(told) is not None


def parts_of(members: Sequence[Member]) -> list[Part]:
    """What each image is, in the company of the others.

    Weights that may be no inverse variances are `other`, unless their header or the layout of DES
    says that they are. `STELLAR_SIGMA` without a `STELLAR`, or with errors of its own, is a map.
    """
    names = {each.name.strip().upper() for each in members}
    return [_in_company(each, part_of(each.name), names) for each in members]


def _in_company(member: Member, part: Part, names: set[str]) -> Part:
    name = member.name.strip().upper()
    last = name.rpartition("_")[2]
    if last in _ANY_WEIGHTS and part.spread and not (member.inverse or names >= _DES):
        return Part(name, "other")
    of_its_own = any(f"{name}_{spread}" in names for spread in _WEIGHTS + _VARIANCES + _DEVIATIONS)
    of_nobody = bool(part.family) and part.family not in names
    return Part(name, "science") if last == "SIGMA" and (of_its_own or of_nobody) else part


def families(members: Sequence[Member]) -> dict[int, Relatives]:
    """Number of a science image's HDU → the HDUs that belong to it.

    They have its shape and version, and come after it if anything does. Standard deviations go
    before variances, and those before weights.
    """
    images: dict[tuple[object, ...], list[int]] = defaultdict(list)
    parts = list(zip(members, parts_of(members), strict=True))
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
