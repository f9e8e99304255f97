"""About: which image a folder of marks belongs to, as a small JSON that is checked when read."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.coords.worldcoords import read_wcs
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.together import one_grid
from napari_astroseg.sky.pixels import ArrayPixels

FILE = "about.json"
_FORMAT = "astroseg marks"
_VERSION = 1
_LARGEST_FILE = 2**20
_LONGEST_SIDE = 2**22
"""px; 40 times that of the largest mosaics."""
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class About:
    """The image that marks belong to.

    Parameters
    ----------
    key
        32 hexadecimal digits, the same in all files of one store.
    name
        Of the image.
    shape
        (H, W) of the image, px.
    cards
        FITS cards that place it on the sky, one a line; "" where there are none.
    identity
        A digest of the image's values as they were; "" where they were in memory.
    """

    key: str
    name: str
    shape: tuple[int, int]
    cards: str = ""
    identity: str = ""

    @classmethod
    def of(cls, image: SkyImage) -> About:
        """A new store's, for one image or for each plane of a stack alike."""
        cards = image.header.tostring(sep="\n", endcard=False, padding=False).rstrip()
        return cls(
            secrets.token_hex(16), image.name, image.shape, cards, image.pixels.identity or ""
        )

    @classmethod
    def read(cls, path: Path) -> About:
        """What a file says, checked.

        Raises
        ------
        MarkError
            When it is no such file, or says what no image can be.
        """
        try:
            with path.open("rb") as file:
                text = file.read(_LARGEST_FILE + 1)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MarkError(
                f"{path.parent} is no folder of marks, for it has no {path.name}; "
                "choose a folder of marks"
            ) from error
        except OSError as error:
            raise MarkError(
                f"{path} cannot be read ({(error.strerror or str(error)).lower()}); "
                "choose a folder of marks"
            ) from error
        try:
            if len(text) > _LARGEST_FILE:
                raise ValueError(f"more than {_LARGEST_FILE:,} bytes")
            return cls._checked(json.loads(text))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise MarkError(
                f"{path} does not describe marks on an image ({_reason(error)}); "
                "restore it from a copy"
            ) from error

    @classmethod
    def _checked(cls, told: Any) -> About:
        if told["format"] != _FORMAT or told["version"] != _VERSION:
            raise ValueError(f"not version {_VERSION} of {_FORMAT}")
        height, width = told["shape"]
        for side in (height, width):
            if type(side) is not int or not 1 <= side <= _LONGEST_SIDE:
                raise ValueError(f"a side of {side!r} pixels")
        words = [told[name] for name in ("key", "name", "cards", "identity")]
        if not all(isinstance(each, str) for each in words) or not _KEY.fullmatch(words[0]):
            raise ValueError("key, name, cards and identity are to be text")
        key, name, cards, identity = words
        return cls(key, name, (height, width), cards, identity)

    def text(self) -> str:
        """The JSON that `read` reads."""
        told = {
            "format": _FORMAT,
            "version": _VERSION,
            "key": self.key,
            "name": self.name,
            "shape": list(self.shape),
            "cards": self.cards,
            "identity": self.identity,
        }
        return json.dumps(told, indent=1)

    @cached_property
    def header(self) -> fits.Header:
        """The cards that place the image on the sky."""
        return fits.Header.fromstring(self.cards, sep="\n") if self.cards else fits.Header()

    @cached_property
    def wcs(self) -> WCS | None:
        """Celestial world coordinates of its pixels; None without usable ones."""
        header = self.header.copy()
        header["NAXIS"], header["NAXIS2"], header["NAXIS1"] = 2, *self.shape
        return read_wcs(header)[0]

    @cached_property
    def field(self) -> SkyImage:
        """An empty image in its place, which takes no memory: it knows where pixels lie."""
        nothing = np.broadcast_to(np.zeros((), np.float32), self.shape)
        return SkyImage(ArrayPixels(nothing), self.wcs, self.header, name=self.name)

    def misfit(self, image: SkyImage) -> str:
        """Why marks do not belong on an image, as a sentence; "" where they do."""
        if image.shape != self.shape:
            return (
                f"these marks are for {self.name} of {self.shape[1]} × {self.shape[0]} pixels, and "
                f"{image.name} has {image.shape[1]} × {image.shape[0]}; export them as regions, "
                "and import those"
            )
        if (image.wcs is None) != (self.wcs is None):
            return "" if self.wcs is None else f"{image.name} has no sky coordinates; give it some"
        if self.wcs is not None and not one_grid([self.field, image]):
            return (
                f"these marks are for {self.name}, and {image.name} lies elsewhere on the sky; "
                "export them as regions, and import those"
            )
        return ""


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it lacks {error.args[0]!r}"
    return " ".join(str(error).split())[:100] or type(error).__name__
