"""Align: one image on the pixels of another, lazily, by the simplest map that is good enough.

Where the grids differ by whole pixels, values are placed as they are. Where an affine map is
measured to lie within a tolerance of the exact positions all over the frame, it is taken; else
the positions are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.grids import pixelmap
from napari_astroseg.sky.grids.affine import Affine, Frame
from napari_astroseg.sky.grids.grid import Grid
from napari_astroseg.sky.grids.labelled import holds_labels
from napari_astroseg.sky.grids.laid import Laid
from napari_astroseg.sky.grids.pixelmap import PixelMap, Places
from napari_astroseg.sky.grids.warp import Sampling
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

TOLERANCE_PX = 0.25
"""How far an affine map may be off, unless something else is asked for."""

_WHOLE_PX = 1e-3
"""Grids that are nearer than this to a shift by whole pixels differ by nothing else."""


@dataclass(frozen=True)
class Alignment:
    """How one image came to lie on another's pixels.

    Attributes
    ----------
    kind
        `same` for pixels placed as they are, `affine`, `exact`, `pixels` for one on one without
        regard to the sky, `anchors` for a map through pairs of points.
    error_px
        Largest measured error over the frame, in pixels of the reference or of the image,
        whichever makes it more; for `anchors` how far the pairs are off, in pixels of the
        reference; NaN for `pixels`, which nothing checks.
    tolerance_px
        What an affine map was allowed.
    affine_error_px
        For `exact`: what it would have been off, infinite where it would not do at all. Else None.
    pairs
        For `anchors`: how many.
    sampling
        How values are taken; None where each is placed as it is.
    labels
        Whether `nearest` was chosen because the image holds labels.
    flux
        Whether values are scaled with the area of a pixel.
    """

    kind: Literal["same", "affine", "exact", "pixels", "anchors"]
    error_px: float
    tolerance_px: float = TOLERANCE_PX
    affine_error_px: float | None = None
    pairs: int = 0
    sampling: Sampling | None = None
    labels: bool = False
    flux: bool = False

    @property
    def sentence(self) -> str:
        """For people: how well it lies, and that its values are labels where they are."""
        return f"{self._place}; {self.values}" if self.labels else self._place

    @property
    def values(self) -> str:
        """What was done to the values, for people."""
        if self.sampling is None:
            return "values as they are"
        if self.sampling == "nearest":
            return f"nearest values{', for these are labels' if self.labels else ''}"
        return f"bilinear values, {'flux' if self.flux else 'surface brightness'} conserved"

    @property
    def told(self) -> str:
        """How it lies and what was done to the values, for a log."""
        return self._place if self.kind == "same" else f"{self._place}; {self.values}"

    @property
    def _place(self) -> str:
        if self.kind == "same":
            return "the same pixels, placed as they are"
        if self.kind == "affine":
            return f"affine, within {_px(self.error_px)} of the exact positions"
        if self.kind == "pixels":
            return "pixel on pixel, without regard to the sky"
        if self.kind == "anchors":
            shape = "a similarity" if self.pairs == 2 else "an affine map"
            checked = f"which are off by up to {_px(self.error_px)}"
            if self.pairs < 4:
                checked = "with none to spare that would check it"
            return f"{shape} through {self.pairs} pairs of points, {checked}"
        if self.affine_error_px is not None and math.isfinite(self.affine_error_px):
            return f"exact; an affine map would be off by up to {_px(self.affine_error_px)}"
        return "exact; no affine map would do"


@dataclass(frozen=True, eq=False)
class Aligned:
    """An image on another's pixels, and how it came there."""

    image: SkyImage
    how: Alignment


def grid_of(image: SkyImage) -> Grid:
    """The grid that an image's pixels lie on.

    Raises
    ------
    ImageError
        When it has no sky coordinates.
    """
    if image.wcs is None:
        told = (note.partition(";")[0] for note in image.notes if "sky coordinates" in note)
        why = next(told, "no sky coordinates")
        raise ImageError(
            f"{image.name} cannot be placed on the sky ({why}); add a WCS to its header"
        )
    return Grid.of(image.wcs, image.shape)


def align(
    image: SkyImage,
    onto: SkyImage,
    *,
    sampling: Sampling | None = None,
    tolerance_px: float = TOLERANCE_PX,
    conserve_flux: bool = False,
) -> Aligned:
    """An image's values on the pixels of another, NaN where it does not reach.

    They are read where they are looked at; some rows at once of integers, to tell labels.

    Parameters
    ----------
    image
        What to show: an image, or all planes of a stack.
    onto
        Whose pixels to show it on.
    sampling
        `nearest` for labels and flags, which must not be averaged. None: that where
        `holds_labels` says so and flux is not to be conserved, else `bilinear`.
    tolerance_px
        How far an affine map may be off the exact positions, in pixels of `onto` or of `image`,
        whichever makes it more. 0: never an affine one.
    conserve_flux
        Values are sums over a pixel (counts, Jy/pix): scale them with its area. Without, they
        are taken as surface brightness and keep their meaning on pixels of any size.

    Returns
    -------
    The image with the sky of `onto`, and how it was placed. Its mask comes along (the nearest
    flags); its uncertainty only where values are placed as they are, since interpolated ones are
    less uncertain, and not alike. Of an image that lies on the very same grid, the image itself.

    Raises
    ------
    ImageError
        When one of them has no sky coordinates, they lie apart, or what is asked for has no
        meaning.
    """
    if not 0 <= tolerance_px < math.inf:
        raise ImageError(f"a tolerance of {tolerance_px:g} px is none; give one of 0 or more")
    if conserve_flux and sampling == "nearest":
        raise ImageError(
            "the nearest value alone cannot conserve flux; sample bilinearly, or align "
            f"{image.name} without conserving flux"
        )
    source, target = grid_of(image), grid_of(onto)
    if source.identity == target.identity:
        return Aligned(image, Alignment("same", 0.0, tolerance_px))
    reach = source.reach(target)
    window = reach and reach.overlap(Window.whole(target.shape))
    if window is None:
        raise ImageError(
            f"{image.name} and {onto.name} show different parts of the sky; "
            "align images that overlap"
        )
    frame = Frame(target.part(window), source)
    affine = frame.fitted()
    shift = None if affine is None else _whole(affine, frame, tolerance_px)
    if shift is not None:
        corner = window.x - shift[0], window.y - shift[1]
        place = Window(*corner, *source.shape[::-1])
        laid = Laid.of(image, onto.shape, place)
        how = Alignment("same", frame.error_px(_shift(frame, shift)), tolerance_px)
    else:
        labels = sampling is None and not conserve_flux and holds_labels(image)
        taken: Sampling = sampling or ("nearest" if labels else "bilinear")
        places, how = _chosen(frame, affine, tolerance_px)
        how = replace(how, sampling=taken, labels=labels, flux=conserve_flux)
        laid = Laid.of(image, onto.shape, window, places, taken, conserve_flux)
    return Aligned(laid.image(image, onto, how.told), how)


def aligned(image: SkyImage, onto: SkyImage, sampling: Sampling | None = None) -> SkyImage:
    """The same by exact positions, and the image alone."""
    return align(image, onto, sampling=sampling, tolerance_px=0.0).image


def match_pixels(image: SkyImage, onto: SkyImage) -> Aligned:
    """An image on the pixels of another of the same shape, one on one; the sky is not asked.

    Raises
    ------
    ImageError
        When their shapes differ.
    """
    if image.shape != onto.shape:
        (height, width), (other_height, other_width) = image.shape, onto.shape
        raise ImageError(
            f"{image.name} is {width} × {height} px and {onto.name} {other_width} × {other_height};"
            " match images of one shape, or mark the same points in both"
        )
    how = Alignment("pixels", math.nan)
    laid = Laid.of(image, onto.shape, Window.whole(onto.shape))
    return Aligned(laid.image(image, onto, how.told), how)


def _whole(affine: Affine, frame: Frame, tolerance_px: float) -> tuple[int, int] | None:
    """The whole pixels that the target's first pixel lies at; None where there are none."""
    first = round(affine.x[0]), round(affine.y[0])
    error = frame.error_px(_shift(frame, first))
    return first if error <= min(_WHOLE_PX, tolerance_px) else None


def _shift(frame: Frame, first: tuple[int, int]) -> Affine:
    return Affine.shift(frame.target.shape, *first)


def _chosen(frame: Frame, affine: Affine | None, tolerance_px: float) -> tuple[Places, Alignment]:
    """The affine where it is good enough, else exact positions."""
    off = math.inf if affine is None else frame.error_px(affine)
    if affine is not None and off <= tolerance_px:
        return affine, Alignment("affine", off, tolerance_px)
    places = PixelMap(frame.target, frame.source)
    error = pixelmap.TOLERANCE_PX * max(1.0, 1.0 / places.ratio)
    return places, Alignment("exact", error, tolerance_px, off)


def _px(distance: float) -> str:
    """A distance that is not exceeded, in words."""
    return f"{distance:.0f} px" if distance >= 100 else f"{max(distance, 1e-3):.2g} px"
