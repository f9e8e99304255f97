"""The four-map layout: found, checked, and what is wrong said in a sentence."""

import numpy as np
import pytest
from skies import write_four_maps

from napari_astroseg.errors import DataError
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.fourmaps import digest, open_four_maps


def test_a_folder_gives_its_fields_in_order(tmp_path):
    write_four_maps(tmp_path, "001", seed=1)
    write_four_maps(tmp_path, "000", seed=0)
    fields = open_four_maps(tmp_path)
    assert [f.name for f in fields] == ["000_image", "001_image"]
    first = fields[0]
    assert first.conservative
    assert not first.valid[:10, :10].any() and first.valid[10:].all()
    assert not (first.target & first.background).any()
    assert np.array_equal(first.labelled, (first.target | first.background) & first.valid)


def test_without_a_background_map_all_that_is_not_target_is_negative(tmp_path):
    image = write_four_maps(tmp_path)
    (tmp_path / "000_background.fits").unlink()
    field = open_four_maps(image)[0]
    assert not field.conservative
    assert np.array_equal(field.background, ~field.target)
    with pytest.raises(DataError, match="one_vs_all"):
        open_four_maps(image, "conservative")


def test_one_vs_all_can_be_asked_for(tmp_path):
    field = open_four_maps(write_four_maps(tmp_path), "one_vs_all")[0]
    assert np.array_equal(field.background, ~field.target)


def test_a_mask_by_another_usual_name_is_found(tmp_path):
    image = write_four_maps(tmp_path)
    (tmp_path / "000_target.fits").rename(tmp_path / "000_mask.fits")
    assert open_four_maps(image)[0].target.any()


def test_digest_follows_the_files(tmp_path):
    write_four_maps(tmp_path, seed=0)
    before = digest(tmp_path)
    assert before == digest(tmp_path)
    write_four_maps(tmp_path, seed=5)
    assert digest(tmp_path) != before


def test_problems_are_told_with_their_file(tmp_path):
    with pytest.raises(DataError, match="simulate filaments"):
        open_four_maps(tmp_path)
    image = write_four_maps(tmp_path)
    write_image(tmp_path / "000_missing.fits", np.ones((5, 5), np.uint8))
    with pytest.raises(DataError, match=r"000_missing\.fits is 5 × 5"):
        open_four_maps(tmp_path)
    (tmp_path / "000_missing.fits").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        open_four_maps(tmp_path)
    (tmp_path / "000_target.fits").unlink()
    with pytest.raises(DataError, match="no mask beside it"):
        open_four_maps(image)


def test_a_cube_is_no_map(tmp_path):
    image = write_four_maps(tmp_path)
    write_image(image, np.ones((3, 192, 256), np.float32))
    with pytest.raises(DataError, match=r"000_image\.fits holds 3 planes where one map is wanted"):
        open_four_maps(tmp_path)


def test_the_real_sample_opens(shared_data):
    field = open_four_maps(shared_data / "filaments" / "higal_sample_image.fits")[0]
    assert field.conservative
    assert field.values.shape == (500, 250)
    assert field.valid.mean() == pytest.approx(0.98, abs=0.005)
    assert field.labelled.mean() == pytest.approx(0.1177, abs=0.001)


def test_a_name_from_which_no_mask_follows_is_told(tmp_path):
    image = write_four_maps(tmp_path).rename(tmp_path / "map.fits")
    with pytest.raises(DataError, match="no `image` in its name"):
        open_four_maps(image)


def test_a_mask_elsewhere_on_the_sky_is_refused(tmp_path):
    write_four_maps(tmp_path, "000", seed=0)
    write_four_maps(tmp_path, "001", seed=1)  # a degree away
    (tmp_path / "001_target.fits").replace(tmp_path / "000_target.fits")
    with pytest.raises(DataError, match=r"000_target\.fits lies elsewhere on the sky"):
        open_four_maps(tmp_path / "000_image.fits")
