"""Figures: what `evaluate` tells, as rows of a table with errors and the paper's values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_astroseg.recipes.papers import PUBLISHED

_WORDS = {
    "dice": "Dice",
    "dice_best": "Dice at the best threshold",
    "recovery": "target pixels recovered",
    "background_recovery": "background pixels left alone",
    "missed": "missed structures",
    "new": "new structures",
    "threshold": "model's threshold",
    "threshold_best": "best threshold",
    "average_precision": "average precision of pixels",
    "roc_auc": "area under the ROC curve",
    "accuracy": "accuracy",
    "jaccard": "Jaccard",
    "both": "both see a structure",
    "neither": "neither does",
    "only_volunteers": "only volunteers do",
    "only_network": "only the network does",
    "area_found": "part of a picture that the network marks",
    "ap": "AP, mean over IoU 0.50 (0.05) 0.95",
    "ap50": "AP at IoU 0.50",
    "iou": "IoU",
    "mask_iou": "IoU of masks found",
    "null": "empty stamps left empty",
    "ece": "expected calibration error",
    "f2": "F2",
    "f2_best": "F2 at the best threshold",
}
"""Of figures whose name does not say it."""

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


def words_of(name: str, layout: str = "") -> str:
    """A figure's name as people read it."""
    if name == "new" and layout == "bubbles":
        return "new detections"
    head, _, kind = name.rpartition("_")
    if name in _WORDS or not head:
        return _WORDS.get(name, name)
    words = _WORDS.get(head, head.replace("_", " "))
    if head == "dice":
        return f"Dice at {kind}"
    if head == "area":
        return f"part of a picture with {kind} vote{'' if kind == '1' else 's'} or more"
    return f"{words}, {'spread from galaxy to galaxy' if kind == 'std' else kind}"


def _known(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
