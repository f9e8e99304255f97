"""Vetting: the next object after a key, lists that are opened, stamps, regions that are read.

Each length of list in a window and a process of its own (`next_object.py`); the mosaic is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from napari_astroseg.bench import child
from napari_astroseg.bench.fields import write_survey
from napari_astroseg.bench.next_object import Order
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import seconds, words
from napari_astroseg.review.reading import open_detections
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image

_SHOWN_MS, _STORED_MS, _SHEET_S, _REGIONS_S = 100.0, 50.0, 1.5, 5.0
_OPENED_S, _OPENED_EACH_S = 1.5, 12e-6
_MEMORY_MIB, _MEMORY_EACH_MIB = 64.0, 1e-3
_REST_S = 5.0
_RADII = (60.0, 600.0)


def measure(plan: Plan, scratch: Path) -> Iterator[Measurement]:
    """Every length of list, from the shortest, and then regions."""
    side = plan.large_px[0]
    mosaic = write_survey(scratch / f"mosaic-{side}.fits", side)
    image = open_image(mosaic)
    for count in plan.detections:
        yield from _of(count, plan, mosaic, image, scratch)
    yield _regions(plan.regions, image, scratch)


def _of(
    count: int, plan: Plan, mosaic: Path, image: SkyImage, scratch: Path
) -> Iterator[Measurement]:
    """One list."""
    path = scratch / f"detections-{count}.fits"
    _table(count, image).write(path)
    rest_s = min(_REST_S, plan.budget_s)
    order = Order(str(mosaic), str(path), str(scratch / f"{count}.sqlite"), plan.keys, rest_s)
    told = child.run(
        "napari_astroseg.bench.next_object", json.dumps(asdict(order)),
        scratch=scratch, cache=scratch / "cache",
    )  # fmt: skip
    what = f"vetting {count:,}"
    shown, stored, bare = (_percentiles(told[name]) for name in ("shown", "stored", "bare"))
    keys = f"{plan.keys} keys on {image.shape[0]}² px"
    how = (
        f"key to the next one drawn: median {shown[0]:.0f} ms, 99 of 100 within {shown[1]:.0f} ms; "
        f"a bare move of the camera, drawn: {bare[0]:.0f} and {bare[1]:.0f} ms; {keys}"
    )
    yield _at_most(f"{what}, next object", shown[1], "ms", _SHOWN_MS, how)
    how = f"key to the verdict on the disk: median {stored[0]:.0f} ms, 99 of 100 within this"
    yield _at_most(f"{what}, stored", stored[1], "ms", _STORED_MS, how)
    how = f"a new list, to its first object; again, from the store, {words(told['again'])}"
    target = _OPENED_S + count * _OPENED_EACH_S
    yield _at_most(f"{what}, opened", told["opened"], "s", target, how)
    how = "most memory while the list was opened, over the window with the mosaic"
    target = _MEMORY_MIB + count * _MEMORY_EACH_MIB
    yield _at_most(f"{what}, memory", told["peak_mib"], "MiB", target, how)
    how = "from the button to all stamps on the contact sheet"
    yield _at_most(f"{what}, {told['stamps']} stamps", told["sheet"], "s", _SHEET_S, how)


def _regions(count: int, image: SkyImage, scratch: Path) -> Measurement:
    """DS9 circles as detections."""
    table = _table(count, image)
    lines = [
        f'circle({lon:.6f},{lat:.6f},{radius:.1f}")'
        for lon, lat, radius in zip(
            table["glon"].value, table["glat"].value, table["radius"].value, strict=True
        )
    ]
    path = scratch / "regions.reg"
    path.write_text("\n".join(["galactic", *lines]) + "\n", encoding="ascii")
    took = min(seconds(lambda: open_detections(path, image)) for _ in range(2))
    how = f"{count:,} circles of a DS9 file, {count / took:,.0f} a second"
    return _at_most(f"vetting, {count:,} regions", took, "s", _REGIONS_S, how)


def _table(count: int, image: SkyImage) -> QTable:
    """Circles anywhere on an image, away from its edges."""
    rng = np.random.default_rng(count)
    edge = image.shape[0] // 16
    x, y = rng.uniform(edge, image.shape[0] - edge, (2, count))
    there = image.sky(x, y).spherical
    return QTable(
        {
            "id": [f"D{number}" for number in range(count)],
            "glon": there.lon.deg * u.deg,
            "glat": there.lat.deg * u.deg,
            "radius": rng.uniform(*_RADII, count) * u.arcsec,
            "score": rng.uniform(0, 1, count),
        }
    )


def _percentiles(told: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile, ms."""
    half, most = np.percentile(np.asarray(told) * 1e3, (50, 99))
    return float(half), float(most)


def _at_most(name: str, value: Any, unit: str, target: float, how: str) -> Measurement:
    figures = round(float(value), 3), unit, 0.0, round(target, 3)
    return Measurement(name, *figures, value <= target, "≤", how)
