"""Figures: what `evaluate` tells, as rows of a table with errors and the paper's values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_astroseg.recipes.figurenames import words_of
from napari_astroseg.recipes.papers import PUBLISHED

_COUNTS = (
    "galaxies", "stamps", "tiles", "bubbles", "images", "objects", "detections", "new detections",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One figure.

    Parameters
    ----------
    name, words
        As `evaluate` tells it, and as people read it.
    value, error
        Value and one standard deviation of it; None where there is none.
    paper
        The paper's value in words; "" where it states none.
    """

    name: str
    words: str
    value: float | None
    error: float | None
    paper: str = ""

    @property
    def told(self) -> str:
        """The value with its error: `0.717 ± 0.027`."""
        if self.value is None:
            return "–"
        whole = self.value.is_integer() and (self.words in _COUNTS or self.value > 1)
        value = f"{self.value:,.0f}".replace(",", "\u202f") if whole else f"{self.value:.3f}"
        if self.error is None:
            return value
        return f"{value} ± {self.error:.1f}" if whole else f"{value} ± {self.error:.3f}"


def rows_of(told: Mapping[str, Any]) -> list[Row]:
    """A row for each figure of an evaluation, in its order."""
    published = PUBLISHED.get(str(told.get("layout")))
    paper = published.figures if published else {}
    return [
        Row(
            name,
            words_of(name, str(told.get("layout"))),
            _known(value),
            _known(told["errors"].get(name)),
            paper.get(name, ""),
        )
        for name, value in told["figures"].items()
    ]


def _known(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
