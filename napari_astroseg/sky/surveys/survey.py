"""Survey: one band of one survey of the sky, as the CDS serves it.

The table `surveys.csv` came with the package: what shows or hides dust in the Galactic plane,
from the optical to the millimetre. Any other HiPS makes a survey too, by its identifier.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from napari_astroseg.errors import SurveyError
from napari_astroseg.sky.pixels import digest

GROUPS = ("Spitzer", "2MASS", "WISE", "Herschel", "DSS", "other")
_TABLE = "surveys.csv"
_LONGEST = 200
"""Letters of an identifier; no HiPS has as many."""


@dataclass(frozen=True)
class Survey:
    """One band of one survey.

    Parameters
    ----------
    key
        A short word for columns and files, the same in every version: `2mass_k`.
    name
        What people call it: `Spitzer GLIMPSE 8.0 µm`.
    group
        One of `GROUPS`.
    hips
        Identifier of its HiPS: `CDS/P/2MASS/K`.
    wavelength_um
        Effective wavelength, µm; None where it is not known.
    unit
        Of its values; "" where nobody says.
    resolution_arcsec
        Full width at half maximum of a point source; None where it is not known.
    attribution
        Whom to thank, and who made the HiPS.
    coverage
        How much of the sky it saw, in words.
    reference
        Where it is described: an ADS bibcode or a URL.
    pixel_arcsec
        Side of its own pixels; None where it is not known.
    """

    key: str
    name: str
    group: str
    hips: str
    wavelength_um: float | None = None
    unit: str = ""
    resolution_arcsec: float | None = None
    attribution: str = ""
    coverage: str = ""
    reference: str = ""
    pixel_arcsec: float | None = None

    @property
    def listed(self) -> bool:
        """Whether it came with the package."""
        return _by_word().get(_plain(self.hips)) == self

    @property
    def credit(self) -> str:
        """Attribution and reference in one line."""
        return f"{self.attribution} ({self.reference})" if self.reference else self.attribution


@cache
def surveys() -> tuple[Survey, ...]:
    """Those of the table, by group and wavelength."""
    text = resources.files(__package__).joinpath(_TABLE).read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    listed = [
        Survey(
            key=row["key"],
            name=row["name"],
            group=row["group"],
            hips=row["hips"],
            wavelength_um=_number(row["wavelength_um"]),
            unit=row["unit"],
            resolution_arcsec=_number(row["resolution_arcsec"]),
            attribution=row["attribution"],
            coverage=row["coverage"],
            reference=row["reference"],
            pixel_arcsec=_number(row["pixel_arcsec"]),
        )
        for row in rows
    ]
    by_wavelength = sorted(listed, key=lambda each: each.wavelength_um or 0.0)
    return tuple(sorted(by_wavelength, key=lambda each: GROUPS.index(each.group)))


def survey(told: str) -> Survey:
    """The survey that a key, a name or a HiPS identifier means.

    What is not in the table is taken for the identifier of a HiPS (`CDS/P/SDSS9/g`), or for a
    word by which the CDS knows one.

    Raises
    ------
    SurveyError
        When it is no text that could name anything.
    """
    words = " ".join(told.split())
    identifier = words.removeprefix("ivo://")
    if not identifier or len(identifier) > _LONGEST or not identifier.isprintable():
        short = f"{words[:40]}…" if len(words) > 40 else words
        raise SurveyError(
            f"{short!r} names no survey; give one of the list, or a HiPS such as CDS/P/DSS2/red"
        )
    known = _by_word().get(_plain(identifier))
    return known or Survey(
        key=_key(identifier),
        name=identifier,
        group="other",
        hips=identifier,
        attribution=f"HiPS {identifier}, by the hips2fits service of the CDS",
    )


@cache
def _by_word() -> dict[str, Survey]:
    """The table by all that may be said for its rows; `P/DSS2/red` is short for the CDS's own."""
    words = {}
    for each in surveys():
        for word in (each.key, each.name, each.hips, each.hips.removeprefix("CDS/")):
            words[_plain(word)] = each
    return words


def _plain(word: str) -> str:
    """What spellings of a word have in common."""
    return word.casefold().replace("μ", "µ").replace(" ", "")


def _key(identifier: str) -> str:
    """A key for a HiPS of nobody's table; a digest where its letters say too little."""
    word = re.sub(r"[^a-z0-9]+", "_", identifier.lower()).strip("_")
    return word if identifier.isascii() and word else f"hips_{digest(identifier)[:8]}"


def _number(text: str) -> float | None:
    return float(text) if text else None
