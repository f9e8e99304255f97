"""Worst first: the images on which a model does worst, for whoever wants to look at them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

MOST = 200
"""How many are told."""


def worst_first(figure: str, units: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What `evaluate` tells as `worst`: `by`, and `units` in order of that figure, lowest first.

    Units without the figure have nothing to find, and nothing found: they are left out. Other
    figures that a unit lacks are None.
    """
    known = [unit for unit in units if math.isfinite(unit[figure])]
    known.sort(key=lambda unit: float(unit[figure]))
    rows = [{name: _or_none(value) for name, value in unit.items()} for unit in known[:MOST]]
    return {"by": figure, "units": rows}


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
