"""Laid: the planes of one image on the pixels of another, put there when they are looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_astroseg.sky.grids.flux import FluxPixels
from napari_astroseg.sky.grids.pixelmap import Places
from napari_astroseg.sky.grids.warp import Sampling, WarpedPixels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.mosaictile import Tile
from napari_astroseg.sky.mosaics.tiling import TiledPixels
from napari_astroseg.sky.pixels import PixelSource, Planes
from napari_astroseg.sky.window import Window


@dataclass(frozen=True)
class Laid:
    """Where pixels go.

    Parameters
    ----------
    name
        Of the image, for sentences.
    place
        The file it is in; "" for none.
    shape
        (H, W) that they are put on.
    window
        The part of it that they may reach.
    places
        Where on the image the pixels of that part lie; None where they are its own.
    sampling, flux
        How values are taken there.
    """

    name: str
    place: str
    shape: tuple[int, int]
    window: Window
    places: Places | None = None
    sampling: Sampling = "bilinear"
    flux: bool = False

    @classmethod
    def of(
        cls,
        image: SkyImage,
        shape: tuple[int, int],
        window: Window,
        places: Places | None = None,
        sampling: Sampling = "bilinear",
        flux: bool = False,
    ) -> Laid:
        """For the pixels of `image`."""
        place = image.reference.place if image.reference is not None else ""
        return cls(image.name, place, shape, window, places, sampling, flux)

    def __call__(self, pixels: PixelSource) -> TiledPixels:
        """The pixels in their place."""
        seen = pixels
        if self.places is not None:
            warped = FluxPixels if self.flux else WarpedPixels
            seen = warped(pixels, self.places, self.sampling)
        return TiledPixels((Tile(self.name, seen, self.window, place=self.place),), self.shape)

    def image(self, image: SkyImage, onto: SkyImage, how: str) -> SkyImage:
        """All planes of an image in their place, and its flags, with the sky of `onto`."""
        planes = image.planes and LaidPlanes(image.planes, self)
        flags = replace(self, sampling="nearest", flux=False)
        errors = image.uncertainty if self.places is None else None
        return replace(
            image,
            pixels=self(image.pixels) if planes is None else planes[0],
            wcs=onto.wcs,
            header=onto.header,
            reference=None,
            notes=(*image.notes, f"aligned with {onto.name}: {how}"),
            planes=planes,
            uncertainty=errors and self.image(errors, onto, how),
            mask=image.mask and flags.image(image.mask, onto, how),
        )


@dataclass(frozen=True)
class LaidPlanes:
    """The planes of a stack, each in its place."""

    planes: Planes
    laid: Laid

    def __len__(self) -> int:
        return len(self.planes)

    def __getitem__(self, index: int) -> PixelSource:
        return self.laid(self.planes[index])
