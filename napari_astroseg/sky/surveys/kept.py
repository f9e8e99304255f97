"""Kept: fields that were fetched, as FITS files in the cache that say themselves what they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote

from astropy.io import fits

from napari_astroseg.errors import SurveyError
from napari_astroseg.sky.cache import Cache, remove
from napari_astroseg.sky.coords.orientation import Frame
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import digest
from napari_astroseg.sky.surveys.answer import BLOCK, LONGEST_HEADER, Answer, cards
from napari_astroseg.sky.surveys.field import Field
from napari_astroseg.sky.surveys.service import NAME
from napari_astroseg.sky.surveys.survey import Survey, survey

CACHE = Cache("surveys", 4 * 2**30)
_STALE = "CHECKSUM", "DATASUM"
_NEARLY_ALL = 0.995


@dataclass(frozen=True)
class KeptField:
    """A field in the cache.

    Parameters
    ----------
    survey, field
        What it shows.
    path
        Its file; it goes when others need the room.
    fetched
        When, UTC: `2026-11-20T19:30:00`.
    covered
        Share of its pixels that the survey has seen.
    took
        The HiPS that the service said it took; "" where it did not say.
    """

    survey: Survey
    field: Field
    path: Path
    fetched: str
    covered: float = 1.0
    took: str = ""

    @property
    def words(self) -> str:
        """For people: which survey, where, since when."""
        return f"{self.survey.name}: {self.field.words}, kept since {self.fetched[:10]}"

    def open(self) -> SkyImage:
        """It as a lazy image, with whom to thank for it in its notes.

        Raises
        ------
        ImageError
            When the file is gone or damaged.
        """
        from napari_astroseg.sky.opening import open_image

        CACHE.find(self.path.name)  # used last
        image = open_image(self.path)
        return replace(image, name=self.survey.name, notes=(*self._notes(), *image.notes))

    def _notes(self) -> tuple[str, ...]:
        notes = [
            self.survey.credit,
            f"fetched {self.fetched[:10]} from {NAME}, HiPS {self.took or self.survey.hips}",
        ]
        if self.covered < _NEARLY_ALL:
            notes.append(f"the survey covers {self.covered:.0%} of this field")
        if self.took and self.took.removeprefix("CDS/") != self.survey.hips.removeprefix("CDS/"):
            notes.append(f"{self.survey.hips} was taken for the HiPS {self.took}")
        if self.field.note:
            notes.append(self.field.note)
        return tuple(notes)


def kept_fields(survey: Survey | None = None, near: Field | None = None) -> list[KeptField]:
    """The fields in the cache; no network is used and no pixel is read.

    Parameters
    ----------
    survey
        Only those of this one.
    near
        Only those that may share sky with this field, the nearest first; otherwise the newest
        come first.
    """
    try:
        paths = [path for path in CACHE.folder.glob("*.fits") if not path.is_symlink()]
    except OSError:
        return []
    found = [kept for kept in map(_read, paths) if kept is not None]
    if survey is not None:
        found = [kept for kept in found if kept.survey.hips == survey.hips]
    if near is None:
        return sorted(found, key=lambda kept: kept.fetched, reverse=True)
    close = [kept for kept in found if near.near(kept.field)]
    return sorted(close, key=lambda kept: near.apart_deg(kept.field))


def thanked(image: SkyImage) -> SkyImage:
    """An image of a kept field's file, wherever that was copied, with whom to thank in its notes.

    Any other image as it is.
    """
    kept = None if image.reference is None else _read(Path(image.reference.place))
    return image if kept is None else replace(image, notes=(*kept._notes(), *image.notes))


def find(survey: Survey, field: Field) -> KeptField | None:
    """The very field, if it is in the cache; a file that is something else is removed."""
    path = CACHE.find(_entry(survey, field))
    if path is None:
        return None
    kept = _read(path)
    asked = survey.hips, field.identity
    if kept is not None and (kept.survey.hips, kept.field.identity) == asked:
        return replace(kept, survey=survey, field=field)
    remove(path)
    return None


def keep(survey: Survey, field: Field, answer: Answer) -> KeptField:
    """An answer, now in the cache.

    Raises
    ------
    OutputError
        When the cache has no room, or cannot be written to.
    """
    header = answer.header.copy()
    for keyword in _STALE:
        header.remove(keyword, ignore_missing=True)
    fetched = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    header["FLDHIPS"] = quote(survey.hips, safe="/ +-_.")
    header["FLDLON"], header["FLDLAT"] = field.lon_deg, field.lat_deg
    header["FLDFRAME"], header["FLDPIX"] = field.frame, field.pixel_arcsec
    header["FLDDATE"], header["FLDCOVER"] = fetched, answer.covered
    header["FLDTOOK"], header["FLDFROM"] = answer.hips, _ascii(survey.credit)
    if survey.unit and not str(header.get("BUNIT", "")).strip():
        header["BUNIT"] = survey.unit
    start = header.tostring(endcard=True, padding=True).encode("ascii")
    rest = bytes(-len(answer.body) % BLOCK)
    name = _entry(survey, field)
    with (
        CACHE.making(name, len(start) + len(answer.body) + len(rest)) as path,
        path.open("wb") as file,
    ):
        file.writelines((start, answer.body, rest))
    return KeptField(survey, field, CACHE.folder / name, fetched, answer.covered, answer.hips)


def _entry(survey: Survey, field: Field) -> str:
    return f"{digest('kept', survey.hips, field.identity)}.fits"


def _read(path: Path) -> KeptField | None:
    """What a file in the cache says it is; None if it is no field, or none that can be told."""
    try:
        with path.open("rb") as file:
            start = file.read(10 * BLOCK)
            if not start.startswith(b"SIMPLE  =") or b"FLDHIPS =" not in start:
                return None
            found = cards(start) or cards(start + file.read(LONGEST_HEADER))
        return _told(found[0], path) if found else None
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError, SurveyError):
        return None


def _told(header: fits.Header, path: Path) -> KeptField:
    lon, lat, pixel = (float(header[key]) for key in ("FLDLON", "FLDLAT", "FLDPIX"))
    sides = int(header["NAXIS1"]), int(header["NAXIS2"])
    field = Field(lon, lat, cast(Frame, str(header["FLDFRAME"])), *sides, pixel)
    covered = float(header.get("FLDCOVER", 1.0))
    return KeptField(
        survey(unquote(str(header["FLDHIPS"]))),
        field,
        path,
        str(header.get("FLDDATE", "")),
        covered if math.isfinite(covered) else 1.0,
        str(header.get("FLDTOOK", "")),
    )


def _ascii(text: str) -> str:
    """Text as a FITS header can hold it."""
    return text.encode("ascii", "replace").decode("ascii")
