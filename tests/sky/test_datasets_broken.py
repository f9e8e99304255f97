"""What is wrong in a folder is told in a sentence of file, what and remedy; the rest goes on."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from layouts import (
    SIDE,
    bubble_row,
    square,
    write_galaxies,
    write_masks,
    write_set,
    write_stamps,
    write_tile,
)
from skies import galactic_wcs, write_four_maps

from napari_astroseg.cli.main import main
from napari_astroseg.errors import DataError
from napari_astroseg.sky.datasets.bubblecatalogue import read_bubbles
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.finding import Finding
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.progress import Stopped


def left_out(data: Dataset) -> dict[str, str]:
    """File → what, of what is left out; every sentence is one of three parts."""
    for finding in data.findings:
        assert "\n" not in finding.sentence and "Traceback" not in finding.sentence
        assert finding.file and finding.what and finding.remedy
    told = [finding for finding in data.findings if finding.left_out]
    assert len({f.file for f in told}) == len(told), "one finding for each file here"
    return {finding.file: finding.what for finding in told}


class _Bomb:
    """Breaks the test when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was opened",)


def test_a_folder_that_is_none_or_empty_or_unknown(tmp_path):
    with pytest.raises(DataError, match="is no folder; name the one"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is empty; name the folder"):
        open_dataset(tmp_path)
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DataError, match="in none of the known layouts"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match="no layout is called 'coco'; use one of"):
        open_dataset(tmp_path, "coco")
    with pytest.raises(DataError, match="nothing like set_0"):
        open_dataset(tmp_path, "astro_rcnn")
    with pytest.raises(DataError, match="threshold from 1 up"):
        open_dataset(tmp_path, threshold=0)
    with pytest.raises(DataError, match="share from 0 to below 1"):
        open_dataset(tmp_path, validation=1)


def test_a_set_without_a_band_or_with_another_shape_is_left_out(tmp_path):
    for number in range(4):
        write_set(tmp_path, number)
    (tmp_path / "set_1" / "img_r.fits").unlink()
    write_image(tmp_path / "set_2" / "img_z.fits", np.ones((9, 9), np.float32))
    data = open_dataset(tmp_path)
    assert [item.name for item in data.items] == ["set_0", "set_3"]
    told = left_out(data)
    assert told["set_1"] == "lacks img_r.fits"
    assert "48 × 48" in told["set_2"] and "9 × 9" in told["set_2"]


def test_masks_that_hold_no_object_are_told_and_the_others_used(tmp_path):
    place = write_set(tmp_path, 0)
    good = (2, square(20, 20, 11))
    odd = square(9, 9, 3)[: SIDE - 1]
    write_masks(
        place / "masks.fits",
        [good, (1, square(9, 9, 3) * 0), (None, good[1]), (7, good[1]), (1, odd)],
    )
    data = open_dataset(tmp_path)
    told = [f.what for f in data.findings if f.left_out]
    assert [thing.name for thing in data.items[0].truth().objects] == ["HDU 0"]
    assert told == [
        "HDU 1 is a mask without an object",
        "HDU 2 has no CLASS_ID",
        "HDU 3 has the CLASS_ID 7",
        "HDU 4 is 48 × 47 pixels and its image 48 × 48",
    ]
    assert all(f.file == "set_0/masks.fits" for f in data.findings if f.left_out)
    assert any("'star'" in f.what for f in data.findings if not f.left_out)
    write_masks(place / "masks.fits", [(1, square(9, 9, 3) * 0)])
    assert "holds no object that can be used" in left_out(open_dataset(tmp_path))["set_0"]


def test_masks_elsewhere_on_the_sky_or_there_twice_are_told(tmp_path):
    place = write_set(tmp_path, 0)
    header = galactic_wcs().to_header()
    for band in "grz":
        write_image(place / f"img_{band}.fits", np.ones((SIDE, SIDE), np.float32), header)
    one, other = square(10, 12, 9), square(30, 28, 15)
    write_masks(place / "masks.fits", [(1, one), (2, other), (2, one), (1, one), (2, other)])
    with fits.open(place / "masks.fits", mode="update") as hdus:
        hdus[0].header.update(header)
        hdus[1].header.update(galactic_wcs(lon=30.05).to_header())
    data = open_dataset(tmp_path)
    assert [f.what for f in data.findings] == [
        "HDU 1 lies elsewhere on the sky than its image, by 16 px",
        "HDU 3 marks the very pixels of HDU 0",
    ]
    # The same pixels as a star and as a galaxy are an overlap, and both are learnt.
    assert [thing.name for thing in data.items[0].truth().objects] == ["HDU 0", "HDU 2", "HDU 4"]


def test_objects_may_overlap(tmp_path):
    place = write_set(tmp_path, 0)
    write_masks(place / "masks.fits", [(1, square(20, 20, 11)), (2, square(24, 22, 15))])
    data = open_dataset(tmp_path)
    assert data.findings == () and len(data.items[0].truth().objects) == 2


def test_bands_of_another_shape_or_place_leave_a_tile_out(tmp_path):
    for lon in (0.0, 3.0, 6.0):
        write_tile(tmp_path, lon)
    shape, place = (tmp_path / f"spitzer_{name}+0000_rgb" for name in ("00300", "00600"))
    write_image(shape / "r.fits", np.ones((20, 30), np.float32), galactic_wcs().to_header())
    shutil.copy(tmp_path / "spitzer_00000+0000_rgb" / "g.fits", place / "g.fits")
    (tmp_path / "bubbles.dat").write_text(bubble_row(1, 0.1, 0.1, 1.0))
    data = open_dataset(tmp_path)
    told = left_out(data)
    assert sorted(told) == [shape.name, place.name] and len(data) == 1
    assert "30 × 20" in told[shape.name] or "120 × 120 pixels" in told[shape.name]
    assert "px away" in told[place.name]


def test_images_of_nothing_but_nan_are_left_out(tmp_path):
    for number in range(3):
        write_set(tmp_path / "sets", number)
    path = tmp_path / "sets" / "set_1" / "img_g.fits"
    write_image(path, np.full((SIDE, SIDE), np.nan, np.float32))
    told = left_out(open_dataset(tmp_path / "sets"))
    assert list(told) == ["set_1"] and "every pixel is NaN" in told["set_1"]
    (tmp_path / "stamps").mkdir()
    images, _ = write_stamps(tmp_path / "stamps", count=4)
    values = np.load(images)
    values[2] = np.nan
    np.save(images, values)
    data = open_dataset(tmp_path / "stamps")
    assert list(left_out(data)) == ["stamps_WithNoise_field_0[2]"]
    assert [item.name[-3:] for item in data.items] == ["[0]", "[1]", "[3]"]


def test_a_damaged_file_is_left_out(tmp_path):
    for number in range(3):
        write_set(tmp_path, number)
    masks, band = tmp_path / "set_0" / "masks.fits", tmp_path / "set_2" / "img_z.fits"
    masks.write_bytes(masks.read_bytes()[:4000])
    band.write_bytes(b"")
    told = left_out(open_dataset(tmp_path))
    assert sorted(told) == ["set_0", "set_2"]
    assert "masks.fits" in told["set_0"] and "img_z.fits" in told["set_2"]


def test_maps_of_another_shape_or_place_are_left_out(tmp_path):
    for number in range(4):
        write_four_maps(tmp_path, f"00{number}", seed=number)
    write_image(tmp_path / "001_target.fits", np.ones((5, 6), np.uint8))
    header = galactic_wcs(lon=80.0).to_header()
    write_image(tmp_path / "002_target.fits", np.ones((192, 256), np.uint8), header)
    (tmp_path / "003_target.fits").unlink()
    data = open_dataset(tmp_path)
    told = left_out(data)
    assert [item.name for item in data.items] == ["000_image.fits"]
    assert "6 × 5 pixels" in told["001_image.fits"]
    assert "elsewhere on the sky" in told["002_image.fits"]
    assert told["003_image.fits"] == "has no mask beside it"


def test_tiles_without_bands_and_bubbles_on_no_tile(tmp_path):
    write_tile(tmp_path, 0.0, "rg")
    write_tile(tmp_path, 3.0, "gb")
    rows = [bubble_row(1, 0.1, 0.1, 1.0), bubble_row(2, 90.0, 0.1, 1.0)]
    (tmp_path / "bubbles.dat").write_text("\n".join(rows))
    data = open_dataset(tmp_path)
    assert left_out(data) == {"spitzer_00300+0000_rgb": "lacks r.fits"}
    rest = {f.file: f.what for f in data.findings if not f.left_out}
    assert "lacks b.fits" in rest["spitzer_00000+0000_rgb"]
    assert "1 of its 2 bubbles lie on none" in rest["bubbles.dat"]
    assert "l = 90" in rest["bubbles.dat"]
    assert data.items[0].image.bands == ("r", "g")


def test_a_tile_without_a_place_on_the_sky_is_left_out(tmp_path):
    place = write_tile(tmp_path, 0.0)
    for band in "rgb":
        write_image(place / f"{band}.fits", np.ones((20, 20), np.float32))
    (tmp_path / "bubbles.dat").write_text(bubble_row(1, 0.1, 0.1, 1.0))
    assert "no sky coordinates" in left_out(open_dataset(tmp_path))["spitzer_00000+0000_rgb"]


def test_rows_of_a_catalogue_that_make_no_sense_are_told_by_number(tmp_path):
    path = tmp_path / "bubbles.dat"
    good = bubble_row(1, 0.1, 0.1, 1.0)
    wrong = [bubble_row(2, 400.0, 0.1, 1.0), bubble_row(3, 1.0, 0.1, 99.0), good]
    words = bubble_row(4, 1.0, 0.1, 1.0).replace(" 1.0000", "nowhere")
    path.write_text("\n".join([good, "", *wrong, words, "short"]))
    bubbles, findings = read_bubbles(path, tmp_path)
    assert [bubble.name for bubble in bubbles] == ["MWP2G0000001+0000000"]
    assert [f.what.partition(",")[0] for f in findings] == [f"in row {n}" for n in (3, 4, 5, 6, 7)]
    assert "no Galactic position" in findings[0].what and "99 arcmin" in findings[1].what
    assert "is there twice" in findings[2].what and "'nowhere' is no number" in findings[3].what
    path.write_text("\n".join(wrong[:2]))
    with pytest.raises(DataError, match="holds no row of the Milky Way Project"):
        read_bubbles(path, tmp_path)
    # Axes in arcsec are too large for a bubble, those in degrees too small.
    units = [good, bubble_row(2, 0.1, 0.1, 61.0), bubble_row(3, 0.1, 0.1, 0.02)]
    path.write_text("\n".join(units))
    bubbles, findings = read_bubbles(path, tmp_path)
    assert len(bubbles) == 1
    told = [f.what.partition(" arcmin")[0].split()[-1] for f in findings]
    assert told == ["61", "0.02"]
    assert all(f.remedy == "give arcmin in bytes 46 to 50" for f in findings)
    with pytest.raises(DataError, match="cannot be read"):
        read_bubbles(tmp_path / "none.dat", tmp_path)


def test_tiles_need_one_catalogue(tmp_path):
    write_tile(tmp_path, 0.0)
    with pytest.raises(DataError, match="no catalogue of bubbles; name one"):
        open_dataset(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.dat").write_text(bubble_row(1, 0.1, 0.1, 1.0))
    with pytest.raises(DataError, match=r"the catalogues a\.dat, b\.dat; name one"):
        open_dataset(tmp_path)
    assert len(open_dataset(tmp_path, catalogue=tmp_path / "a.dat")) == 1


def test_unreadable_votes_are_left_out(tmp_path):
    paths = write_galaxies(tmp_path)
    paths[1].write_bytes(paths[1].read_bytes()[:300])
    counts = np.ones((20, 20), np.int16)
    fits.PrimaryHDU(counts).writeto(tmp_path / "plain.fits")
    fits.PrimaryHDU(-counts).writeto(tmp_path / "negative.fits")
    fits.PrimaryHDU(counts * 0.4).writeto(tmp_path / "shares.fits")
    data = open_dataset(tmp_path)
    told = left_out(data)
    assert sorted(told) == sorted(["plain.fits", "negative.fits", "shares.fits", paths[1].name])
    assert "never negative" in told["negative.fits"] and "plain map" in told["plain.fits"]
    assert "votes are whole people" in told["shares.fits"]
    assert len(data) == 3


@pytest.mark.parametrize(("value", "left"), [(-1, True), (0.4, True), (np.nan, False)])
def test_a_vote_that_is_none_is_told(tmp_path, value, left):
    path = write_galaxies(tmp_path, 3)[2]
    with fits.open(path, mode="update") as hdus:
        hdus[3].data[4, 5:7] = value
    data = open_dataset(tmp_path)
    (finding,) = [f for f in data.findings if f.file == path.name]
    assert finding.left_out is left and len(data) == 2 + (not left)
    if left:
        assert "[3] holds" in finding.what and "at pixel (5, 4)" in finding.what
    else:
        assert finding.what == "has 2 pixels without a value, taken as without votes"
        assert data.items[2].truth().pixels["spiral"].sum() == 60


def test_maps_of_another_shape_than_their_picture_are_left_out(tmp_path):
    path = write_galaxies(tmp_path, 3)[0]
    with fits.open(path) as hdus:
        parts = [hdu.copy() for hdu in hdus]
    parts[3].data = np.ones((25, 30))
    fits.HDUList(parts).writeto(path, overwrite=True)
    told = left_out(open_dataset(tmp_path))
    assert list(told) == [path.name]


def test_bad_members_are_told_one_by_one_and_the_rest_goes_on(tmp_path, capsys):
    good = [path.read_bytes() for path in write_galaxies(tmp_path, 4)]
    for number in range(4, 60):
        path = tmp_path / f"gz3d_1-{number // 2}_37_{1000 + number}.fits.gz"
        path.write_bytes(good[number % 4])
    bad = [f"gz3d_1-{n // 2}_37_{1000 + n}.fits.gz" for n in (7, 20, 31, 59)]
    for name, data in zip(bad, (b"", b"words", good[0][:900], good[1][:-9]), strict=True):
        (tmp_path / name).write_bytes(data)
    assert main(["dataset", str(tmp_path), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "56 images" in lines[0]
    out = [line.strip() for line in lines if line.startswith("  left out: ")]
    assert [line.split(": ")[1] for line in out] == sorted(bad)
    data = open_dataset(tmp_path)
    assert len(data) == 56 and sorted(left_out(data)) == sorted(bad)


def test_stamps_without_truth_or_of_other_shapes_or_numbers_are_left_out(tmp_path):
    write_stamps(tmp_path, "good")
    write_stamps(tmp_path, "alone")[1].unlink()
    np.save(write_stamps(tmp_path, "shape")[1], np.zeros((3, 16, 16), np.uint8))
    np.save(write_stamps(tmp_path, "flat")[0], np.zeros(7))
    write_stamps(tmp_path, "cut")[0].write_bytes(b"\x93NUMPY")
    odd = write_stamps(tmp_path, "odd", 1)[1]
    np.save(odd, np.load(odd) * 3)
    data = open_dataset(tmp_path)
    told = left_out(data)
    assert len(data) == 12 and len(told) == 5
    assert "no truth beside it" in told["stamps_WithNoise_alone.npy"]
    assert "(12, 16, 16)" in told["stamps_WithNoise_shape.npy"]
    assert "shape (7,)" in told["stamps_WithNoise_flat.npy"]
    assert "no whole NumPy file" in told["stamps_WithNoise_cut.npy"]
    assert "holds 3, which is none of" in told["stamps_WithNoise_odd[0]"]


def test_a_pickle_is_told_and_never_opened(tmp_path):
    write_stamps(tmp_path, "good")
    bad = write_stamps(tmp_path, "bad")[0]
    np.save(bad, np.array([_Bomb()], object), allow_pickle=True)
    (tmp_path / "notes").mkdir()
    Path(tmp_path / "notes" / "losses.p").write_bytes(pickle.dumps(_Bomb()))
    Path(tmp_path / "hidden").write_bytes(pickle.dumps(_Bomb()))
    data = open_dataset(tmp_path)
    told = left_out(data)
    assert sorted(told) == ["hidden", "notes/losses.p", bad.name]
    assert all("pickle" in what and "not opened" in what for what in told.values())
    assert len(data) == 12


def test_a_check_can_be_stopped(tmp_path):
    write_stamps(tmp_path)
    seen = []

    def progress(what: str, done: int, total: int | None) -> None:
        seen.append((done, total))
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        open_dataset(tmp_path, progress=progress)
    assert seen == [(n, 12) for n in range(4)]


def test_maps_called_img_are_maps_and_not_bands(tmp_path):
    write_four_maps(tmp_path, "img")
    assert open_dataset(tmp_path).layout == "four_maps"


def test_an_error_becomes_file_what_and_remedy():
    error = DataError("a.fits holds nothing; fetch it again")
    finding = Finding.of("sub/a.fits", error)
    assert finding == Finding("sub/a.fits", "holds nothing", "fetch it again")
    assert finding.sentence == "sub/a.fits: holds nothing; fetch it again"
    assert "take it out" in Finding.of("b", OSError("disk")).sentence
