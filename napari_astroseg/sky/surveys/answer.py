"""Answer: what the service sent, judged: a whole FITS image of the field asked for, with sky."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.errors import SurveyError
from napari_astroseg.sky.coords.worldcoords import read_wcs
from napari_astroseg.sky.surveys.field import Field
from napari_astroseg.sky.surveys.service import NAME, Passing
from napari_astroseg.sky.surveys.survey import Survey

BLOCK = 2880
LONGEST_HEADER = 100 * BLOCK
_CARD = 80
_HISTORY_WIDTH = 72
_END = re.compile(rb"END {77}")
_TOLERANCE_PX = 0.5
_PLANES = ((), (1,), (3,))
"""Axes beyond the picture's: none, a spare one, or its colours."""


@dataclass(frozen=True, eq=False)
class Answer:
    """A picture as it came.

    Parameters
    ----------
    header
        Its cards, all of them.
    body
        Its stored values, as FITS has them.
    covered
        Share of its pixels that the survey has seen, above 0.
    """

    header: fits.Header
    body: memoryview
    covered: float

    @property
    def hips(self) -> str:
        """The HiPS that the service says it took; "" where it does not say."""
        lines = self.header.get("HISTORY", [])  # one sentence may go on in the next line
        told = "".join(str(line).ljust(_HISTORY_WIDTH) for line in lines)
        found = re.search(r"From HiPS (\S+)", told)
        return found[1] if found else ""


def judged(answer: bytes, survey: Survey, field: Field) -> Answer:
    """The picture in an answer.

    Raises
    ------
    Passing
        When it was cut short.
    SurveyError
        When it is no picture, or one of something else, or the survey saw nothing there.
    """
    if not answer.startswith(b"SIMPLE  ="):
        raise _wrong(survey, f"no FITS file but {_looks_like(answer)}")
    header, start = _header(answer, survey)
    shape = _shape(header)
    expected = (field.height_px, field.width_px)
    if shape is None or shape[-2:] != expected or shape[:-2] not in _PLANES:
        sides = " × ".join(str(n) for n in reversed(shape or ())) or "no"
        raise _wrong(survey, f"{sides} pixels instead of {expected[1]} × {expected[0]}")
    stored = np.dtype(fits.BITPIX2DTYPE[header["BITPIX"]]).newbyteorder(">")
    size = int(np.prod(shape)) * stored.itemsize
    body = memoryview(answer)[start : start + size]
    if len(body) < size:
        raise _cut()
    _judge_place(header, survey, field)
    seen = _seen(np.frombuffer(body, stored), header, _scaling(header, survey))
    if not seen.any():
        raise SurveyError(
            f"{survey.name} has no coverage here{_where(survey)}; choose another survey or field",
            "empty",
        )
    return Answer(header, body, float(seen.mean()))


def _header(answer: bytes, survey: Survey) -> tuple[fits.Header, int]:
    """The cards, and where the values start."""
    try:
        found = cards(answer[:LONGEST_HEADER])
        if found is not None:
            found[0].tostring()  # astropy parses a card when it is looked at
    except Exception as error:  # each kind of damage breaks in its own way
        raise _wrong(survey, "a header that cannot be read") from error
    if found is None:
        if len(answer) < LONGEST_HEADER:
            raise _cut()
        raise _wrong(survey, "a header without an end")
    return found


def cards(start: bytes) -> tuple[fits.Header, int] | None:
    """The header that a file's first bytes hold, and where it ends; None if it does not there."""
    end = next((at.end() for at in _END.finditer(start) if not at.start() % _CARD), None)
    if end is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = fits.Header.fromstring(start[:end])
    return header, -(-end // BLOCK) * BLOCK


def _shape(header: fits.Header) -> tuple[int, ...] | None:
    """As numpy counts; None where the cards say none."""
    count = header.get("NAXIS")
    if count not in (2, 3) or header.get("BITPIX") not in fits.BITPIX2DTYPE:
        return None
    sides = [header.get(f"NAXIS{axis}") for axis in range(count, 0, -1)]
    return tuple(sides) if all(type(side) is int and side > 0 for side in sides) else None


def _judge_place(header: fits.Header, survey: Survey, field: Field) -> None:
    """Whether the picture lies where it was asked for: its middle and around it."""
    wcs, _ = read_wcs(header)
    if wcs is None:
        raise _wrong(survey, "a picture without sky coordinates")
    x = (field.width_px - 1) * np.array([0.5, 0.25, 0.75, 0.5, 0.5])
    y = (field.height_px - 1) * np.array([0.5, 0.5, 0.5, 0.25, 0.75])
    there = wcs.pixel_to_world(x, y)
    off = there.separation(field.wcs.pixel_to_world(x, y).transform_to(there.frame)).arcsec
    if not (off <= _TOLERANCE_PX * field.pixel_arcsec).all():
        raise _wrong(survey, "a picture of another place")


def _scaling(header: fits.Header, survey: Survey) -> tuple[float, float]:
    """By what stored values are multiplied, and what is added then."""
    try:
        return float(header.get("BSCALE", 1.0)), float(header.get("BZERO", 0.0))
    except (TypeError, ValueError) as error:
        raise _wrong(survey, "values without a scale") from error


def _seen(
    values: NDArray[Any], header: fits.Header, scaling: tuple[float, float]
) -> NDArray[np.bool_]:
    """Which pixels hold something: no NaN, no BLANK, no bare zero."""
    scale, zero = scaling
    with np.errstate(invalid="ignore", over="ignore"):
        plain = (scale, zero) == (1.0, 0.0)
        physical = values if plain else values.astype(np.float64) * scale + zero
        seen = np.isfinite(physical) & (physical != 0)
    blank = header.get("BLANK")
    if blank is not None and values.dtype.kind in "iu":
        seen &= values != blank
    return np.asarray(seen)


def _looks_like(answer: bytes) -> str:
    start = answer[:512].lstrip().lower()
    if not start:
        return "an empty answer"
    return "a web page" if start.startswith((b"<!doctype", b"<html", b"<?xml")) else "other bytes"


def _where(survey: Survey) -> str:
    return f" (it saw: {survey.coverage})" if survey.coverage else ""


def _wrong(survey: Survey, what: str) -> SurveyError:
    return SurveyError(
        f"{survey.name}: {NAME} sent {what}; check the HiPS {survey.hips}, or try again later",
        "broken",
    )


def _cut() -> Passing:
    return Passing("the picture was cut short", "broken")
