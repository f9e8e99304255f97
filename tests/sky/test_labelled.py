"""Labels are told from pictures that are kept as integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from scipy import ndimage

from napari_astroseg.sky.grids.align import align
from napari_astroseg.sky.grids.labelled import holds_labels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image

RNG = np.random.default_rng(5)
SHAPE = (300, 400)
SMOOTH = ndimage.gaussian_filter(RNG.standard_normal(SHAPE), 6)
PATCHES = ndimage.label(SMOOTH > 0.05)[0].astype(np.int16)
SPINES = np.zeros(SHAPE, np.uint8)
SPINES[np.arange(300), np.arange(300)] = 1

KINDS = {
    "labels": (PATCHES, True),
    "mask": ((PATCHES > 0).astype(np.uint8), True),
    "spines": (SPINES, True),
    "empty": (np.zeros(SHAPE, np.int16), True),
    "labels as floats": (PATCHES.astype(np.float32), False),
    "plate": (np.rint(9000 + 2000 * SMOOTH + 60 * RNG.standard_normal(SHAPE)).astype(np.int16),
              False),
    "smooth picture of 8 bits": (np.clip(np.rint(120 + 200 * SMOOTH), 0, 255).astype(np.uint8),
                                 False),
    "many photons": (RNG.poisson(2.0, SHAPE).astype(np.int32), False),
    "few photons": (RNG.poisson(0.05, SHAPE).astype(np.int16), False),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True])
def test_labels_are_told_by_their_values(kind: str, packed: bool, tmp_path: Path) -> None:
    values, expected = KINDS[kind]
    hdu = fits.CompImageHDU(values, compression_type="GZIP_1") if packed else None
    (hdu or fits.PrimaryHDU(values)).writeto(tmp_path / "k.fits")
    assert holds_labels(open_image(tmp_path / "k.fits")) is expected
    assert holds_labels(SkyImage.from_array(values)) is expected


def test_labels_of_half_a_unit_are_none(tmp_path: Path) -> None:
    hdu = fits.PrimaryHDU(PATCHES)
    hdu.header["BSCALE"] = 0.25
    hdu.writeto(tmp_path / "k.fits")
    assert not holds_labels(open_image(tmp_path / "k.fits"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("filaments/higal_sample_target.fits", True), ("filaments/mask_PerB5.fits", True),
     ("odd/astropy-data__HorseHead.fits", False),
     ("odd/nomtam__m13.fits", False), ("odd/nomtam__m13_rice.fits", False),
     ("twomass/gc_2mass_k.fits", False)],
)  # fmt: skip
def test_real_files(name: str, expected: bool, shared_data: Path) -> None:
    assert holds_labels(open_image(shared_data / name)) is expected


def test_flux_is_never_that_of_labels() -> None:
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt, wcs.wcs.crpix = ["GLON-TAN", "GLAT-TAN"], [-0.01, 0.01], [50, 50]
    onto = wcs.deepcopy()
    onto.wcs.crpix = [50.4, 50.3]
    target = SkyImage.from_array(np.zeros(SHAPE, np.float32), onto)
    image = SkyImage.from_array(PATCHES, wcs)
    assert align(image, target).how.labels
    assert "nearest values, for these are labels" in align(image, target).how.sentence
    assert align(image, target, sampling="nearest").how.values == "nearest values"
    assert align(image, target, conserve_flux=True).how.sampling == "bilinear"
