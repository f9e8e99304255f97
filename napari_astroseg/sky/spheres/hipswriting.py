"""Hips writing: an image as a HiPS, the folder of HEALPix tiles that Aladin zooms into."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from napari_astroseg.errors import ImageError, OutputError
from napari_astroseg.sky.grids.labelled import holds_labels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

Frame = Literal["galactic", "equatorial"]


def write_hips(image: SkyImage, out: Path, frame: Frame | None = None) -> Path:
    """Write an image as a HiPS with FITS tiles, by `reproject.hips`; whole or not at all.

    The deepest order's pixels are at most as wide as the image's. Values are interpolated, those of
    labels are taken from the nearest pixel. All of the image is in memory meanwhile.

    Parameters
    ----------
    frame
        Of its HEALPix grid; that of the image by default, where it has one of the two.

    Raises
    ------
    ImageError
        When the image has no sky coordinates, or is a stack.
    OutputError
        When `out` is there already, or cannot be written.
    """
    from reproject import reproject_interp
    from reproject.hips import reproject_to_hips

    if image.wcs is None:
        raise ImageError(
            f"{image.name} has no sky coordinates, and a HiPS needs them: give it a WCS"
        )
    if image.count > 1:
        raise ImageError(
            f"{image.name} holds {image.count} planes and a HiPS one; choose it with --plane"
        )
    if out.exists():
        raise OutputError(f"{out} is there already; remove it or give another name")
    own: Frame = "galactic" if image.frame == "galactic" else "equatorial"
    order = "nearest-neighbor" if holds_labels(image) else "bilinear"
    values = image.cutout(Window.whole(image.shape))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
            making = Path(scratch) / "hips"
            reproject_to_hips(
                (values, image.wcs.celestial),
                coord_system_out=frame or own,
                reproject_function=reproject_interp,
                output_directory=str(making),
                properties={"obs_title": image.name},
                order=order,
            )
            making.rename(out)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written ({(error.strerror or str(error)).lower()}); free some space "
            "or choose another folder"
        ) from error
    return out
