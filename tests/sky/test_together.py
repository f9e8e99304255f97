"""Together: headers tell bands, tiles and strangers apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.together import ways
from napari_astroseg.sky.opening import open_bands, open_image


def tile(
    x: int = 0,
    y: int = 0,
    shape: tuple[int, int] = (50, 60),
    scale: float = 1.0,
    unit: str = "K",
    lon: float = 30.0,
) -> SkyImage:
    """A tile whose corner lies at pixel (x, y) of one large grid."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.crpix, wcs.wcs.crval = [1 - x, 1 - y], [lon, 0.0]
    wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
    return SkyImage.from_array(np.zeros(shape), wcs, unit, f"tile {x} {y}")


def test_one_grid_is_bands() -> None:
    assert ways([tile(), tile(), tile(unit="Jy")]) == ("bands", "separate")


def test_neighbours_are_a_mosaic() -> None:
    four = [tile(x, y) for x in (0, 55) for y in (0, 45)]
    assert ways(four) == ("mosaic", "separate")


def test_tiles_that_touch_only_through_others_are_one_mosaic() -> None:
    assert ways([tile(x) for x in (0, 60, 120, 180)])[0] == "mosaic"


def test_tiles_across_the_wrap_of_longitude_are_neighbours() -> None:
    assert ways([tile(lon=0.0), tile(x=58, lon=0.0)])[0] == "mosaic"


@pytest.mark.parametrize(
    "other",
    [tile(3000), tile(5, 5), tile(10, 10, (20, 20))],
    ids=["far away", "nearly the same place", "inside"],
)
def test_elsewhere_or_on_top_is_separate_at_first(other: SkyImage) -> None:
    assert ways([tile(), other]) == ("separate", "mosaic")


@pytest.mark.parametrize(
    "other",
    [tile(55, scale=2.0), tile(55, unit="Jy"), SkyImage.from_array(np.zeros((9, 9)))],
    ids=["another scale", "another unit", "no sky"],
)
def test_what_cannot_be_one_picture_is_separate(other: SkyImage) -> None:
    assert ways([tile(), other]) == ("separate",)


def test_one_image_is_itself() -> None:
    assert ways([tile()]) == ("separate",)


def test_without_sky_equal_shapes_may_be_bands_if_somebody_says_so() -> None:
    plain = [SkyImage.from_array(np.zeros((9, 9))) for _ in range(2)]
    assert ways(plain) == ("separate", "bands")


def test_real_tiles_and_bands(shared_data: Path) -> None:
    tiles = [open_image(path) for path in sorted((shared_data / "twomass/m17").glob("*.gz"))]
    assert ways(tiles)[0] == "mosaic"
    bands = sorted((shared_data / "multiband").glob("img_*.fits"))
    assert ways([open_image(path) for path in bands])[0] == "bands"
    assert ways([open_bands(bands), open_image(bands[0])]) == ("separate",)
    surveys = [
        open_image(shared_data / "twomass" / name)
        for name in ("gc_2mass_k.fits", "gc_bolocam_gps.fits")
    ]
    assert ways(surveys) == ("separate",)
