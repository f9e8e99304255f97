"""Fit: does an image suit a model? Refused where the answer would be nonsense, else told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from napari_astroseg.errors import MisfitError
from napari_astroseg.recipes.recipe import Expectation, Recipe
from napari_astroseg.sky.image import SkyImage, parsed_unit
from napari_astroseg.sky.normalise import valid_pixels
from napari_astroseg.sky.window import Window

_PROBE = 48
"""Samples along each axis that tell what values an image holds."""
_ALL_THE_SAME = "insist with --force (in the window: Even if the image does not suit the model)"


@dataclass(frozen=True)
class Fit:
    """How to give an image to a model: a factor on its values, and what the user should know."""

    factor: float = 1.0
    warnings: tuple[str, ...] = ()


def check_fit(recipe: Recipe, image: SkyImage, window: Window, force: bool = False) -> Fit:
    """Compare an image's unit, scale and values with what a recipe expects.

    Raises
    ------
    MisfitError
        When the unit is of another kind, the values are nowhere near, or all are missing;
        `force` turns the first two into warnings.
    """
    warnings: list[str] = []
    try:
        factor = _unit_factor(recipe.expects, image)
        if factor != 1.0:
            warnings.append(
                f"values converted from {image.unit} to {recipe.expects.unit} (× {factor:g})"
            )
    except MisfitError as error:
        if not force:
            raise
        factor = 1.0
        warnings.append(str(error))
    warnings += _scale_warnings(recipe.expects, image)
    warnings += _value_warnings(recipe, image, window, factor, force)
    return Fit(factor, tuple(warnings))


def _unit_factor(expects: Expectation, image: SkyImage) -> float:
    wanted, given = parsed_unit(expects.unit), image.physical_unit
    if wanted is None or given is None or given == u.dimensionless_unscaled:
        return 1.0
    try:
        return float(given.to(wanted))
    except u.UnitConversionError as error:
        raise MisfitError(
            f"{image.name} is in {image.unit} but this model was trained on {expects.unit}; "
            f"choose a map of that kind, or {_ALL_THE_SAME}"
        ) from error


def _scale_warnings(expects: Expectation, image: SkyImage) -> Iterator[str]:
    scale, wanted = image.pixel_scale_arcsec, expects.pixel_scale_arcsec
    if scale is None or wanted is None:
        return
    if max(scale / wanted, wanted / scale) > expects.scale_factor:
        yield (
            f"{image.name} has {scale:.3g}″ pixels but this model was trained on {wanted:.3g}″; "
            "its answer may miss structures: regrid the map, or train on such maps"
        )


def _value_warnings(
    recipe: Recipe, image: SkyImage, window: Window, factor: float, force: bool
) -> Iterator[str]:
    expects = recipe.expects
    sample = _sampled(image, window) * factor
    values = sample[valid_pixels(sample, recipe.data.floor)]
    if not values.size:
        return  # the prediction itself sees every pixel, and says if all are missing
    middle = float(np.median(values))
    low, high = expects.typical_low, expects.typical_high
    if (low is not None and middle < low) or (high is not None and middle > high):
        told = (
            f"{image.name} has values around {middle:.3g}, far from the {_kind(expects)} this "
            f"model expects ({_range(low, high)}); choose one of that kind, or {_ALL_THE_SAME}"
        )
        if not force:
            raise MisfitError(told)
        yield told
    elif expects.unit and image.physical_unit is None:
        yield f"{image.name} does not say its unit; its values are taken as {expects.unit}"


def _kind(expects: Expectation) -> str:
    return f"{expects.unit} map" if expects.unit else "values"


def _range(low: float | None, high: float | None) -> str:
    """Bounds in words, of which one may be open."""
    if low is None or high is None:
        return f"up to {high:g}" if low is None else f"from {low:g}"
    return f"{low:.0e} to {high:.0e}"


def _sampled(image: SkyImage, window: Window) -> np.ndarray:
    """A coarse grid of the window's values, without reading the rest."""
    inside = window.clipped(image.shape)
    rows, columns = (
        slice(start, start + length, max(1, length // _PROBE))
        for start, length in ((inside.y, inside.height), (inside.x, inside.width))
    )
    return np.asarray(image.pixels[rows, columns], np.float64)
