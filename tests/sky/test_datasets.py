"""Datasets in each layout: recognised, read lazily, counted, parted and drawn from honestly."""

from __future__ import annotations

import gzip
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from layouts import (
    SIDE,
    TILE,
    bubble_row,
    write_galaxies,
    write_set,
    write_stamps,
    write_tile,
)
from skies import write_four_maps

from napari_astroseg.errors import DataError
from napari_astroseg.sky.datasets.bubblecatalogue import read_bubbles
from napari_astroseg.sky.datasets.card import DatasetCard, PartCounts
from napari_astroseg.sky.datasets.checking import lacking
from napari_astroseg.sky.datasets.drawing import area_folds
from napari_astroseg.sky.datasets.opening import READERS, open_dataset
from napari_astroseg.sky.fourmaps import open_four_maps
from napari_astroseg.sky.window import Window


def write_bubbles(folder: Path) -> None:
    write_tile(folder, 0.0)
    write_tile(folder, 0.9)
    write_tile(folder, 3.0)
    rows = [bubble_row(1, 359.9, 0.1, 2.0), bubble_row(2, 0.2, -0.1, 3.0)]
    (folder / "bubbles.dat").write_text("\n".join([*rows, bubble_row(3, 3.1, 0.0, 1.0)]))


def write_maps(folder: Path) -> None:
    write_four_maps(folder, "000", seed=0)
    write_four_maps(folder, "001", seed=1)


WRITERS = {
    "bubbles": write_bubbles,
    "astro_rcnn": lambda folder: [write_set(folder, n) for n in range(5)],
    "blended": write_stamps,
    "four_maps": write_maps,
    "gz3d": write_galaxies,
}


@pytest.fixture(params=sorted(WRITERS))
def layout(request, tmp_path):
    """Name and folder of each layout in turn."""
    folder = tmp_path / "data"
    folder.mkdir()
    WRITERS[request.param](folder)
    return request.param, folder


def test_every_layout_is_recognised_and_without_findings(layout):
    name, folder = layout
    data = open_dataset(folder)
    assert data.layout == name == open_dataset(folder, name).layout
    assert data.report == [finding.sentence for finding in data.findings]
    assert [f.sentence for f in data.findings if f.left_out] == []
    assert {reader.name for reader in READERS} == set(WRITERS)
    for item in data.items:
        truth = item.truth()
        assert all(mask.shape == item.image.shape for mask in truth.pixels.values())


def test_the_same_digest_gives_the_same_stamps_wherever_the_folder_is(layout, tmp_path):
    _, folder = layout
    shutil.copytree(folder, tmp_path / "elsewhere")
    here, there = open_dataset(folder), open_dataset(tmp_path / "elsewhere")
    assert here.digest == there.digest == here.card.digest
    assert here.parts == there.parts
    drawn = here.stamps(6, 16)
    assert drawn == there.stamps(6, 16) and len(drawn) == 6
    assert drawn[:3] == here.stamps(3, 16)
    assert drawn != here.stamps(6, 16, "validation")


def test_any_changed_byte_changes_the_digest(layout):
    _, folder = layout
    before = open_dataset(folder)
    digests = {before.digest}
    for path in before.items[0].files:
        unpack, pack = (gzip.decompress, gzip.compress) if path.suffix == ".gz" else (bytes, bytes)
        data = bytearray(unpack(path.read_bytes()))
        data[-1] ^= 1 if path.suffix == ".npy" else ord(" ")
        path.write_bytes(pack(bytes(data)))
        digests.add(open_dataset(folder).digest)
    assert len(digests) == 1 + len(before.items[0].files)


def test_settings_are_in_the_digest(tmp_path):
    write_galaxies(tmp_path)
    assert open_dataset(tmp_path).digest != open_dataset(tmp_path, threshold=2).digest
    assert open_dataset(tmp_path).digest != open_dataset(tmp_path, validation=0.5).digest


def test_the_card_travels_as_json(layout):
    _, folder = layout
    card = open_dataset(folder).card
    assert DatasetCard.from_json(card.to_json()) == card
    assert card.items == len(open_dataset(folder))
    for broken in ("{", json.dumps({**json.loads(card.to_json()), "digest": "x"})):
        with pytest.raises(DataError, match="write one anew"):
            DatasetCard.from_json(broken)


def test_four_maps_are_parted_by_sky_and_no_training_stamp_touches_validation(tmp_path):
    write_maps(tmp_path)
    data = open_dataset(tmp_path)
    folds = area_folds(data)
    training, validation = data.stamps(500, 24), data.stamps(500, 24, "validation")
    assert len(training) > 10 and len(validation) > 10
    assert all((folds[s.item][s.window.slices] != 0).all() for s in training)
    assert all((folds[s.item][s.window.slices] == 0).all() for s in validation)
    fields = open_four_maps(tmp_path)
    parts = data.card.parts
    structure = sum(int((f.target & f.labelled).sum()) for f in fields)
    assert sum(part.pixels["structure"] for part in parts.values()) == structure
    assert sum(part.labelled for part in parts.values()) == sum(f.labelled.sum() for f in fields)
    shares = data.card.balance()
    assert math.isclose(shares["structure"] + shares["background"], 1)
    assert 0.1 < parts["validation"].items / 2 <= 1


def test_votes_are_counted_from_the_index_as_the_masks_say(tmp_path):
    write_galaxies(tmp_path)
    data = open_dataset(tmp_path)
    card = data.card
    assert sum(part.pixels["spiral"] for part in card.parts.values()) == 4 * 60
    assert sum(part.pixels["bar"] for part in card.parts.values()) == 0
    assert [f.what for f in data.findings if "'bar'" in f.what]
    truth = data.items[0].truth()
    assert truth.pixels["spiral"].sum() == 60 and not truth.pixels["bar"].any()
    assert open_dataset(tmp_path, threshold=1).items[0].truth().pixels["bar"].sum() == 10
    assert card.balance()["spiral"] == 60 / (24 * 30)


def test_a_class_that_one_part_alone_shows_is_told(tmp_path):
    counts = {
        "training": PartCounts(items=3, pixels={"spiral": 9, "bar": 0, "background": 5}),
        "validation": PartCounts(items=1, pixels={"spiral": 0, "bar": 0, "background": 5}),
    }
    (finding,) = lacking(tmp_path, counts)
    assert "'spiral' is in what is kept for validation" in finding.sentence
    assert not finding.left_out
    assert lacking(tmp_path, {"training": counts["validation"]}) == []
    assert lacking(tmp_path, {"training": PartCounts(objects={"bubble": 2})}) == []


def test_files_of_one_galaxy_are_never_parted(tmp_path):
    write_galaxies(tmp_path, 8)
    data = open_dataset(tmp_path)
    of = {}
    for item, part in zip(data.items, data.parts, strict=True):
        of.setdefault(item.group, set()).add(part)
    assert len(of) == 4 and all(len(parts) == 1 for parts in of.values())
    assert data.parts.count("validation") == 2


def test_objects_of_a_set_have_class_box_and_mask(tmp_path):
    for number in range(5):
        write_set(tmp_path, number)
    data = open_dataset(tmp_path)
    assert data.items[0].image.bands == ("z", "r", "g")
    star, galaxy = data.items[0].truth().objects
    assert (star.kind, galaxy.kind) == ("star", "galaxy")
    assert star.box == (5.5, 7.5, 14.5, 16.5)
    assert 9 * 9 - 12 <= star.mask.sum() <= 9 * 9  # smoothing rounds the corners
    frame = np.zeros((SIDE, SIDE), bool)
    frame[galaxy.window.slices] |= galaxy.mask
    assert frame[28, 30] and frame[21:36, 30].all() and not frame[20, 30]
    assert data.parts.count("validation") == 1
    assert data.card.parts["training"].objects == {"star": 4, "galaxy": 4}
    assert data.card.parts["training"].labelled == 4 * SIDE * SIDE


def test_bubbles_wrap_at_longitude_zero_and_their_boxes_follow_the_rule(tmp_path):
    write_bubbles(tmp_path)
    data = open_dataset(tmp_path)
    first, _, last = data.items
    found = {thing.name: thing.box for thing in first.truth().objects}
    assert sorted(found) == ["MWP2G0000001+0000000", "MWP2G0000002+0000000"]
    middle = (TILE - 1) / 2
    half = 1.3 * 2.0 * 2  # arcmin to px of 30 arcsec
    x, y = middle + 0.1 * 120, middle + 0.1 * 120
    expected = (x - half, y - half, x + half, y + half)
    assert np.allclose(found["MWP2G0000001+0000000"], expected, atol=0.01)
    assert [thing.name for thing in last.truth().objects] == ["MWP2G0000003+0000000"]


def test_a_bubble_counts_where_three_fifths_of_its_box_show(tmp_path):
    write_tile(tmp_path, 0.0)
    edge = 0.5  # deg from the middle; the box of 1 arcmin is 2.6 arcmin wide
    shown = bubble_row(1, edge - 0.1 * 2.6 / 60 - 2e-4, 0, 1.0)
    hidden = bubble_row(2, edge - 0.1 * 2.6 / 60 + 2e-4, 0, 1.0)
    (tmp_path / "bubbles.dat").write_text(f"{shown}\n{hidden}\n")
    names = [thing.name for thing in open_dataset(tmp_path).items[0].truth().objects]
    assert names == ["MWP2G0000001+0000000"]


def test_no_training_stamp_of_a_tile_reaches_into_a_tile_that_validates(tmp_path):
    for lon in (0.0, 0.8, 1.6, 2.4, 3.2):
        write_tile(tmp_path, lon)
    (tmp_path / "bubbles.dat").write_text(bubble_row(1, 0.2, 0, 1.0))
    data = open_dataset(tmp_path)
    kept = [data.items[n].image for n in data.of("validation").tolist()]
    stamps = data.stamps(60, 30)
    assert len(kept) == 1 and len(stamps) == 60
    for stamp in stamps:
        image = data.items[stamp.item].image
        rows, columns = np.mgrid[stamp.window.slices]
        x, y = kept[0].pixel(image.sky(columns, rows))
        assert not (
            (abs(x - (TILE - 1) / 2) <= TILE / 2) & (abs(y - (TILE - 1) / 2) <= TILE / 2)
        ).any()
    free = data.parts.index("training")
    everywhere = {s.window.x for s in stamps if s.item == free}
    assert len(everywhere) > 3


def test_blended_stamps_are_mapped_and_counted(tmp_path):
    write_stamps(tmp_path, "a", 12)
    write_stamps(tmp_path, "b", 8)
    data = open_dataset(tmp_path)
    assert len(data) == 20
    assert data.items[12].name == "stamps_WithNoise_b[0]"
    images = np.load(tmp_path / "stamps_WithNoise_b.npy")
    assert np.array_equal(data.items[12].image.cutout(Window(0, 0, 16, 16)), images[0])
    parts = data.card.parts
    assert (parts["training"].items, parts["validation"].items) == (17, 3)
    assert parts["validation"].pixels == {
        "isolated": 3 * 20, "overlap": 3 * 4, "background": 3 * (256 - 24)
    }  # fmt: skip
    assert data.stamps(3, 128)[0].window == Window(-56, -56, 128, 128)


def test_stamps_that_make_no_sense_are_refused(tmp_path):
    write_stamps(tmp_path)
    data = open_dataset(tmp_path, validation=0)
    with pytest.raises(DataError, match="at least 1 px"):
        data.stamps(3, 0)
    with pytest.raises(DataError, match="nothing in its validation part"):
        data.stamps(3, 16, "validation")
    (tmp_path / "maps").mkdir()
    write_maps(tmp_path / "maps")
    with pytest.raises(DataError, match="no training stamp of 500 px fits"):
        open_dataset(tmp_path / "maps").stamps(3, 500)


def test_the_real_hi_gal_sample(shared_data):
    data = open_dataset(shared_data / "filaments")
    names = [item.name for item in data.items]
    assert data.layout == "four_maps" and "higal_sample_image.fits" in names
    assert data.findings == ()
    assert data.card.parts["training"].pixels["structure"] > 5_000


def test_the_real_galaxy_zoo_file(shared_data):
    data = open_dataset(shared_data / "gz3d")
    assert data.layout == "gz3d" and len(data) == 1
    truth = data.items[0].truth()
    counted = data.card.parts["training"].pixels
    assert {kind: int(mask.sum()) for kind, mask in truth.pixels.items()} == counted
    assert counted["center"] > 0


def test_the_real_bands_without_masks_can_be_predicted_on(shared_data):
    data = open_dataset(shared_data / "multiband")
    assert data.layout == "astro_rcnn" and data.parts == ("unlabelled",)
    assert data.items[0].image.count == 3 and data.items[0].truth() is None
    assert "no masks.fits" in data.findings[0].sentence


def test_the_real_bubble_catalogue(shared_data):
    path = shared_data / "catalogues" / "mwpdr2bubbles.dat"
    bubbles, findings = read_bubbles(path, path.parent)
    assert len(bubbles) == 2600 and findings == []
    first = bubbles[0]
    assert (first.name, first.lon, first.lat) == ("MWP2G0000794-0020817", 0.0794, -0.2082)
    assert (first.major, first.minor, first.angle) == (0.58, 0.49, 161)
    assert min(b.lon for b in bubbles) < 1 and max(b.lon for b in bubbles) > 359


def test_the_real_bubbles_on_a_real_mosaic(shared_data, tmp_path):
    place = tmp_path / "spitzer_01800+0000_rgb"
    place.mkdir()
    for band in "rgb":
        shutil.copy(shared_data / "spitzer" / "spitzer_example_image.fits", place / f"{band}.fits")
    catalogue = shared_data / "catalogues" / "mwpdr2bubbles.dat"
    data = open_dataset(tmp_path, catalogue=catalogue)
    assert "MWP2G0181454+0017911" in {thing.name for thing in data.items[0].truth().objects}
    assert "of its 2,600 bubbles lie on none" in data.findings[0].sentence
