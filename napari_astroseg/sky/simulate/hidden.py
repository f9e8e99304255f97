"""Hidden: an image into which objects of known place, size and strength have been put.

For asking whether they are found. Shells are columns through a hollow sphere, as bubbles are seen;
spots are Gaussian. Nothing of the image changes but its values, where an object is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import FloatArray, Key, MadePixels, PixelSource
from napari_astroseg.sky.window import Window

Form = Literal["shell", "spot"]
FORMS: tuple[Form, ...] = get_args(Form)

Doubles = NDArray[np.float64]

_THICKNESS = 0.25
"""Of a shell, in units of its radius."""
_REACH = {"shell": 1.0 + _THICKNESS, "spot": 2.5}
"""Radii beyond which an object has no light."""
_SAMPLE = 64
"""Pixels across, from which the scatter around an object is known."""


@dataclass(frozen=True, eq=False)
class Objects:
    """Objects to put into an image, (N,) each.

    Parameters
    ----------
    x, y, radius
        0-based pixels.
    peak
        Brightest value, in the image's unit.
    form
        Of all of them.
    """

    x: Doubles
    y: Doubles
    radius: Doubles
    peak: Doubles
    form: Form = "shell"


@dataclass(frozen=True, eq=False)
class HiddenPixels(MadePixels):
    """Pixels with objects added; only those that touch what is asked for cost anything.

    Parameters
    ----------
    source
        The bare ones.
    objects
        What is added.
    """

    source: PixelSource
    objects: Objects

    @property
    def identity(self) -> str | None:
        """Of the source and of the objects."""
        told = self.objects
        places = np.stack((told.x, told.y, told.radius, told.peak)).round(6)
        return self.made_of("hidden", told.form, places.tobytes().hex())

    def __getitem__(self, key: Key) -> FloatArray:
        values = self.source[key]
        rows = np.arange(*key[0].indices(self.shape[0]))
        columns = np.arange(*key[1].indices(self.shape[1]))
        if not len(rows) or not len(columns):
            return values
        told = self.objects
        reach = told.radius * _REACH[told.form]
        near = (told.x + reach >= columns[0]) & (told.x - reach <= columns[-1])
        near &= (told.y + reach >= rows[0]) & (told.y - reach <= rows[-1])
        touched = np.flatnonzero(near)
        if len(touched):
            values = np.array(values)
        for at in touched.tolist():
            own_rows = np.flatnonzero(np.abs(rows - told.y[at]) <= reach[at])
            own_columns = np.flatnonzero(np.abs(columns - told.x[at]) <= reach[at])
            if len(own_rows) and len(own_columns):
                box = np.ix_(own_rows, own_columns)
                away = np.hypot(
                    (rows[own_rows] - told.y[at])[:, None], columns[own_columns] - told.x[at]
                )
                light = told.peak[at] * _light(away / told.radius[at], told.form)
                values[box] += light.astype(values.dtype)
        return values


def with_objects(image: SkyImage, objects: Objects) -> SkyImage:
    """The image of one plane with objects in it.

    Raises
    ------
    ImageError
        When it is a stack.
    """
    if image.count > 1:
        raise ImageError(f"{image.name} has several planes; take one of them")
    return replace(image, pixels=HiddenPixels(image.pixels, objects), reference=None)


def scatter_around(image: SkyImage, x: float, y: float, radius: float) -> float:
    """How far values scatter about their median around a place, as one standard deviation.

    NaN where there is nothing but missing data.
    """
    side = max(_SAMPLE, int(np.ceil(4 * radius)))
    values: NDArray[Any] = image.cutout(Window.around(x, y, side))
    step = max(1, side // _SAMPLE)
    seen = values[::step, ::step]
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return float("nan")
    return float(1.4826 * np.median(np.abs(seen - np.median(seen))))


def _light(away: Doubles, form: Form) -> Doubles:
    """Brightness at distances in radii, at most 1."""
    if form == "spot":
        return np.asarray(np.exp(-2.0 * away**2))
    outer = 1.0 + _THICKNESS
    column = np.sqrt(np.maximum(outer**2 - away**2, 0.0)) - np.sqrt(np.maximum(1.0 - away**2, 0.0))
    return np.asarray(column / np.sqrt(outer**2 - 1.0))
