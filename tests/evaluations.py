"""Evaluations of every layout, as `evaluate` tells them, made up: small, with every part."""

from __future__ import annotations

from typing import Any

_STEPS = [0.1, 0.5, 0.9]


def made_up(layout: str = "four_maps", **changes: Any) -> dict[str, Any]:
    """What a model of some layout tells of itself; `changes` replace whole parts."""
    told: dict[str, Any] = {
        "recipe": layout,
        "layout": layout,
        "model": "0123456789abcdef",
        "data": "fedcba9876543210",
        "provenance": {
            "model": "a <model>",
            "command": "astroseg evaluate m 'a & b'",
            "versions": {"numpy": "2.0"},
        },
    }
    return told | _PARTS[layout] | changes


def _column(*names: str) -> dict[str, list[float | None]]:
    told: dict[str, list[float | None]] = {}
    for name in names:
        told |= {name: [0.5, 0.75, None], f"{name}_error": [0.05, 0.02, None]}
    return told


def _bin(low: float) -> dict[str, Any]:
    figures = {"galaxies": 3, "detected": 0.9, "iou": 0.8, "variance": 0.01}
    errors = {f"{name}_error": 0.1 for name in ("detected", "iou", "variance")}
    empty: dict[str, Any] = dict.fromkeys((*figures, *errors)) | {"galaxies": 0}
    return {"from": low, "to": low + 1, "isolated": figures | errors, "blended": empty}


_CURVE = [
    {"pixels": 9.0, "probability": 0.1, "true": 0.2},
    {"pixels": 1.0, "probability": 0.9, "true": 0.8},
]

_PARTS: dict[str, dict[str, Any]] = {
    "four_maps": {
        "figures": {"dice": 0.7171, "new": float("nan"), "threshold": 0.446},
        "errors": {"dice": 0.0272, "new": float("nan")},
        "thresholds": {"threshold": _STEPS}
        | _column("dice", "recovery", "background_recovery", "missed", "new"),
        "precision_recall": {
            "threshold": _STEPS,
            "recall": [0.9, 0.7, 0.2],
            "precision": [0.2, 0.8, None],
            "false_positive_rate": [0.4, 0.1, 0.0],
        },
        "worst": {
            "by": "dice",
            "units": [
                {"name": "<b>_image.fits", "window": [0, 0, 64, 64], "dice": 0.1, "new": None},
                {"name": "a_image.fits", "window": [0, 0, 64, 64], "dice": 0.8, "new": 0.5},
            ],
        },
    },
    "gz3d": {
        "figures": {"galaxies": 7453.0, "accuracy": 0.95, "precision": 0.7, "jaccard": 0.3}
        | dict.fromkeys(("both", "neither", "only_volunteers", "only_network"), 0.25)
        | {f"area_{votes}": 0.1 / votes for votes in range(1, 7)}
        | {"area_found": 0.05},
        "errors": {"accuracy": 0.01, "both": 0.02, "area_1": 0.01},
        "histograms": {name: [0] * 12 + [3] * 8 for name in ("accuracy", "precision", "jaccard")},
    },
    "astro_rcnn": {
        "figures": {"images": 14.0, "ap50_star": 0.7, "ap50_galaxy": 0.8},
        "errors": {"ap50_star": 0.02, "ap50_galaxy": 0.03},
        "curves": {
            "recall": [0.0, 0.5, 1.0],
            "star": {"0.50": [1.0, 0.8, 0.0], "0.75": [0.9, 0.5, 0.0]},
            "galaxy": {"0.50": [1.0, 0.9, 0.2], "0.75": [0.8, 0.6, 0.0]},
        },
        "overlaps": {"iou": _STEPS} | _column("star", "galaxy"),
    },
    "blended": {
        "figures": {
            f"{name}_{kind}": 0.9
            for name in ("completeness", "purity")
            for kind in ("isolated", "blended")
        }
        | {"null": 1.0},
        "errors": {"purity_blended": 0.01},
        "magnitudes": [_bin(20.0), _bin(21.0)],
        "reliability": {"galaxy": _CURVE, "overlap": _CURVE},
    },
    "bubbles": {
        "figures": {
            "bubbles": 40.0,
            "recall": 0.9,
            "new": 12.0,
            "threshold": 0.7,
            "threshold_best": 0.8,
        },
        "errors": {"recall": 0.05, "new": 2.5},
        "scan": {"cut": _STEPS} | _column("f2", "precision", "recall", "new"),
        "sizes": {
            "arcmin": [0.0, 0.3, 0.6],
            "bubbles": [1.0, 2.0, 3.0],
            "recovered": [0.0, 2.0, 3.0],
        },
    },
}
