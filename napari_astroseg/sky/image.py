"""SkyImage: a lazy array, or a stack of them, that knows its unit and where on the sky it lies."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import astropy.units as u
import numpy as np
from astropy.coordinates import BaseCoordinateFrame, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales, wcs_to_celestial_frame
from numpy.typing import ArrayLike, NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.coords.cylinders import unrolled, world_of
from napari_astroseg.sky.coords.inverse import pixels_of
from napari_astroseg.sky.files.address import Address, ImageRef
from napari_astroseg.sky.files.stored import value_dtype
from napari_astroseg.sky.pixels import ArrayPixels, PixelSource, Planes
from napari_astroseg.sky.window import Window

if TYPE_CHECKING:
    import dask.array as da

CHUNK = 1024
"""Side of the square dask chunks, px: makes a chunk's work outweigh the graph's."""


@dataclass(frozen=True)
class Axis:
    """What tells the planes of a stack apart.

    Parameters
    ----------
    kind
        `band` for several bands of one sky, `plane` for anything else (velocity, Stokes, time).
    name
        Of the axis: `band`, `VRAD`, `FREQ`, …
    labels
        One for each plane: `g`, `12.3 km/s`, …
    """

    kind: Literal["band", "plane"]
    name: str
    labels: Sequence[str]


@dataclass(frozen=True, eq=False)
class SkyImage:
    """A sky image, or a stack of them on one grid, read only where it is looked at.

    Parameters
    ----------
    pixels
        Where the values come from, shape (H, W), native floats, NaN where missing.
    wcs
        Celestial world coordinates (two axes), or None when there are none.
    header
        FITS cards that place it on the sky (see `sky.coords.worldcoords.wcs_cards`).
    unit
        Unit of the values as its file writes it; "" when it says nothing.
    name
        What to call it on screen.
    reference
        File and HDU, when it lives in a file.
    notes
        What the reader wants the user to know, one sentence each.
    planes, axis
        For a stack: its planes, of which `pixels` is the first, and what tells them apart.
    uncertainty
        One standard deviation of each value, on the same pixels, where the file has it.
    mask
        Flags on the same pixels, 0 where a value is good, where the file has them.
    """

    pixels: PixelSource
    wcs: WCS | None = None
    header: fits.Header = field(default_factory=fits.Header)
    unit: str = ""
    name: str = "image"
    reference: ImageRef | None = None
    notes: tuple[str, ...] = ()
    planes: Planes | None = None
    axis: Axis | None = None
    uncertainty: SkyImage | None = None
    mask: SkyImage | None = None
    _per_thread: threading.local = field(default_factory=threading.local, init=False, repr=False)

    @classmethod
    def from_array(
        cls, values: ArrayLike, wcs: WCS | None = None, unit: str = "", name: str = "image"
    ) -> SkyImage:
        """An image of an array (H, W) that is already in memory."""
        array = np.asarray(values)
        if array.ndim != 2:
            raise ImageError(f"an image has two axes, not {array.ndim}; pass one plane of it")
        if array.dtype.kind not in "fiub":
            raise ImageError(f"an image holds real numbers, not {array.dtype}; convert them first")
        stored = array.dtype
        array = array.astype(value_dtype(stored), copy=False)
        header = wcs.to_header(relax=True) if wcs is not None else fits.Header()
        if wcs is not None and wcs.naxis == 2:
            wcs = wcs.deepcopy()  # how large the image is tells where a cylinder comes round again
            wcs.pixel_shape = array.shape[::-1]
        return cls(ArrayPixels(array, stored), wcs, header, unit, name)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64, native byte order."""
        return self.pixels.dtype

    @property
    def count(self) -> int:
        """Number of planes; 1 for what is no stack."""
        return 1 if self.planes is None else len(self.planes)

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands; ("",) for an image of one band, or of an unnamed one."""
        banded = self.axis is not None and self.axis.kind == "band"
        return tuple(self.axis.labels) if self.axis is not None and banded else ("",)

    @cached_property
    def data(self) -> da.Array:
        """The values as a dask array in square chunks; nothing is read until it is computed.

        (H, W), or (planes, H, W) for a stack.
        """
        import dask.array as da

        if self.planes is None:
            return da.from_array(self.pixels, chunks=CHUNK, asarray=False, name=False)
        return da.stack([self.plane(index).data for index in range(self.count)])

    def plane(self, index: int) -> SkyImage:
        """One plane of a stack as an image by itself; of a single image, itself.

        Raises
        ------
        ImageError
            When there is no such plane.
        """
        if not 0 <= index < self.count:
            raise ImageError(
                f"{self.name} has no plane {index}; give one from 0 to {self.count - 1}"
            )
        if self.planes is None:
            return self
        label = "" if self.axis is None else self.axis.labels[index]
        name = f"{self.name} [{label or index}]"
        own = getattr(self.planes, "references", None)  # planes in files of their own have some
        reference = own[index] if own else self.reference and replace(self.reference, plane=index)
        return replace(
            self,
            pixels=self.planes[index],
            name=name,
            reference=reference,
            planes=None,
            axis=None if self.axis is None else replace(self.axis, labels=(label,)),
            uncertainty=self.uncertainty and self.uncertainty.plane(index),
            mask=self.mask and self.mask.plane(index),
        )

    @cached_property
    def physical_unit(self) -> u.UnitBase | None:
        """`unit` as astropy understands it, or None."""
        return parsed_unit(self.unit)

    @cached_property
    def pixel_scale_arcsec(self) -> float | None:
        """Geometric mean of the two pixel sides, arcsec; None without sky coordinates."""
        sides = self.pixel_sides_arcsec
        return None if sides is None else float(np.sqrt(sides[0] * sides[1]))

    @cached_property
    def pixel_sides_arcsec(self) -> tuple[float, float] | None:
        """Width and height of a pixel, arcsec; None without sky coordinates."""
        if self.wcs is None:
            return None
        width, height = proj_plane_pixel_scales(self.wcs) * 3600.0
        return float(width), float(height)

    @property
    def frame(self) -> str | None:
        """Name of the sky frame (`galactic`, `icrs`, `fk5` …); None without one."""
        if self.wcs is None:
            return None
        return str(self._own_sky()[1].name)

    def cutout(self, window: Window) -> NDArray[np.float32]:
        """The values in `window`, float32, NaN where it hangs over the edge; always a copy.

        (height, width), or (planes, height, width) for a stack.
        """
        if self.planes is not None:
            return np.stack([self.plane(i).cutout(window) for i in range(self.count)])
        inside = window.overlap(Window.whole(self.shape))
        if inside == window:
            return np.array(self.pixels[inside.slices], np.float32, order="C")
        values = np.full(window.shape, np.nan, np.float32)
        if inside is not None:
            values[inside.moved(-window.x, -window.y).slices] = self.pixels[inside.slices]
        return values

    def value(self, x: float, y: float) -> float:
        """The raw value of the pixel under (x, y); NaN outside."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return float("nan")
        column, row = round(x), round(y)
        if not (0 <= column < self.shape[1] and 0 <= row < self.shape[0]):
            return float("nan")
        return float(self.pixels[row : row + 1, column : column + 1][0, 0])

    def sky(self, x: ArrayLike, y: ArrayLike) -> SkyCoord:
        """Sky position of 0-based pixel positions, in the image's own frame.

        Raises
        ------
        ImageError
            When the image has no sky coordinates.
        """
        wcs, frame = self._own_sky()
        lon, lat = world_of(wcs, np.asarray(x, float), np.asarray(y, float))
        return SkyCoord(lon, lat, unit="deg", frame=frame)

    def pixel(self, position: SkyCoord) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """0-based pixel (x, y) of sky positions; NaN where the projection has no answer."""
        wcs, frame = self._own_sky()
        there = position.transform_to(frame).spherical
        world = np.empty((there.lon.size, 2))
        world[:, wcs.wcs.lng], world[:, wcs.wcs.lat] = there.lon.deg.flat, there.lat.deg.flat
        xy = pixels_of(wcs, world)
        return xy[:, 0].reshape(there.lon.shape), xy[:, 1].reshape(there.lon.shape)

    def window_on_sky(self, lon_deg: float, lat_deg: float, size_deg: float) -> Window:
        """A square window of `size_deg` around a position in the image's own frame.

        Raises
        ------
        ImageError
            When the numbers name no square of sky, or one that the image cannot reach.
        """
        if not (size_deg > 0 and abs(lat_deg) <= 90):
            raise ImageError(
                f"{lon_deg:g}, {lat_deg:g} deg with a side of {size_deg:g} deg is no square of "
                "sky; give a latitude between -90 and 90 and a side above 0"
            )
        position = SkyCoord(lon_deg, lat_deg, unit="deg", frame=self._own_sky()[1])
        x, y = self.pixel(position)
        scale = self.pixel_scale_arcsec
        if not (np.isfinite(x) and np.isfinite(y)) or scale is None:
            raise ImageError(
                f"{self.name} does not reach {lon_deg:g}, {lat_deg:g} deg ({self.frame}); "
                "give a position inside it (`astroseg info` prints its centre)"
            )
        window = Window.around(float(x), float(y), max(1, round(size_deg * 3600.0 / scale)))
        if window.overlap(Window.whole(self.shape)) is None:
            middle = self.sky((self.shape[1] - 1) / 2, (self.shape[0] - 1) / 2).spherical
            raise ImageError(
                f"{lon_deg:g}, {lat_deg:g} deg ({self.frame}) is outside {self.name}, which is "
                f"centred at {middle.lon.deg:.4f}, {middle.lat.deg:.4f}; give a position inside it"
            )
        return window

    def aligned_to(
        self, other: SkyImage, *, sampling: Literal["bilinear", "nearest"] | None = None
    ) -> SkyImage:
        """The image on the pixels of another, lazily; NaN where it does not reach.

        Positions are within a quarter of a pixel of exact, most often far nearer; how near, and
        further choices, tells `napari_astroseg.sky.grids.align.align`.

        Parameters
        ----------
        sampling
            `nearest` for labels and flags, which must not be averaged; None for what
            `sky.grids.labelled.holds_labels` finds right.

        Raises
        ------
        ImageError
            When one of them has no sky coordinates, or they lie apart.
        """
        from napari_astroseg.sky.grids.align import align  # it imports this module

        return align(self, other, sampling=sampling).image

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel light: an image in a file is opened again on the other side, by name."""
        if self.reference is not None:
            return _reopened, (self.reference, self.name, self.axis if self.count == 1 else None)
        parts = (self.pixels, self.wcs, self.header, self.unit, self.name, None, self.notes)
        return SkyImage, (*parts, self.planes, self.axis, self.uncertainty, self.mask)

    def _own_sky(self) -> tuple[WCS, BaseCoordinateFrame]:
        """Each thread's own WCS, as WCSLIB errs when threads share one, and its frame."""
        if self.wcs is None:
            raise ImageError(
                f"{self.name} has no sky coordinates; give pixels instead, or add a WCS to its file"
            )
        own: tuple[WCS, BaseCoordinateFrame] | None = getattr(self._per_thread, "sky", None)
        if own is None:
            wcs = unrolled(self.wcs)
            own = self._per_thread.sky = wcs, wcs_to_celestial_frame(wcs)
        return own


def _reopened(reference: ImageRef, name: str, axis: Axis | None) -> SkyImage:
    from napari_astroseg.sky.opening import open_image  # it imports this module

    image = open_image(Address(reference.place, reference.hdu))
    if reference.plane is not None:
        image = image.plane(reference.plane)
    return replace(image, name=name, axis=axis or image.axis)


def parsed_unit(text: str) -> u.UnitBase | None:
    """Astropy's reading of a BUNIT, forgiving the common spellings; None if it has none."""
    tidy = text.strip().replace("^(-2)", "-2").replace("^-2", "-2").replace("**", "")
    if not tidy:
        return None
    for spelling in (text.strip(), tidy):
        unit = u.Unit(spelling, parse_strict="silent")
        if not isinstance(unit, u.UnrecognizedUnit):
            return unit
    return None
