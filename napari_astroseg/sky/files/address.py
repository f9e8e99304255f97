"""Address: where an image lies, as astronomers write it: `FILE`, `FILE[1]`, `FILE[SCI,1]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from napari_astroseg.errors import ImageError

HduKey = int | str | tuple[str, int]
"""A number, an EXTNAME, or EXTNAME with EXTVER."""

_BRACKETS = re.compile(r"^(?P<place>.+?)\[(?P<inside>[^\[\]]*)\]$")
_URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """A file, folder or URL, and which of its HDUs.

    Parameters
    ----------
    place
        An absolute path, or a URL.
    hdu
        None for the one that is shown by default.
    """

    place: str
    hdu: HduKey | None = None

    @classmethod
    def of(cls, text: str | Path | Address, hdu: HduKey | None = None) -> Address:
        """What a user wrote. A name that exists as it stands is never taken apart.

        Raises
        ------
        ImageError
            When the brackets hold no HDU, or `hdu` names another one than they do.
        """
        if isinstance(text, Address):
            return cls(text.place, text.hdu if hdu is None else hdu)
        written = str(text)
        found = None if _exists(written) else _BRACKETS.match(written)
        if found is None:
            return cls(_absolute(written), hdu)
        inside = hdu_key(found["inside"], spoken_with_hdu(written))
        if hdu not in (None, inside):
            raise ImageError(
                f"{spoken_with_hdu(written)} and HDU {hdu!r} name two images; give one of them"
            )
        return cls(_absolute(found["place"]), inside)

    @property
    def remote(self) -> bool:
        """Whether it lies behind a network."""
        return is_url(self.place)

    @property
    def name(self) -> str:
        """The last part of the place, for sentences."""
        return name_of(self.place)

    @property
    def path(self) -> Path:
        """The place on this machine.

        Raises
        ------
        ImageError
            When it lies behind a network.
        """
        if self.remote:
            raise ImageError(f"{spoken(self.place)} is not on this machine; fetch it first")
        return Path(self.place)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder on this machine."""
        try:
            return not self.remote and Path(self.place).is_dir()
        except (OSError, ValueError):  # too long for a name, or a zero byte in it
            return False


@dataclass(frozen=True)
class ImageRef:
    """One image of a file, named so that another process can open it for itself.

    Parameters
    ----------
    place
        An absolute path, or a URL.
    hdu
        Number of its HDU.
    plane
        Which plane of a stack; None for the whole of it.
    """

    place: str
    hdu: int
    plane: int | None = None

    @property
    def path(self) -> Path | None:
        """The file on this machine; None where it lies behind a network."""
        return None if is_url(self.place) else Path(self.place)


def is_url(place: str) -> bool:
    """Whether a place is written as a URL."""
    return _URL.match(place) is not None


def spoken(place: str) -> str:
    """A place for sentences: a URL without the password and the signature it may carry."""
    if not is_url(place):
        return place
    scheme, _, rest = place.partition("://")
    host, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def spoken_with_hdu(written: str) -> str:
    """The same for what a user wrote, which may end in the brackets of an HDU."""
    found = _BRACKETS.match(written)
    return spoken(written) if found is None else f"{spoken(found['place'])}[{found['inside']}]"


def name_of(place: str) -> str:
    """The last part of a place, as its owner wrote it."""
    last = spoken(place).rstrip("/").rpartition("/")[2]
    return (unquote(last) if is_url(place) else last) or spoken(place)


def hdu_key(inside: str, written: str) -> HduKey:
    """What stands between the brackets of `FILE[…]`: `1`, `SCI`, or `SCI,1`."""
    name, comma, version = (part.strip() for part in inside.partition(","))
    if name.isdecimal() and not comma:
        return int(name)
    if name and (not comma or version.isdecimal()):
        return (name, int(version)) if comma else name
    raise ImageError(f"{written}: [{inside}] names no HDU; write [1], [SCI] or [SCI,1]")


def _exists(written: str) -> bool:
    try:
        return Path(written).exists()
    except (OSError, ValueError):  # too long for a name, or a zero byte in it
        return False


def _absolute(written: str) -> str:
    return written if is_url(written) else str(Path(written).absolute())
