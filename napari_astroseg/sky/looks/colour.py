"""Colour: three images of one grid as one picture, computed only where it is looked at.

The mapping is that of Lupton et al. (2004, PASP 116, 133) in the form that astropy's
`make_lupton_rgb` gives it: all three bands are scaled by one function of their mean intensity,
so that a colour does not depend on brightness, and a pixel beyond white keeps its colour. With
r, g, b the bands less their minimum, times their weight, and I = (r + g + b) / 3,

    f(I) = asinh(Q I / stretch) · 0.1 / asinh(0.1 Q)
    R = r f(I) / I, likewise G and B; all divided by the largest where that exceeds 1.

A pixel that one of the bands lacks is transparent: two bands would give it a false colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.limits import Values

Triple = tuple[float, float, float]
Picture = NDArray[np.uint8]
Paint = Callable[[ArrayLike, ArrayLike, ArrayLike], Picture]
"""Three bands of one shape become colours of shape (…, 4): red, green, blue, opacity."""

Q_SOFTENING = 8.0
ALIGNED_PX = 0.1
"""Grids count as one where no position differs by more than this."""

_BLOCK = 2**15
_FRACTION = 0.1
_FAINT_SHOWN = 0.08
"""What one standard deviation of the sky's noise is drawn as, in an automatic picture."""
_BRIGHT_PERCENT = 99.5
_LARGEST = 1e30


@dataclass(frozen=True)
class Lupton:
    """How three bands become colours; the module's docstring has the formula.

    Parameters
    ----------
    minimum
        The raw value of each band that is drawn black: red, green, blue.
    weights
        What each band is multiplied by, after that.
    stretch
        Intensities well below it are drawn in proportion.
    q
        The asinh softening: the larger, the more of what is bright can be told apart.

    Raises
    ------
    ImageError
        When a number is not finite, or weights, stretch or q are not above 0.
    """

    minimum: Triple = (0.0, 0.0, 0.0)
    weights: Triple = (1.0, 1.0, 1.0)
    stretch: float = 5.0
    q: float = Q_SOFTENING

    def __post_init__(self) -> None:
        positive = (*self.weights, self.stretch, self.q)
        if not (all(map(math.isfinite, (*self.minimum, *positive))) and min(positive) > 0):
            raise ImageError(
                "a colour picture needs finite minima, and weights, stretch and Q above 0; "
                f"{self} is none: change these numbers"
            )

    def __call__(self, red: ArrayLike, green: ArrayLike, blue: ArrayLike) -> Picture:
        """Colours of shape (…, 4), uint8; transparent where a band is missing."""
        bands = [np.asarray(each) for each in (red, green, blue)]
        picture = np.empty((*bands[0].shape, 4), np.uint8)
        if not picture.size:
            return picture
        rows = max(1, _BLOCK * len(bands[0]) // bands[0].size)
        for top in range(0, len(picture), rows):  # small pieces stay in the processor's cache
            part = slice(top, top + rows)
            self._paint([band[part] for band in bands], picture[part])
        return picture

    def _paint(self, bands: list[NDArray[Any]], picture: Picture) -> None:
        shape = (3, *bands[0].shape)
        x = np.empty(shape, np.float32)
        for plane, band, low, weight in zip(x, bands, self.minimum, self.weights, strict=True):
            with np.errstate(over="ignore"):  # beyond float32 is infinite: drawn saturated
                np.subtract(band, low, out=plane, casting="same_kind")
                np.multiply(plane, weight, out=plane, casting="same_kind")
        np.clip(x, -_LARGEST, _LARGEST, out=x)
        intensity = x.sum(axis=0)
        intensity *= np.float32(1 / 3)
        missing = np.isnan(intensity)
        np.clip(intensity, 0.0, _LARGEST, out=intensity)
        factor = np.multiply(intensity, np.float32(self.q / self.stretch))
        np.arcsinh(factor, out=factor)
        factor *= np.float32(255.0 * _FRACTION / math.asinh(_FRACTION * self.q))
        np.divide(factor, intensity, out=factor, where=intensity > 0)
        x *= factor
        np.maximum(x, 0.0, out=x)
        brightest = x.max(axis=0)
        np.maximum(brightest, np.float32(255.0), out=brightest)
        x *= np.divide(np.float32(255.0), brightest, out=brightest)
        if missing.any():
            x[:, missing] = 0.0
        picture[..., :3] = np.moveaxis(x, 0, -1)
        picture[..., 3] = np.where(missing, 0, 255)


def fitting(samples: Sequence[Values]) -> Lupton:
    """A mapping that shows faint and bright of three bands, from samples of their values.

    Black is the sky's level, found by clipping at 3 σ; the weights make what is bright white on
    average; the stretch draws one σ of the sky's noise just above black.
    """
    found = [_sky_noise_bright(values) for values in samples]
    weights = [1.0 / bright for _, _, bright in found]
    noise = math.sqrt(sum((w * s) ** 2 for w, (_, s, _) in zip(weights, found, strict=True))) / 3
    # f(noise) = shown, solved for the stretch; and f(1) = 1, for pictures without noise.
    slope = _FRACTION / math.asinh(_FRACTION * Q_SOFTENING)
    least = Q_SOFTENING / math.sinh(1.0 / slope)
    stretch = max(Q_SOFTENING * noise / math.sinh(_FAINT_SHOWN / slope), least)
    red, green, blue = (sky for sky, _, _ in found)
    return Lupton((red, green, blue), (weights[0], weights[1], weights[2]), stretch)


@dataclass(frozen=True)
class Tuning:
    """What a user changes of a mapping, in terms that mean the same for any three bands.

    Parameters
    ----------
    stretch
        Multiplies the stretch: below 1 shows fainter structure.
    q
        The asinh softening.
    black
        How far black moves up, in stretches.
    gains
        Multiply the weights of red, green, blue.
    """

    stretch: float = 1.0
    q: float = Q_SOFTENING
    black: float = 0.0
    gains: Triple = (1.0, 1.0, 1.0)

    def of(self, mapping: Lupton) -> Lupton:
        """A mapping, so changed."""
        up = self.black * mapping.stretch
        red, green, blue = (low + up / w for low, w in _pairs(mapping.minimum, mapping.weights))
        more_r, more_g, more_b = (w * gain for w, gain in _pairs(mapping.weights, self.gains))
        return Lupton(
            (red, green, blue), (more_r, more_g, more_b), mapping.stretch * self.stretch, self.q
        )


AUTOMATIC = Tuning()
"""Nothing changed."""


def on_one_grid(images: Sequence[SkyImage]) -> None:
    """Refuse images that do not lie pixel on pixel.

    Raises
    ------
    ImageError
        When shapes differ, or sky positions by more than 0.1 px.
    """
    first = images[0]
    for other in images[1:]:
        if other.shape != first.shape:
            reason = " and ".join(f"{i.shape[1]} × {i.shape[0]} px" for i in (first, other))
        else:
            apart = _pixels_apart(first, other)
            if apart <= ALIGNED_PX:
                continue
            reason = "only one has sky coordinates" if math.isinf(apart) else f"{apart:.2g} px off"
        raise ImageError(
            f"{first.name} and {other.name} are not on one grid ({reason}); "
            "choose three images of one grid, or three bands of one file"
        )


def _pairs(first: Triple, second: Triple) -> Iterator[tuple[float, float]]:
    return zip(first, second, strict=True)


def _pixels_apart(first: SkyImage, other: SkyImage) -> float:
    """The largest distance of the same sky on two images of one shape, px."""
    if first.wcs is None and other.wcs is None:
        return 0.0
    if first.wcs is None or other.wcs is None:
        return math.inf
    rows, columns = np.mgrid[0:1:7j, 0:1:7j]
    y, x = rows.ravel() * (first.shape[0] - 1), columns.ravel() * (first.shape[1] - 1)
    there_x, there_y = other.pixel(first.sky(x, y))
    apart = np.hypot(there_x - x, there_y - y)
    known = apart[np.isfinite(apart)]  # corners of a whole sky lie outside it
    return float(known.max()) if known.size else 0.0


def _sky_noise_bright(values: Values) -> Triple:
    """The sky's level, its scatter, and how far above it bright pixels are; the last two > 0."""
    if not values.size:
        return 0.0, 1.0, 1.0
    kept = values
    for _ in range(5):
        middle = float(np.median(kept))
        scatter = 1.4826 * float(np.median(np.abs(kept - middle)))
        inside = kept[np.abs(kept - middle) <= 3 * scatter] if scatter > 0 else kept
        if inside.size == kept.size:
            break
        kept = inside
    bright = float(np.percentile(values, _BRIGHT_PERCENT)) - middle
    room = float(values.max()) - middle
    bright = max(bright, 3 * scatter) or room or abs(middle) or 1.0
    return middle, scatter or bright / 100, bright
