"""Simulated bubbles: known by seed, in the authors' layout, with rims, cores and decoys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from scipy import ndimage

from napari_astroseg.errors import DataError, OutputError
from napari_astroseg.sky.datasets.bubblecatalogue import BOX, read_bubbles
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.simulate import bubbles
from napari_astroseg.sky.simulate.bubbles import (
    CATALOGUE,
    DECOY_TABLE,
    BubbleSky,
    finish,
    simulate_bubbles,
    tile_longitude,
    write,
)
from napari_astroseg.sky.simulate.bubblescene import (
    DECOYS,
    PIXEL_ARCSEC,
    BubbleSettings,
    Placed,
    scene,
)
from napari_astroseg.sky.simulate.midinfrared import stars, transmission

SIZE = 192


@pytest.fixture(scope="module")
def skies() -> list[BubbleSky]:
    """Four tiles crowded with bubbles and decoys."""
    crowded = BubbleSettings(
        bubbles=40.0, rings_without_core=8.0, arcs=8.0, bright_stars=8.0, diffuse_24um=8.0,
        median_arcmin=0.5, scatter=(0.5, 0.4),
    )  # fmt: skip
    return [simulate_bubbles(512, 3, number, crowded) for number in range(4)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five tiles with their catalogue."""
    out = tmp_path_factory.mktemp("bubbles")
    for number in range(5):
        write(out, number, SIZE, seed=7)
    finish(out, 5, SIZE, seed=7)
    return out


def test_one_seed_is_one_folder_in_whatever_order_it_is_written(folder: Path, tmp_path: Path):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda number: write(tmp_path, number, SIZE, 7), (4, 2, 0, 3, 1)))
    finish(tmp_path, 5, SIZE, 7)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(files) == 5 * 3 + 2
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert all((folder / f).read_bytes() == (tmp_path / f).read_bytes() for f in files)
    other = simulate_bubbles(SIZE, 8).bands["g"]
    assert not np.array_equal(simulate_bubbles(SIZE, 7).bands["g"], other, equal_nan=True)


def test_the_folder_opens_without_findings_and_boxes_lie_around_the_rims(folder: Path):
    data = open_dataset(folder)
    assert data.layout == "bubbles"
    assert data.findings == ()
    assert len(data.items) == 5
    named = {bubble.name: bubble for bubble in read_bubbles(folder / CATALOGUE, folder)[0]}
    seen = set()
    for item in data.items:
        number = fits.getheader(item.files[0])["SIMTILE"]
        drawn = simulate_bubbles(SIZE, 7, number).bubbles
        things = item.truth().objects
        assert len(things) == len(drawn) >= 1
        for thing, bubble in zip(things, drawn, strict=True):
            x_min, y_min, x_max, y_max = thing.box
            half = BOX * named[thing.name].major * 60 / PIXEL_ARCSEC
            assert named[thing.name].major == bubble.major
            assert (x_max - x_min, y_max - y_min) == pytest.approx((2 * half, 2 * half), rel=1e-4)
            centre = ((x_min + x_max) / 2, (y_min + y_max) / 2)
            assert centre == pytest.approx((bubble.x, bubble.y), abs=0.2)
            seen.add(thing.name)
    assert seen == set(named)


def test_a_tile_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written: list[Path] = []

    def full(path: Path, *args: object) -> Path:
        if written:
            raise OutputError("the disk is full; free some space")
        written.append(write_image(path, *args))  # type: ignore[arg-type]
        return path

    monkeypatch.setattr(bubbles, "write_image", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write(tmp_path, 0, 64, 1)
    assert written and list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    paths = write(tmp_path, 0, 64, 1)
    before = [path.read_bytes() for path in paths]
    (paths[0].parent / "mine.txt").write_text("untouched")
    paths[1].write_bytes(b"broken")
    assert write(tmp_path, 0, 64, 1) == paths
    assert [path.read_bytes() for path in paths] == before
    assert len(list(paths[0].parent.iterdir())) == 4
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be written .*choose another folder"):
        write(tmp_path / "file", 0, 64, 1)


def test_tiles_are_as_spitzer_s(folder: Path):
    assert (folder / "spitzer_00000+0000_rgb").is_dir()
    for place in folder.glob("spitzer_*_rgb"):
        for letter in "rgb":
            header = fits.getheader(place / f"{letter}.fits")
            assert header["BUNIT"] == "MJy/sr"
            wcs = WCS(header)
            assert list(wcs.wcs.ctype) == ["GLON-CAR", "GLAT-CAR"]
            assert wcs.wcs.cdelt * 3600 == pytest.approx([-1.2, 1.2])
            assert wcs.wcs.crval == pytest.approx([int(place.name[8:13]) / 100, 0.0])
            assert fits.getdata(place / f"{letter}.fits").dtype == np.dtype(">f4")


def test_longitudes_are_unique_wrap_and_leave_no_tile_within_reach_of_another():
    size = 256
    places: list[float] = []
    with pytest.raises(DataError, match="tiles of 256 pixels fit"):
        places.extend(tile_longitude(number, size) for number in range(36000))
    assert places[:2] == [0.0, pytest.approx(0.13)] and places[2] == pytest.approx(359.87)
    assert len(places) > 2500
    gaps = np.diff(np.sort([*places, min(places) + 360.0]))
    assert gaps.min() > 1.4 * size * PIXEL_ARCSEC / 3600
    with pytest.raises(DataError, match="too small for a bubble"):
        tile_longitude(0, 32)


def test_catalogue_rows_have_the_columns_of_the_real_one(folder: Path):
    lines = (folder / CATALOGUE).read_text().splitlines()
    bubbles, findings = read_bubbles(folder / CATALOGUE, folder)
    assert findings == [] and len(bubbles) == len(lines)
    assert any(each.lon > 359.9 for each in bubbles) and any(each.lon < 0.1 for each in bubbles)
    for line, each in zip(lines, bubbles, strict=True):
        assert len(line) == 150
        assert line[:5] == "SIM2G" and line[20] == "\t"
        assert float(line[5:12]) / 1e4 == pytest.approx(each.lon, abs=1.1e-4)
        assert float(line[12:20]) / 1e5 == pytest.approx(each.lat, abs=6e-5)
        assert each.radius == pytest.approx(np.sqrt(each.major * each.minor), abs=0.006)
        assert np.isnan(each.spread) and np.isnan(each.radius_error)
        assert float(line[77:82]) == pytest.approx(
            np.sqrt(1 - (each.minor / each.major) ** 2), abs=6e-4
        )
    drawn = [each for n in range(5) for each in simulate_bubbles(SIZE, 7, n).bubbles]
    assert [(b.major, b.minor, b.angle) for b in bubbles] == [
        (b.major, b.minor, b.angle) for b in drawn
    ]


def test_a_row_is_laid_out_as_in_the_real_catalogue(shared_data: Path, folder: Path):
    real = (shared_data / "catalogues" / "mwpdr2bubbles.dat").read_text().splitlines()[0]
    ours = (folder / CATALOGUE).read_text().splitlines()[0]
    tabs = [at for at, letter in enumerate(real[:82]) if letter == "\t"]
    assert [at for at, letter in enumerate(ours) if letter == "\t"] == tabs
    assert len(ours) == len(real)


def test_sizes_and_shapes_are_those_of_the_milky_way_project(shared_data: Path):
    path = shared_data / "catalogues" / "mwpdr2bubbles.dat"
    real = read_bubbles(path, path.parent)[0]
    placed = [
        each
        for seed in range(300)
        for each in scene(2048, np.random.default_rng(seed), BubbleSettings())
        if each.kind == "bubble"
    ]
    for quantile in (0.05, 0.16, 0.5, 0.84, 0.95):
        ours = np.quantile([b.major for b in placed], quantile)
        assert ours == pytest.approx(np.quantile([b.major for b in real], quantile), rel=0.2)
        ours = np.quantile([b.minor / b.major for b in placed], quantile)
        theirs = np.quantile([b.minor / b.major for b in real], quantile)
        assert ours == pytest.approx(theirs, abs=0.05)


def test_bubbles_have_a_rim_at_8_and_a_core_at_24_micron(skies: list[BubbleSky]):
    found = [(_rim(sky, each), _core(sky, each)) for sky in skies for each in sky.bubbles]
    whole = [rim and core for rim, core in found]
    assert len(whole) >= 12
    assert np.mean(whole) >= 0.85


def test_decoys_lack_one_or_the_other(skies: list[BubbleSky]):
    decoys = [(sky, each) for sky in skies for each in sky.decoys]
    assert {each.kind for _, each in decoys} == set(DECOYS)
    assert np.mean([_rim(*each) and _core(*each) for each in decoys]) <= 0.1
    of = {kind: [each for each in decoys if each[1].kind == kind] for kind in DECOYS}
    assert np.mean([_rim(*each) for each in of["ring_without_core"]]) >= 0.8
    assert np.mean([_core(*each) for each in of["diffuse_24um"]]) >= 0.8
    # A star's core is a point, with rings of diffraction, and often saturated.
    assert np.mean([_rim(*each) for each in of["bright_star"]]) <= 0.1


def test_decoys_are_told_in_a_table_beside(folder: Path):
    table = Table.read(folder / DECOY_TABLE)
    assert str(table["major"].unit) == "arcmin"
    drawn = [each for n in range(5) for each in simulate_bubbles(SIZE, 7, n).decoys]
    assert list(table["kind"]) == [each.kind for each in drawn]
    places = {n: simulate_bubbles(SIZE, 7, n).wcs for n in range(5)}
    for row, each in zip(table, drawn, strict=True):
        x, y = places[int(row["tile"])].wcs_world2pix(row["lon"], row["lat"], 0)
        assert y == pytest.approx(each.y, abs=0.01)
        assert np.isfinite(x)


def test_a_folder_without_decoys_has_an_empty_table(tmp_path: Path):
    seed = next(s for s in range(50) if not simulate_bubbles(64, s).decoys)
    finish(tmp_path, 1, 64, seed)
    assert len(Table.read(tmp_path / DECOY_TABLE)) == 0
    assert len(read_bubbles(tmp_path / CATALOGUE, tmp_path)[0]) == 1


def test_bubbles_reach_over_edges_and_count_all_the_same():
    cut = 0
    for seed in range(60):
        for each in scene(512, np.random.default_rng(seed), BubbleSettings()):
            half = BOX * each.major_px
            inside = [min(at + half, 511.5) - max(at - half, -0.5) for at in (each.x, each.y)]
            if each.kind == "bubble":
                assert inside[0] * inside[1] > 0.6 * (2 * half) ** 2
                cut += min(inside) < 2 * half - 1
    assert cut > 10


def test_small_bubbles_sit_on_the_rims_of_large_ones_and_else_all_keep_apart():
    paired = total = 0
    for seed in range(150):
        placed = scene(1024, np.random.default_rng(seed), BubbleSettings())
        total += sum(each.kind == "bubble" for each in placed)
        for n, each in enumerate(placed):
            for other in placed[:n]:
                apart = np.hypot(each.x - other.x, each.y - other.y)
                if apart > 1.2 * (each.major_px + other.major_px):
                    continue
                assert each.kind == other.kind == "bubble"
                assert other.major >= 2.5 * each.major
                x, y = each.x - other.x, each.y - other.y
                angle = np.deg2rad(other.angle)
                along = (y * np.cos(angle) - x * np.sin(angle)) / other.major_px
                across = (y * np.sin(angle) + x * np.cos(angle)) / other.major_px
                assert np.hypot(along, across * other.major / other.minor) == pytest.approx(1)
                paired += 1
    assert 0.06 < paired / total < 0.25
    alone = BubbleSettings(on_rims=0.0)
    for seed in range(20):
        placed = scene(1024, np.random.default_rng(seed), alone)
        for n, each in enumerate(placed):
            for other in placed[:n]:
                apart = np.hypot(each.x - other.x, each.y - other.y)
                assert apart > 1.2 * (each.major_px + other.major_px)


def test_a_tile_without_room_for_the_size_asked_for_has_one_that_fits():
    large = BubbleSettings(median_arcmin=50.0, scatter=(0.1, 0.1), least_arcmin=20.0)
    placed = scene(256, np.random.default_rng(1), large)
    assert max(each.major for each in placed) == pytest.approx(0.3 * 256 * 1.2 / 60, abs=0.01)


def test_levels_are_those_of_the_inner_galaxy_and_stars_fade_with_wavelength():
    plain = BubbleSettings(bubbles=0, rings_without_core=0, arcs=0, bright_stars=0, diffuse_24um=0)
    sky = simulate_bubbles(384, 1, 0, plain)
    assert 30 < np.nanmedian(sky.bands["g"]) < 130
    assert 20 < np.nanmedian(sky.bands["r"]) < 90
    assert 1 < np.nanmedian(sky.bands["b"]) < 15

    def peaks(letter: str) -> float:
        values = sky.bands[letter]
        return float(np.nanpercentile(values, 99.9) / np.nanmedian(values))

    assert peaks("b") > 5 * peaks("g")


def test_stars_are_as_many_and_as_bright_as_on_a_real_mosaic(shared_data: Path):
    """The real one is at 4.5 um, where a star of the same magnitude has 0.64 of the flux."""
    real = fits.getdata(shared_data / "spitzer" / "spitzer_example_image.fits")
    ours = simulate_bubbles(512, 5).bands["b"]
    for threshold in (30.0, 100.0, 300.0):
        theirs = _peaks(real, 0.64 * threshold)
        assert _peaks(ours, threshold) == pytest.approx(theirs, rel=0.35)


def test_dark_clouds_darken_few_pixels_and_never_wholly():
    passed = np.stack([transmission((384, 384), np.random.default_rng(s)) for s in range(6)])
    assert 0.3 <= passed.min() < 0.5 and passed.max() == pytest.approx(1.0)
    assert 0.002 < np.mean(passed < 0.7) < 0.1


def test_a_star_is_as_wide_as_the_telescope_makes_it_and_has_rings_at_24_micron():
    star = [Placed("bright_star", 48.0, 48.0, 0.4, 0.4, 0.0)]
    light = stars((97, 97), star, np.random.default_rng(0))
    profile = {letter: light[letter][48, 48:] / light[letter][48, 48] for letter in "rgb"}
    for letter, fwhm in (("r", 5.9), ("g", 2.0), ("b", 1.7)):
        half = np.interp(-0.5, -profile[letter][:6], np.arange(6.0))
        assert 2 * half * PIXEL_ARCSEC == pytest.approx(fwhm, rel=0.2)
    # The first dark ring at 1.22 wavelengths over diameter, 7 arcsec, then a bright one.
    dark = 4 + int(np.argmin(profile["r"][4:8]))
    assert dark * PIXEL_ARCSEC == pytest.approx(7.0, abs=1.2)
    assert profile["r"][dark : dark + 5].max() > 1.5 * profile["r"][dark]


def test_some_pixels_are_missing_where_dust_saturates_or_the_survey_ends():
    missing = [np.isnan(simulate_bubbles(128, s).bands["g"]).mean() for s in range(24)]
    assert 0 < np.count_nonzero(missing) < 12
    assert max(missing) < 0.1
    stars = BubbleSettings(bright_stars=200.0)
    skies = [simulate_bubbles(256, s, settings=stars) for s in range(3)]
    saturated = [np.isnan(sky.bands["r"]) & ~np.isnan(sky.bands["g"]) for sky in skies]
    assert any(each.any() for each in saturated)
    assert max(each.mean() for each in saturated) < 0.02


def _peaks(values: np.ndarray, threshold: float) -> float:
    """Peaks per pixel that rise so far above their surroundings."""
    values = np.nan_to_num(values.astype(float))
    rise = values - ndimage.uniform_filter(ndimage.minimum_filter(values, 9), 9)
    peak = (rise == ndimage.maximum_filter(rise, 3)) & (rise > threshold)
    return float(np.mean(peak))


def _radius(sky: BubbleSky, each: Placed) -> np.ndarray:
    """Elliptical radius of every pixel, 1 on the catalogue's ellipse, by way of the sky."""
    rows, columns = np.indices(sky.bands["g"].shape)
    lon, lat = sky.wcs.wcs_pix2world(columns.ravel(), rows.ravel(), 0)
    centre = sky.wcs.wcs_pix2world(each.x, each.y, 0)
    along_lon = ((lon - centre[0] + 180) % 360 - 180) * 60
    along_lat = (lat - centre[1]) * 60
    angle = np.deg2rad(each.angle)
    major = along_lat * np.cos(angle) + along_lon * np.sin(angle)
    minor = along_lat * np.sin(angle) - along_lon * np.cos(angle)
    return np.hypot(major / each.major, minor / each.minor).reshape(rows.shape)


def _mean(sky: BubbleSky, letter: str, radius: np.ndarray, low: float, high: float) -> float:
    return float(np.nanmedian(sky.bands[letter][(radius >= low) & (radius < high)]))


def _rim(sky: BubbleSky, each: Placed) -> bool:
    """Whether 8 um is brighter about the ellipse than in its centre and beyond it."""
    radius = _radius(sky, each)
    rim = _mean(sky, "g", radius, 0.9, 1.15)
    return rim > 1.1 * max(_mean(sky, "g", radius, 0.0, 0.4), _mean(sky, "g", radius, 1.7, 2.2))


def _core(sky: BubbleSky, each: Placed) -> bool:
    """Whether 24 um is brighter within the ellipse than on it and beyond it."""
    radius = _radius(sky, each)
    core = _mean(sky, "r", radius, 0.0, 0.4)
    return core > 1.2 * max(_mean(sky, "r", radius, 0.9, 1.15), _mean(sky, "r", radius, 1.7, 2.2))
