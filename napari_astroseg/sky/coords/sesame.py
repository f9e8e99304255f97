"""Sesame: where an object is, asked of the CDS name service, and remembered.

Only `resolve` talks to the network, and nothing calls it by itself.
"""

from __future__ import annotations

import json
import re

from astropy.coordinates import SkyCoord

from napari_astroseg.errors import OutputError, PlaceError
from napari_astroseg.sky.cache import Cache
from napari_astroseg.sky.pixels import digest

_CACHE = Cache("names", 2**20)
_TIMEOUT_S = 5.0


def remembered(name: str) -> SkyCoord | None:
    """The position that the service once gave for a name; no network is used."""
    path = _CACHE.find(_entry(name))
    if path is None:
        return None
    try:
        ra, dec = json.loads(path.read_text(encoding="utf-8"))
        return SkyCoord(float(ra), float(dec), unit="deg")
    except (OSError, ValueError, TypeError):
        return None


def resolve(name: str, timeout_s: float = _TIMEOUT_S) -> SkyCoord:
    """The ICRS position of an object by the Sesame service of the CDS, as astropy asks it.

    Parameters
    ----------
    name
        Any name that SIMBAD, NED or VizieR know.
    timeout_s
        How long to wait for each of the service's addresses.

    Raises
    ------
    PlaceError
        When the name is not known, or nobody can be asked.
    """
    from astropy.coordinates.name_resolve import NameResolveError, get_icrs_coordinates
    from astropy.utils.data import conf

    known = remembered(name)
    if known is not None:
        return known
    try:
        with conf.set_temp("remote_timeout", timeout_s):
            position = get_icrs_coordinates(name)
    except NameResolveError as error:
        unknown = "Unable to find coordinates" in str(error)
        raise PlaceError(_unknown(name) if unknown else _unreachable(name)) from error
    except (OSError, ValueError) as error:
        raise PlaceError(_unreachable(name)) from error
    _remember(name, position)
    return position


def _remember(name: str, position: SkyCoord) -> None:
    text = json.dumps([float(position.ra.deg), float(position.dec.deg)])
    try:
        with _CACHE.making(_entry(name), len(text)) as path:
            path.write_text(text, encoding="utf-8")
    except OutputError:
        return  # it is asked for again next time


def _entry(name: str) -> str:
    """Signs tell names apart, as GJ 4.1 and GJ 41 are two stars; case and most blanks do not."""
    told = re.sub(r"(?<!\d) | (?!\d)", "", " ".join(name.casefold().split()))
    return f"{digest('sesame', told)}.json"


def _unknown(name: str) -> str:
    return (
        f"{name!r} is not known to the Sesame name service; check its spelling or give coordinates"
    )


def _unreachable(name: str) -> str:
    return (
        f"{name!r} is not among the names at hand, and the Sesame name service does not answer; "
        "give coordinates, or try again when there is a network"
    )
