"""Words: figures as people write them, with a true minus sign and raised powers in units."""

from __future__ import annotations

import astropy.units as u


def signed(value: float, form: str) -> str:
    """A figure with its sign, by a format without one: `signed(-2.13, ".1f")` is `−2.1`."""
    return f"{value:+{form}}".replace("-", "−")


def percent(value: float) -> str:
    """A share with its sign: 0.626 is `+62.6 %`."""
    return f"{signed(100.0 * value, '.1f')} %"


def measured(value: float | u.Quantity, digits: int) -> str:
    """So many digits of a value, and its unit if it has one: `1.25 arcmin²`."""
    quantity = u.Quantity(value)
    number = f"{float(quantity.value):.{digits}g}".replace("-", "−")
    unit = quantity.unit.to_string("unicode")
    return f"{number} {unit}".rstrip()
