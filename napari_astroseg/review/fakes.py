"""Fakes: simulated objects and empty places, hidden in a list and in the image it is judged on.

Where they lie depends on the list and on a seed; how bright each is, on its name alone: between
one and six times the scatter around it. So whoever opens the list sees the same objects.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.store import Known
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.shapes.shape import frame_named
from napari_astroseg.sky.simulate.hidden import Form, Objects, scatter_around, with_objects

Doubles = NDArray[np.float64]

_FAINTEST, _BRIGHTEST = 1.0, 6.0
_TRIES = 200
"""Places looked at in vain, one after the other, before there is said to be no room."""
_APART = 1.5
"""As far from all others, in the sum of two radii."""
_SHELLS = ("bubble", "shell", "ring", "hii")
_UNKNOWN_PX = 12.0


def form_of(detections: Detections) -> Form:
    """What simulated ones look like: shells in a list of bubbles, else spots."""
    words = " ".join({*detections.kinds}).lower()
    return "shell" if any(each in words for each in _SHELLS) else "spot"


def fakes(
    detections: Detections,
    places: tuple[Doubles, Doubles, Doubles],
    image: SkyImage,
    counts: tuple[int, int],
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Detections, Detections]:
    """Objects to hide in a list: real ones, to be put into the image, and empty places.

    Parameters
    ----------
    places
        x, y and radius of the list's own, px of the image.
    counts
        How many of each.

    Raises
    ------
    VettingError
        When there is no room for so many.
    """
    rng = np.random.default_rng([seed, int(detections.digest[:16], 16)])
    x, y, radius = (np.array(each, np.float64) for each in places)
    inside = np.isfinite(x) & np.isfinite(y)
    there, own = np.column_stack((x, y))[inside], radius[inside]
    sizes = own[own > 0] if (own > 0).any() else np.array([_UNKNOWN_PX])
    listed = _Taken(there, own)
    found: list[tuple[float, float, float]] = []
    wanted, failed = sum(counts), 0
    height, width = image.shape
    while len(found) < wanted and failed < _TRIES:
        reach = float(rng.choice(sizes))
        at = rng.uniform(reach, np.maximum((width - reach, height - reach), reach + 1))
        place = float(at[0]), float(at[1]), reach
        failed += 1
        if _near(place, found) or listed.near(at, reach):
            continue
        if np.isfinite(scatter_around(image, *place)):
            progress("hiding objects", len(found), wanted)
            found.append(place)
            failed = 0
    if len(found) < wanted:
        raise VettingError(
            f"there is room for {len(found)} hidden objects between the others; ask for fewer"
        )
    made = np.array(found).reshape(-1, 3)
    real, empty = made[: counts[0]], made[counts[0] :]
    return _as_detections(real, detections, image), _as_detections(empty, detections, image)


def hidden_image(
    image: SkyImage,
    detections: Detections,
    known: tuple[Known, ...],
    places: tuple[Doubles, Doubles, Doubles],
) -> SkyImage:
    """The image with the real ones of those that were planted in it."""
    x, y, radius = places
    rows = [row for row, truth in enumerate(known) if truth == "real" and np.isfinite(x[row])]
    peaks = []
    for row in rows:
        scatter = scatter_around(image, float(x[row]), float(y[row]), float(radius[row]))
        peaks.append(np.nan_to_num(scatter) * _strength(detections.names[row]))
    at = np.array(rows, np.int64)
    objects = Objects(x[at], y[at], radius[at], np.array(peaks, float), form_of(detections))
    return with_objects(image, objects)


def _strength(name: str) -> float:
    """Peak over scatter, evenly spread in its logarithm."""
    told = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2.0**64
    return float(_FAINTEST * (_BRIGHTEST / _FAINTEST) ** told)


class _Taken:
    """Places (N, 2) that are taken, with their radii."""

    def __init__(self, places: Doubles, radii: Doubles) -> None:
        self._radii = radii
        self._tree = cKDTree(places) if len(places) else None
        self._widest = float(radii.max(initial=0.0))

    def near(self, at: Doubles, reach: float) -> bool:
        """Whether any is too near to a place."""
        if self._tree is None:
            return False
        found = self._tree.query_ball_point(at, _APART * (reach + self._widest))
        apart = np.linalg.norm(self._tree.data[found] - at, axis=1)
        return bool((apart < _APART * (reach + self._radii[found])).any())


def _near(place: tuple[float, float, float], found: list[tuple[float, float, float]]) -> bool:
    """Whether any that was found is too near to a place."""
    x, y, reach = place
    return any(math.hypot(x - a, y - b) < _APART * (reach + c) for a, b, c in found)


def _as_detections(made: Doubles, like: Detections, image: SkyImage) -> Detections:
    """Places (N, 3) in the terms of a list: nothing that the others have is missing."""
    x, y, radius = made.T
    known: dict[str, Any] = {"frame": like.frame, "unit": like.unit, "source": like.source}
    if np.isfinite(like.x).any() or like.frame is None:
        known |= {"x": x, "y": y}
    if like.frame is not None:
        if image.wcs is None:
            raise VettingError("the image has no sky coordinates, and the list is on the sky")
        there = image.sky(x, y).transform_to(frame_named(like.frame)).spherical
        known |= {"lon": there.lon.deg % 360.0, "lat": there.lat.deg}
    scale = image.pixel_scale_arcsec if like.unit == "arcsec" else 1.0
    if scale is not None and np.isfinite(like.radius).any():
        known["radius"] = radius * scale
    return Detections.of(len(made), **known)
