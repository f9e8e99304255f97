"""Steps: round numbers for axes: angles as astronomers write them, ticks of a stretched scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

Notation = Literal["hours", "degrees", "decimal"]
"""5h35m, −5°23′, or 30.25°."""

_SEXAGESIMAL = (30, 20, 10, 5, 2, 1)
_CIRCLE = (45.0, 30.0, 20.0, 15.0, 10.0, 5.0, 2.0, 1.0)
_SUBSECOND = tuple(m * 10.0**-e for e in range(1, 7) for m in (5, 2, 1))
_UNITS = {"hours": "hms", "degrees": "°′″"}


def _ladder(notation: Notation) -> tuple[float, ...]:
    """Round steps in degrees, largest first; each divides 180°, so that meridians close."""
    if notation == "decimal":
        return (*_CIRCLE, *(m * 10.0**-e for e in range(1, 9) for m in (5, 2, 1)))
    unit = 15.0 if notation == "hours" else 1.0
    whole = (3.0, 2.0, 1.0) if notation == "hours" else _CIRCLE
    parts = [n / 60 for n in _SEXAGESIMAL] + [n / 3600 for n in _SEXAGESIMAL]
    return tuple(unit * each for each in (*whole, *parts, *(n / 3600 for n in _SUBSECOND)))


LADDERS: dict[Notation, tuple[float, ...]] = {
    each: _ladder(each) for each in ("hours", "degrees", "decimal")
}


def round_step(about_deg: float, notation: Notation) -> float:
    """The round step nearest to a wish, in degrees."""
    return min(LADDERS[notation], key=lambda step: abs(math.log(step / about_deg)))


def angle_text(value_deg: float, step_deg: float, notation: Notation, signed: bool = False) -> str:
    """An angle with as many parts as its step needs: 5h35m, −5°23′30″, 30.25°.

    `signed` puts a plus before positive ones.
    """
    plus = "+" if signed and value_deg > 0 else ""
    if notation == "decimal":
        return f"{plus}{_fixed(value_deg, _decimals(step_deg))}°"
    unit = 15.0 if notation == "hours" else 1.0
    step = step_deg / unit * 3600.0
    digits = _decimals(step)
    seconds = round(abs(value_deg) / unit * 3600.0, digits)
    minutes, seconds = divmod(seconds, 60.0)
    whole, minutes = divmod(int(minutes), 60)
    if notation == "hours":
        whole %= 24
    signs = _UNITS[notation]
    parts = [f"{whole}{signs[0]}"]
    if step < 3599.99:
        parts.append(f"{minutes:02d}{signs[1]}")
    if step < 59.99:
        parts.append(f"{seconds:0{3 + digits if digits else 2}.{digits}f}{signs[2]}")
    negative = value_deg < 0 and (whole or minutes or seconds)
    return ("−" if negative else plus) + "".join(parts)


def length_text(angle_deg: float) -> str:
    """An angle on the sky in the unit that suits it: 30″, 2′, 0.5″, 5°."""
    for unit, sign in ((1.0, "°"), (1 / 60, "′"), (1 / 3600, "″")):
        if angle_deg >= 0.999 * unit:
            return f"{angle_deg / unit:.6g}{sign}"
    arcsec = angle_deg * 3600.0
    return f"{arcsec:.6g}″" if arcsec >= 0.999e-3 else f"{arcsec * 1e3:.6g} mas"


def round_length(most_deg: float) -> float:
    """The longest of 1, 2, 5 × 10ⁿ arcsec, arcmin or degrees that is not longer than that.

    30″ and 30′ are as round to an astronomer as 5 is, so 1, 2, 5, 10, 20, 30 there.
    """
    for unit in (1.0, 1 / 60, 1 / 3600):
        if most_deg >= unit:
            rounds = (1, 2, 5, 10, 20, 30) if unit < 1.0 else (1, 2, 5, 10, 20, 30, 45, 90)
            return max(n for n in rounds if n * unit <= most_deg * (1 + 1e-9)) * unit
    arcsec = most_deg * 3600.0
    tens = 10.0 ** math.floor(math.log10(arcsec))
    return max(n for n in (1, 2, 5) if n * tens <= arcsec * (1 + 1e-9)) * tens / 3600.0


def ticks(raw_at: Callable[[float], float], count: int) -> list[tuple[float, str]]:
    """Round raw values spread evenly over a scale that need not be even itself.

    Parameters
    ----------
    raw_at
        The raw value at a fraction, 0 to 1, of the scale; it never falls.
    count
        About how many there should be.

    Returns
    -------
    Raw values, rising, each with its text.
    """
    found: list[float] = []
    half = 0.3 / count
    for place in range(count):
        middle = (place + 0.5) / count
        low, high = raw_at(middle - half), raw_at(middle + half)
        if math.isfinite(low) and math.isfinite(high) and low < high:
            value = _roundest(low, high)
            if not found or value > found[-1]:
                found.append(value)
    even = _evenly(raw_at(0.0), raw_at(1.0), count)
    if found and even and _is_straight(raw_at):
        found = even
    return [(value, _number(value)) for value in found]


def _evenly(low: float, high: float, count: int) -> list[float]:
    """Multiples of one round step between two values."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return []
    about = (high - low) / count
    tens = 10.0 ** math.floor(math.log10(about))
    step = min((m * tens for m in (1, 2, 5, 10)), key=lambda each: abs(math.log(each / about)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [_tidy(n * step, step) for n in range(first, last + 1)]


def _is_straight(raw_at: Callable[[float], float]) -> bool:
    """Whether a scale is linear."""
    low, high = raw_at(0.0), raw_at(1.0)
    off = max(abs(raw_at(f) - (low + f * (high - low))) for f in (0.25, 0.5, 0.75))
    return off < 0.02 * (high - low)


def _roundest(low: float, high: float) -> float:
    """The value between two that takes the fewest digits to write."""
    if low <= 0.0 <= high:
        return 0.0
    middle = (low + high) / 2
    power = math.floor(math.log10(max(abs(low), abs(high))))
    for exponent in range(power, power - 15, -1):
        for multiple in (5, 2, 1):
            step = multiple * 10.0**exponent
            value = round(middle / step) * step
            if low <= value <= high:
                return _tidy(value, step)
    return middle


def _tidy(value: float, step: float) -> float:
    """A multiple of a round step without the dirt of binary fractions."""
    return round(value, max(0, 1 - math.floor(math.log10(step)))) if step < 1 else float(value)


def _number(value: float) -> str:
    """A number as short as it is exact, with a true minus."""
    large = value != 0 and not 1e-3 <= abs(value) < 1e6
    text = f"{value:.6g}"
    if large:
        mantissa, _, power = f"{value:.5e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    return text.replace("-", "−")


def _decimals(step: float) -> int:
    """Decimals that a multiple of a round step needs."""
    return max(0, math.ceil(-math.log10(step) - 1e-9))


def _fixed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{digits}f}"
