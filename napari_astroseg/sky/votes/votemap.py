"""VoteMap: how many volunteers marked each pixel.

Counts are never normalised, so a threshold always means people. One volunteer who draws two
overlapping outlines counts twice where they overlap, so a count may exceed the number of people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import ArrayLike, NDArray

from napari_astroseg.errors import ImageError, VoteError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.votes import counting
from napari_astroseg.sky.votes.counting import Histogram, agreement, at_or_above, counts_of
from napari_astroseg.sky.window import Window

LADDER = range(1, 7)
"""Thresholds that are compared side by side (Rey Deutsch et al. 2023)."""

_BAND = 2**22
"""Pixels read at once."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Areas(Mapping[int, int]):
    """Threshold → pixels with at least as many votes; 0 beyond the largest count.

    Parameters
    ----------
    pixels
        For the thresholds 1, 2, … up to the largest count.
    pixel_arcsec2
        Area of one pixel, at the reference point of the projection; None without a WCS.
    """

    pixels: Histogram
    pixel_arcsec2: float | None = None

    @property
    def thresholds(self) -> NDArray[np.int64]:
        """1, 2, … up to the largest count."""
        return np.arange(1, len(self.pixels) + 1)

    @property
    def arcsec2(self) -> NDArray[np.float64] | None:
        """The same areas on the sky, arcsec²; None without a WCS."""
        if self.pixel_arcsec2 is None:
            return None
        return self.pixels.astype(np.float64) * self.pixel_arcsec2

    def __getitem__(self, threshold: int) -> int:
        if threshold < 1:
            raise KeyError(threshold)
        return int(self.pixels[threshold - 1]) if threshold <= len(self.pixels) else 0

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, len(self.pixels) + 1))

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True, eq=False, repr=False)
class VoteMap:
    """Counts of votes on the sky, read when they are first asked for.

    Whole numbers are taken as they are, and so is what lies within 0.001 of one; a pixel without
    a value has no votes; anything negative or fractional is refused.

    Parameters
    ----------
    image
        The counts as an image.
    name
        What was marked: `center`, `star`, `spiral`, `bar`, …; `votes` when nothing says.
    voters
        How many people were asked; None where it is not known.
    drew
        How many of them marked anything.
    picture
        What they saw, on the same pixels, where it is at hand.
    """

    image: SkyImage
    name: str = "votes"
    voters: int | None = None
    drew: int | None = None
    picture: SkyImage | None = None

    def __post_init__(self) -> None:
        if self.image.planes is not None:
            raise VoteError(
                f"{self.image.name} is a stack of {self.image.count}; give one plane of it"
            )

    @classmethod
    def from_array(
        cls,
        counts: ArrayLike,
        wcs: WCS | None = None,
        name: str = "votes",
        voters: int | None = None,
        drew: int | None = None,
    ) -> VoteMap:
        """The votes of an array (H, W) of whole numbers.

        Raises
        ------
        VoteError
            When it is no such array.
        """
        try:
            image = SkyImage.from_array(counts, wcs, name=name)
        except ImageError as error:
            raise VoteError(str(error)) from error
        votes = cls(image, name, voters, drew)
        votes.counts  # noqa: B018 (what is in memory is checked at once)
        return votes

    def __repr__(self) -> str:
        people = "" if self.voters is None else f" by {self.voters} volunteers"
        return f"<VoteMap {self.name} of {self.image.name}, {self.shape}{people}>"

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.image.shape

    @property
    def wcs(self) -> WCS | None:
        """Celestial world coordinates of the pixels; None without."""
        return self.image.wcs

    @property
    def header(self) -> fits.Header:
        """FITS cards that place it on the sky."""
        return self.image.header

    @property
    def counts(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Votes of every pixel, (H, W), in the smallest unsigned integer that holds them.

        Raises
        ------
        VoteError
            When the image holds anything but counts.
        """
        return self._read[0]

    def histogram(self) -> Histogram:
        """Pixels with 0, 1, 2, … votes, up to the largest count."""
        return self._read[1].copy()

    @property
    def most(self) -> int:
        """The largest count."""
        return len(self._read[1]) - 1

    @property
    def agreement(self) -> float:
        """How likely one who drew marks a pixel that another has marked, 0 to 1; NaN for one."""
        return agreement(self._read[1], self.drew)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the counts, one sentence each."""
        missing = self._read[2]
        notes = list(self.image.notes)
        if missing:
            notes.append(f"{missing:,} pixels without a value count as without votes")
        if self.voters is not None and self.most > self.voters:
            notes.append(
                f"its largest count, {self.most}, exceeds its {self.voters} volunteers: each "
                "outline counts, and one person may have drawn several over one another"
            )
        return tuple(notes)

    def at_least(self, n: int, window: Window | None = None) -> Mask:
        """Where at least `n` votes lie, (H, W), or (height, width) of a window inside.

        Raises
        ------
        VoteError
            When `n` is below 1: such a mask would hold every pixel.
        """
        counts = self.counts if window is None else self.counts[window.slices]
        return np.greater_equal(counts, _threshold(n))

    def ladder(self, thresholds: Sequence[int] = LADDER) -> Mask:
        """The masks at several thresholds, (thresholds, H, W)."""
        steps = np.array([_threshold(n) for n in thresholds], np.int64)
        return self.counts >= steps[:, None, None]

    def areas(self) -> Areas:
        """Area at or above each threshold, from one histogram."""
        sides = self.image.pixel_sides_arcsec
        area = None if sides is None else sides[0] * sides[1]
        return Areas(at_or_above(self._read[1])[1:], area)

    @cached_property
    def _read(self) -> tuple[NDArray[Any], Histogram, int]:
        """Counts, histogram and number of pixels without a value, read band by band."""
        height, width = self.shape
        bins = np.zeros(counting.MOST + 1, np.int64)
        counts: NDArray[Any] = np.zeros(self.shape, np.uint8)
        rows = max(1, _BAND // max(1, width))
        missing = 0
        for top in range(0, height, rows):
            band = slice(top, min(top + rows, height))
            values = self.image.pixels[band, slice(0, width)]
            missing += counting.tallied(values, bins, self.image.name, top)
            whole = counts_of(values)
            if counts.dtype == np.uint8 and whole.max(initial=0) > np.iinfo(np.uint8).max:
                counts = counts.astype(np.uint16)
            counts[band] = whole
        return counts, counting.trimmed(bins), missing


def _threshold(n: int) -> int:
    if n < 1:
        raise VoteError(f"{n} is no number of people to ask for; give a threshold from 1 up")
    return int(n)
