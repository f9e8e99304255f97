"""Masks from FITS files come into marks on the right pixels, in one step, or are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from shapedsky import SHAPE, SKIES, bare, sky

from napari_astroseg.errors import AstroSegError, MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks import maskfile
from napari_astroseg.sky.marks.maskfile import mark_mask, open_mask
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

WHOLE = Window.whole(SHAPE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MarkStore]:
    with MarkStore.create(tmp_path / "field.marks", sky()) as made:
        yield made


def labels(shape: tuple[int, int] = SHAPE) -> np.ndarray:
    values = np.zeros(shape, np.int16)
    values[20:60, 100:160] = 1
    values[150:200, 30:50] = 7
    return values


def write(folder: Path, values: np.ndarray, header: dict | None = None) -> Path:
    fits.writeto(folder / "mask.fits", values, fits.Header(header or {}), overwrite=True)
    return folder / "mask.fits"


def brought(store: MarkStore, path: Path, onto: SkyImage, label: int | None = None) -> str:
    mask = open_mask(path, onto)
    with store.step("mask", "Ada") as draft:
        count = mark_mask(draft, mask, label)
    assert count == np.count_nonzero(store.read(WHOLE, "Ada"))
    return mask.how


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8"])
def test_labels_on_the_same_grid_are_placed_as_they_are(
    tmp_path: Path, store: MarkStore, dtype: str
) -> None:
    told = brought(store, write(tmp_path, labels().astype(dtype), SKIES["square"]), sky())
    assert told == "the same pixels, placed as they are"
    assert np.array_equal(store.read(WHOLE, "Ada"), labels())
    store.undo()
    assert not store.read(WHOLE, "Ada").any()


def test_a_mask_adds_to_what_is_drawn_under_one_label(tmp_path: Path, store: MarkStore) -> None:
    here = Window(140, 40, 40, 40)
    store.write(here, np.full(here.shape, 3), annotator="Ada")
    with store.step("mask", "Ada") as draft:
        mark_mask(draft, open_mask(write(tmp_path, labels(), SKIES["square"]), sky()), 5)
    found = store.read(WHOLE, "Ada")
    assert (found[labels() > 0] == 5).all()
    assert (found[60:80, 140:180] == 3).all()
    assert len(store.done) == 2


def test_another_grid_is_sampled_by_position(tmp_path: Path, store: MarkStore) -> None:
    fine = SKIES["turned"] | {"CDELT1": -0.5 / 3600, "CDELT2": 0.5 / 3600, "CRPIX1": 300.5,
                              "CRPIX2": 300.5}  # fmt: skip
    values = np.zeros((600, 600), np.int16)
    values[280:330, 250:380] = 4
    path = write(tmp_path, values, fine)
    told = brought(store, path, sky())
    assert "nearest values" in told
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    x, y = open_image(path).pixel(sky().sky(columns, rows))
    inside = (x >= 249.5) & (x < 379.5) & (y >= 279.5) & (y < 329.5)
    found = store.read(WHOLE, "Ada")
    assert set(np.unique(found)) == {0, 4}
    assert np.count_nonzero((found == 4) != inside) < 0.05 * inside.sum()


def test_without_a_sky_shapes_decide(tmp_path: Path, store: MarkStore) -> None:
    told = brought(store, write(tmp_path, labels()), sky())
    assert told == "pixel on pixel, as mask has no sky coordinates"
    told = brought(store, write(tmp_path, labels(), SKIES["square"]), bare())
    assert told == "pixel on pixel, as field has no sky coordinates"
    path = write(tmp_path, labels((100, 220)))
    why = (
        r"mask is 220 × 100 px and field 300 × 240, and mask has no sky coordinates to place it "
        "by; give a mask on the same pixels"
    )
    with pytest.raises(MarkError, match=why):
        open_mask(path, sky())


def test_a_mask_of_elsewhere_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, labels(), SKIES["square"] | {"CRVAL1": 10.0})
    with pytest.raises(
        AstroSegError, match="different parts of the sky; align images that overlap"
    ):
        open_mask(path, sky())


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (0.5, "mask is an image, not a mask: it holds values between whole numbers"),
        (-1.0, r"mask holds values from -1 to 0; labels go from 0 to 65,535, so renumber"),
        (70_000.0, "mask holds values from 0 to 70000"),
        (np.inf, "mask holds values from -1 to 0"),
    ],
)
def test_what_are_no_labels_is_refused_as_a_whole(
    tmp_path: Path, store: MarkStore, monkeypatch: pytest.MonkeyPatch, value: float, why: str
) -> None:
    monkeypatch.setattr(maskfile, "_BAND", 100)
    values = np.zeros(SHAPE, "f4")
    values[5, 5] = 1
    values[6, 6] = np.nan
    values[230, 290] = value
    path = write(tmp_path, values, SKIES["square"])
    with pytest.raises(MarkError, match=why), store.step() as draft:
        mark_mask(draft, open_mask(path, sky()))
    assert not store.done
    assert not store.read(WHOLE).any()


def test_stacks_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, np.zeros((3, *SHAPE), "i2"), SKIES["square"])
    with pytest.raises(MarkError, match="is a stack of 3 planes; name an HDU"):
        open_mask(path, sky())


def test_a_real_mask_lies_on_its_map(tmp_path: Path, shared_data: Path) -> None:
    onto = open_image(shared_data / "filaments/image_PerB5.fits")
    path = shared_data / "filaments/mask_PerB5.fits"
    with MarkStore.create(tmp_path / "b5.marks", onto) as store:
        mask = open_mask(path, onto)
        with store.step() as draft:
            mark_mask(draft, mask)
        found = store.read(Window.whole(onto.shape))
    assert np.array_equal(found, np.nan_to_num(fits.getdata(path)).astype(int))
