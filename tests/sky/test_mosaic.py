"""Mosaics: tiles keep their values, seams vanish, nothing is left out in silence."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray
from tiles import CORNERS, cut, sky, sky_header

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.grids.warp import WarpedPixels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.mosaic import footprint, open_mosaic, tiled
from napari_astroseg.sky.mosaics.tilelist import tile_places
from napari_astroseg.sky.mosaics.tiling import TiledPixels
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.pyramids.pyramid import levels as pyramid_levels
from napari_astroseg.sky.window import Window

SHAPE = (300, 400)


def whole(image: SkyImage) -> NDArray[Any]:
    return image.pixels[:, :]


def covered(corners: list[tuple[int, int]], size: tuple[int, int] = (120, 160)) -> NDArray[Any]:
    counts = np.zeros(SHAPE, int)
    for x, y in corners:
        counts[y : y + size[0], x : x + size[1]] += 1
    return counts


# --- one grid -----------------------------------------------------------------------------


def test_tiles_on_one_grid_keep_their_values_bit_for_bit(tmp_path: Path) -> None:
    values = sky(SHAPE)
    files = cut(tmp_path, values, sky_header(SHAPE), CORNERS)
    mosaic = open_mosaic(files)
    assert mosaic.shape == SHAPE
    assert mosaic.unit == "MJy/sr"
    counts = covered(CORNERS)
    expected = np.where(counts > 0, values, np.nan).astype(np.float32)
    assert (counts == 0).any() and (counts > 1).any()
    np.testing.assert_array_equal(whole(mosaic), expected)
    np.testing.assert_array_equal(whole(footprint(mosaic)), counts)
    position = mosaic.sky(200.25, 130.5)
    x, y = open_image(files[4]).pixel(position)
    assert (float(x) + 140, float(y) + 100) == pytest.approx((200.25, 130.5), abs=1e-6)


def test_grids_are_one_whatever_their_reference(tmp_path: Path) -> None:
    """Plate carrée tiles of a plane survey have a CRVAL1 each, whole pixels apart."""
    values = sky((60, 200))
    for number, first in enumerate((0, 70, 140)):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
        wcs.wcs.cdelt = [-0.01, 0.01]
        wcs.wcs.crval = [(0.3 - 0.01 * first) % 360, 0.0]  # across l = 0
        wcs.wcs.crpix = [1.0, 30.0]
        name = tmp_path / f"plane{number}.fits"
        fits.PrimaryHDU(values[:, first : first + 60], wcs.to_header()).writeto(name)
    mosaic = open_mosaic(sorted(tmp_path.iterdir()))
    assert "placed as they are" in mosaic.notes[0]
    assert mosaic.shape == (60, 200)
    np.testing.assert_array_equal(whole(mosaic)[:, :60], values[:, :60])
    np.testing.assert_array_equal(whole(mosaic)[:, 140:], values[:, 140:])
    assert np.isnan(whole(mosaic)[:, 60:70]).all()


def test_chips_of_one_file(tmp_path: Path) -> None:
    values, header = sky(SHAPE), sky_header(SHAPE)
    hdus = [fits.PrimaryHDU()]
    for x in (0, 210):
        cards = header.copy()
        cards["CRPIX1"] -= x
        hdus.append(fits.ImageHDU(values[:, x : x + 190], cards))
    fits.HDUList(hdus).writeto(tmp_path / "chips.fits")
    mosaic = open_mosaic([f"{tmp_path}/chips.fits[1]", f"{tmp_path}/chips.fits[2]"])
    assert mosaic.name == "chips mosaic"
    expected = values.copy()
    expected[:, 190:210] = np.nan
    np.testing.assert_array_equal(whole(mosaic), expected)


def test_a_fraction_of_a_pixel_apart_is_not_one_grid(tmp_path: Path) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), [(0, 0), (140, 0)])
    fits.setval(files[1], "CRPIX1", value=fits.getval(files[1], "CRPIX1") + 0.3)
    assert "resampled" in open_mosaic(files).notes[0]


def test_any_window_step_and_cut_gives_the_same_values(tmp_path: Path) -> None:
    levels = np.linspace(-3, 3, len(CORNERS))
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), CORNERS, levels=levels)
    for mosaic in (open_mosaic(files), open_mosaic(files, projection="TAN")):
        full = whole(mosaic)
        for key in [
            np.s_[3:9, 100:380],
            np.s_[::7, 5:390:3],
            np.s_[190:10:-4, ::-1],
            np.s_[7:7, :],
        ]:
            np.testing.assert_array_equal(mosaic.pixels[key], full[key])
        with_cuts = replace(mosaic).data.rechunk((64, 100)).compute()
        np.testing.assert_array_equal(with_cuts, full)


# --- different grids ----------------------------------------------------------------------


def test_mixed_frames_show_one_sky(tmp_path: Path) -> None:
    """The same smooth sky in ICRS-TAN and GLON-CAR tiles: the mosaic equals reproject's."""
    from reproject import reproject_interp

    car = sky_header(SHAPE, "CAR", lat=0.0)
    values = sky(SHAPE)
    truth = SkyImage.from_array(values, WCS(car))
    files = cut(tmp_path, values, car, [(0, 0), (0, 100), (0, 180)], size=(120, 220))
    middle = truth.sky(300, 150).icrs
    tan = sky_header((300, 260), "TAN", "icrs", middle.ra.deg, middle.dec.deg)
    seen, _ = reproject_interp((values.astype(float), truth.wcs), WCS(tan), shape_out=(300, 260))
    tan["BUNIT"] = "MJy/sr"
    fits.PrimaryHDU(seen.astype(np.float32), tan).writeto(tmp_path / "tan.fits")
    mosaic = open_mosaic([*files, tmp_path / "tan.fits"])
    assert mosaic.frame == "galactic" and mosaic.wcs is not None
    assert list(mosaic.wcs.wcs.ctype) == ["GLON-CAR", "GLAT-CAR"]
    back, _ = reproject_interp(
        (whole(mosaic).astype(float), mosaic.wcs), truth.wcs, shape_out=SHAPE
    )
    seen = np.isfinite(back)
    assert seen.mean() > 0.9
    # Interpolated up to three times: noise of 0.1 per pixel is smoothed, the sky stays.
    assert np.abs(back - values)[seen].std() < 0.12


@pytest.mark.parametrize("code", ["TAN", "CAR", "ZEA", "AIT"])
def test_a_projection_and_scale_can_be_asked_for(tmp_path: Path, code: str) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE, lat=10.0), CORNERS[:3])
    mosaic = open_mosaic(files, projection=code, scale=3.0)
    assert mosaic.wcs is not None and mosaic.wcs.wcs.ctype[0] == f"GLON-{code}"
    assert mosaic.pixel_scale_arcsec == pytest.approx(3.0)
    # every tile is there in all its pixels: its border falls inside
    for file in files:
        tile = open_image(file)
        height, width = tile.shape
        x, y = mosaic.pixel(tile.sky([0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1]))
        assert x.min() > -0.5 and x.max() < mosaic.shape[1] - 0.5
        assert y.min() > -0.5 and y.max() < mosaic.shape[0] - 0.5


def test_tiles_round_the_wrap_and_the_pole(tmp_path: Path) -> None:
    for number, lon in enumerate((359.98, 0.0, 0.02)):
        header = sky_header((100, 100), "SIN", "icrs", lon, 40.0)
        fits.PrimaryHDU(sky((100, 100), number), header).writeto(tmp_path / f"wrap{number}.fits")
    mosaic = open_mosaic(sorted(tmp_path.glob("wrap*")))
    assert max(mosaic.shape) < 320  # not once around the sky
    assert int(whole(footprint(mosaic)).max()) == 3
    for number, lon in enumerate((0.0, 120.0, 240.0)):
        header = sky_header((100, 100), "TAN", "icrs", lon, 89.96)
        fits.PrimaryHDU(sky((100, 100), number), header).writeto(tmp_path / f"pole{number}.fits")
    mosaic = open_mosaic(sorted(tmp_path.glob("pole*")))
    assert max(mosaic.shape) < 320
    assert np.isfinite(mosaic.value(*map(float, mosaic.pixel(open_image(
        tmp_path / "pole0.fits").sky(50, 50)))))  # fmt: skip


def test_overviews_lie_where_the_pixels_do(tmp_path: Path) -> None:
    shape = (2400, 3000)
    y, x = np.indices(shape, dtype=np.float32)
    values = 100 + 40 * np.sin(x / 90) * np.cos(y / 70)
    header = sky_header(shape)
    files = cut(tmp_path, values.astype(np.float32), header, [(0, 0), (1500, 700)], (1500, 1400))
    for mosaic in (open_mosaic(files), open_mosaic(files, projection="TAN")):
        full = whole(mosaic)
        assert len(pyramid_levels(mosaic)) > 1
        for factor in (2, 4, 8):
            coarse = mosaic.pixels.reduced(factor)[:, :]
            height, width = (n // factor for n in mosaic.shape)
            blocks = full[: height * factor, : width * factor]
            means = blocks.reshape(height, factor, width, factor).mean(axis=(1, 3))
            inside = np.isfinite(means)
            assert inside.sum() > 1000
            off = np.abs(coarse[:height, :width] - means)[inside]
            assert off.max() < 0.5  # half a block away the picture differs by up to 2.5
            counts = footprint(mosaic).pixels.reduced(factor)[:, :]
            assert set(np.unique(counts)) <= {0.0, 1.0, 2.0}


# --- seams --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def m17(shared_data: Path) -> list[str]:
    files = tile_places([shared_data / "twomass" / "m17"])
    assert len(files) == 4
    return files


def seams(mosaic: SkyImage) -> list[tuple[float, float]]:
    """Median step across every tile border inside, in σ of a pixel: blended, and laid on top.

    The step from one pixel to the next that the tiles beneath show there too is subtracted:
    what is left is the seam.
    """
    values, pixels = whole(mosaic), tiled(mosaic)
    steps = np.diff(values, axis=1)
    noise = 1.4826 * np.nanmedian(np.abs(steps - np.nanmedian(steps))) / np.sqrt(2)
    found = []
    for number, tile in enumerate(pixels.tiles):
        others = pixels.tiles[:number] + pixels.tiles[number + 1 :]
        beneath = TiledPixels(others, pixels.shape)[:, :]
        alone = TiledPixels((tile,), pixels.shape)[:, :]
        on_top = np.where(np.isfinite(alone), alone, beneath)
        for axis in (0, 1):
            for side in (1, -1):
                border = np.isfinite(alone) & np.isnan(np.roll(alone, side, axis))
                border &= np.isfinite(beneath) & np.isfinite(np.roll(beneath, side, axis))
                if np.count_nonzero(border) < 50:
                    continue
                natural = beneath - np.roll(beneath, side, axis)
                medians = [
                    abs(float(np.median((each - np.roll(each, side, axis) - natural)[border])))
                    for each in (values, on_top)
                ]
                found.append((medians[0] / noise, medians[1] / noise))
    return found


@pytest.mark.parametrize("match", [False, True, "plane"])
def test_m17_has_seams_far_below_the_noise(m17: list[str], match: Any) -> None:
    mosaic = open_mosaic(m17, match_background=match)
    found = seams(mosaic)
    assert len(found) >= 8  # four tiles, each with neighbours above or below and beside
    assert max(blended for blended, _ in found) < 0.02
    if match is False:  # the measure sees a seam where there is one
        assert max(on_top for _, on_top in found) > 0.5


def test_m17_is_one_picture_of_stars_in_their_places(m17: list[str]) -> None:
    mosaic = open_mosaic(m17, match_background=True)
    assert mosaic.name == "aK_asky_990502s1 mosaic"
    assert mosaic.pixel_scale_arcsec == pytest.approx(1.0, rel=1e-4)
    counts = whole(footprint(mosaic))
    assert {0.0, 1.0, 2.0, 3.0} == set(np.unique(counts))
    assert np.array_equal(counts > 0, np.isfinite(whole(mosaic)))
    for file in m17:  # the brightest pixel of a tile's middle is as bright at its place
        tile = open_image(file)
        middle = tile.cutout(Window(150, 400, 200, 200))
        row, column = np.unravel_index(np.argmax(middle), middle.shape)
        x, y = mosaic.pixel(tile.sky(150 + column, 400 + row))
        seen = mosaic.cutout(Window.around(float(x), float(y), 3))
        assert seen.max() > 0.6 * middle.max()


def test_overlaps_fade_from_tile_to_tile(tmp_path: Path) -> None:
    flat = np.full(SHAPE, 100, np.float32)
    corners = [(0, 0), (100, 0)]
    files = cut(tmp_path, flat, sky_header(SHAPE), corners, (120, 160), levels=[0.0, 10.0])
    row = whole(open_mosaic(files))[60]
    assert row[99] == 100.0 and row[161] == 110.0
    assert np.all(np.diff(row[99:161]) >= -1e-3)
    assert np.abs(np.diff(row)).max() < 0.6


# --- units, notes, refusals ---------------------------------------------------------------


def test_units_are_converted_with_a_note(tmp_path: Path) -> None:
    values = sky(SHAPE)
    files = cut(tmp_path, values, sky_header(SHAPE), [(0, 0), (140, 100)])
    fits.setval(files[1], "BUNIT", value="kJy/sr")
    with fits.open(files[1], mode="update") as hdus:
        hdus[0].data *= 1000.0
    mosaic = open_mosaic(files)
    assert mosaic.unit == "MJy/sr"
    assert any("kJy/sr are multiplied by 0.001" in note for note in mosaic.notes)
    seen = whole(mosaic)
    np.testing.assert_allclose(seen[150:220, 200:300], values[150:220, 200:300], rtol=1e-6)


@pytest.mark.parametrize("unit", ["Jy", "", "furlong"])
def test_units_that_differ_are_refused_by_name(tmp_path: Path, unit: str) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), [(0, 0), (140, 100)])
    fits.setval(files[1], "BUNIT", value=unit)
    with pytest.raises(ImageError, match=r"field_01 \(.*\) and field_00 \(MJy/sr\)"):
        open_mosaic(files)


def test_unequal_resolutions_are_told(tmp_path: Path) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), [(0, 0)])
    coarse = sky_header((100, 100), arcsec=6.0)
    coarse["BUNIT"] = "MJy/sr"
    fits.PrimaryHDU(sky((100, 100)), coarse).writeto(tmp_path / "coarse.fits")
    mosaic = open_mosaic([*files, tmp_path / "coarse.fits"])
    assert mosaic.pixel_scale_arcsec == pytest.approx(2.0)  # the finest
    assert any("measure 2 to 6 arcsec" in note for note in mosaic.notes)


def test_a_tile_without_sky_or_that_is_broken_is_named(tmp_path: Path) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), [(0, 0)])
    fits.PrimaryHDU(sky((20, 20))).writeto(tmp_path / "bare.fits")
    with pytest.raises(ImageError, match=r"^bare cannot be placed on the sky"):
        open_mosaic([*files, tmp_path / "bare.fits"])
    (tmp_path / "cut.fits").write_bytes(files[0].read_bytes()[:6000])
    with pytest.raises(ImageError, match=r"cut\.fits"):
        open_mosaic([*files, tmp_path / "cut.fits"])
    with pytest.raises(ImageError, match="needs tiles"):
        open_mosaic([])
    fits.PrimaryHDU(np.zeros((3, 20, 20), np.float32), sky_header((20, 20))).writeto(
        tmp_path / "cube.fits"
    )
    with pytest.raises(ImageError, match="cube is a stack of 3 planes"):
        open_mosaic([tmp_path / "cube.fits"])
    with pytest.raises(ImageError, match="TPV is no projection for a mosaic"):
        open_mosaic(files, projection="TPV")
    with pytest.raises(ImageError, match="give a coarser scale"):
        open_mosaic(files, scale=1e-6)
    with pytest.raises(ImageError, match="is no mosaic"):
        footprint(open_image(files[0]))


def test_progress_hears_of_tiles_and_can_stop(tmp_path: Path) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), CORNERS)
    heard: list[str] = []

    def listen(what: str, done: int, total: int | None) -> None:
        heard.append(what)
        if len(heard) > len(files) + 2:
            raise Stopped

    with pytest.raises(Stopped):
        open_mosaic(files, match_background=True, progress=listen)
    assert heard[0] == "opening tiles" and heard[-1] == "comparing tiles"


# --- many, far, elsewhere -----------------------------------------------------------------


def test_only_tiles_under_the_window_are_read(tmp_path: Path) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), CORNERS)
    mosaics = open_mosaic(files), open_mosaic(files, projection="CAR")
    for file in files[1:]:
        file.write_bytes(b"")  # gone, but for files that are held open
    for mosaic in mosaics:
        assert np.isfinite(mosaic.pixels[20:60, 20:60]).all()
        with pytest.raises(ImageError, match="field_02"):
            mosaic.pixels[20:60, 350:360]


def test_a_mosaic_travels_light_and_keeps_its_identity(tmp_path: Path) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), CORNERS)
    plain = open_mosaic(files)
    for mosaic in (plain, open_mosaic(files, projection="CAR", match_background=True)):
        packed = pickle.dumps(mosaic)
        assert len(packed) < 40_000
        there = pickle.loads(packed)
        assert there.pixels.identity == mosaic.pixels.identity is not None
        assert there.shape == mosaic.shape and there.unit == mosaic.unit
        np.testing.assert_allclose(whole(there), whole(mosaic), atol=1e-4)
    assert open_mosaic(files).pixels.identity == plain.pixels.identity
    assert open_mosaic(files[:-1]).pixels.identity != plain.pixels.identity
    os.utime(files[0], ns=(1, 1))
    assert open_mosaic(files).pixels.identity != plain.pixels.identity


def test_hundreds_of_tiles_share_few_open_files(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
    values = sky((40, 2400))
    corners = [(x, 0) for x in range(0, 2400, 8)]
    files = cut(tmp_path, values, sky_header(values.shape), corners, (40, 8))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = Path("/proc/self/fd")
    used = len(list(held.iterdir())) if held.is_dir() else 60
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, used + 200), hard))
    try:
        mosaic = open_mosaic(files)
        np.testing.assert_array_equal(whole(mosaic), values)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_tiles_already_open_may_be_given(tmp_path: Path) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), [(0, 0), (140, 100)])
    images = [open_image(file) for file in files]
    np.testing.assert_array_equal(whole(open_mosaic(images)), whole(open_mosaic(files)))
    assert isinstance(open_mosaic(images, scale=3).pixels.tiles[0].pixels, WarpedPixels)


def test_tile_places(tmp_path: Path) -> None:
    files = [str(file) for file in cut(tmp_path, sky(SHAPE), sky_header(SHAPE), CORNERS[:2])]
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    (tmp_path / ".hidden.fits").write_bytes(b"")
    assert tile_places([tmp_path]) == files
    assert tile_places([f"{tmp_path}/field_*.fits", files[0]]) == files
    assert tile_places([f"{files[0]}[0]", "http://a/b?c=d"]) == [f"{files[0]}[0]", "http://a/b?c=d"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="has no FITS files in it"):
        tile_places([tmp_path / "empty"])
    with pytest.raises(ImageError, match="no file is called"):
        tile_places([f"{tmp_path}/nothing*.fits"])


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 32, 64])
def test_a_ramp_stays_a_ramp_at_every_level(factor: int) -> None:
    shape = (256, 512)
    for ramp in np.mgrid[:256, :512].astype(np.float32):
        image = SkyImage.from_array(ramp, WCS(sky_header(shape)), name="ramp")
        mosaic = open_mosaic([image])
        expected = ramp.reshape(256 // factor, factor, 512 // factor, factor).mean((1, 3))
        seen = mosaic.pixels.reduced(factor)[:, :]  # type: ignore[attr-defined]
        np.testing.assert_allclose(seen, expected, atol=1e-3)
        for level in pyramid_levels(mosaic):
            if getattr(level, "factor", 0) == factor:
                drawn = np.asarray(level[: expected.shape[0], : expected.shape[1]])
                np.testing.assert_allclose(drawn, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("unit", "scaled"),
    [("Jy/pix", True), ("Jy/pixel", True), ("count", True), ("ct/s", True), ("electron", True),
     ("DN", True), ("adu", True), ("photon/s", True), ("electron/s", True),
     ("MJy/sr", False), ("Jy/beam", False), ("ct/arcsec2", False), ("", False)],
)  # fmt: skip
def test_what_is_per_pixel_keeps_its_sum(unit: str, scaled: bool) -> None:
    values = np.zeros((120, 120), np.float32)
    values[40:80, 40:80] = 1.0
    headers = [sky_header(values.shape, arcsec=1.0, lon=lon) for lon in (30.0, 30.05)]
    tiles = [
        SkyImage.from_array(values, WCS(header), unit, f"t{n}") for n, header in enumerate(headers)
    ]
    mosaic = open_mosaic(tiles, scale=4.0)
    total = np.nansum(whole(mosaic)) * (1 if scaled else 16)
    assert total == pytest.approx(2 * values.sum(), rel=0.01)
    assert any("per pixel" in note for note in mosaic.notes) == scaled


@pytest.mark.parametrize("unit", ["mag(Jy)", "Jy"])
def test_magnitudes_are_no_multiples_of_one_another(unit: str) -> None:
    assert np.isfinite(u.Unit("mag(AB)").to(u.Unit(unit)))  # astropy would
    wcs = WCS(sky_header((30, 40)))
    tiles = [SkyImage.from_array(sky((30, 40)), wcs, each, each) for each in (unit, "mag(AB)")]
    for order in (tiles, tiles[::-1]):
        with pytest.raises(ImageError, match="cannot be converted"):
            open_mosaic(order)


def test_masks_that_are_not_applied_are_told() -> None:
    image = SkyImage.from_array(sky((30, 40)), WCS(sky_header((30, 40))))
    flagged = replace(image, mask=SkyImage.from_array(np.zeros((30, 40), np.uint8)))
    assert not any("mask" in note for note in open_mosaic([image, image]).notes)
    assert any(
        "masks of the tiles are not applied" in n for n in open_mosaic([image, flagged]).notes
    )


def test_infinities_stay_what_they_are() -> None:
    values = sky((30, 40))
    values[5, 5], values[6, 6] = np.inf, -np.inf
    plain = sky((30, 40))
    wcs = WCS(sky_header((30, 40)))
    one, other = (SkyImage.from_array(each, wcs) for each in (values, plain))
    for tiles in ([one, one], [one, other], [other, one], [other, one, other, one]):
        seen = whole(open_mosaic(tiles))
        assert seen[5, 5] == np.inf and seen[6, 6] == -np.inf
        assert np.isfinite(seen).sum() == seen.size - 2
    opposite = whole(open_mosaic([one, SkyImage.from_array(-values, wcs)]))
    assert np.isnan(opposite[5, 5])
