"""A folder of votes is read once: the table is right, only changes are read, bad files are told."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from scipy import ndimage

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.votes import index
from napari_astroseg.sky.votes.gz3d import Galaxy
from napari_astroseg.sky.votes.index import index_votes
from napari_astroseg.sky.votes.inmemory import InMemory
from napari_astroseg.sky.votes.opening import open_votes
from napari_astroseg.sky.votes.records import Records, Stamp, joined, recorded
from napari_astroseg.sky.votes.scan import Scanned, ScannedMap, scanned
from napari_astroseg.sky.votes.writing import Annotator, write_gz3d_like

SHAPE = (24, 30)
KINDS = ("center", "star", "spiral", "bar")


@pytest.fixture(autouse=True)
def _own_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the files that are read."""
    names: list[str] = []

    def counted(path: Path, bins: np.ndarray) -> Scanned:
        names.append(path.name)
        return scanned(path, bins)

    monkeypatch.setattr(index, "scanned", counted)
    yield names


def sky() -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (150, 2), (15.5, 12.5), (-1e-4, -1e-4)
    return wcs


def galaxy(path: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=(4, 4, *SHAPE)), (0, 0, 3, 3))
    marked = field > field.std()
    people = [
        Annotator(f"{n}", dict(zip(KINDS[: 1 + n], marked[n], strict=False))) for n in range(4)
    ]
    about = Galaxy(f"1-{seed}", "", 150 + seed, -seed, 19)
    return write_gz3d_like(path, np.zeros((*SHAPE, 3), np.uint8), people, sky(), about)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for seed in range(5):
        galaxy(folder / f"gz3d_{seed}.fits{'.gz' if seed % 2 else ''}", seed)
    counts = np.full((6, 7), 300, np.int16)
    counts[0] = 2
    fits.writeto(folder / "plain.fits", counts)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "maps"))


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.fits*"))


def test_the_table_is_that_of_the_files(folder: Path) -> None:
    votes = index_votes(folder)
    assert len(votes) == 5 * 4 + 1
    assert votes.kinds == (*KINDS, "votes")
    assert votes.skipped == {}
    table = votes.table()
    row = iter(table)
    for path in files(folder):
        for kind, each in open_votes(path).items():
            told = next(row)
            assert (told["file"], told["class"]) == (path.name, kind)
            assert told["most"] == each.most
            assert told["pixels"] == each.counts.size
            ladder = {n: each.areas()[n] for n in range(1, 7)}
            assert {n: told[f"area_{n}"] for n in range(1, 7)} == ladder
            assert told["agreement"] == pytest.approx(each.agreement, nan_ok=True)
            people = (-1, -1) if kind == "votes" else (each.voters, each.drew)
            assert (told["voters"], told["drew"]) == people
            if each.wcs is not None:
                area = each.areas().pixel_arcsec2
                assert told["arcsec2_2"].value == pytest.approx(told["area_2"] * area)
    assert table["id"][4] == "1-1"
    assert (table["ra"][4].value, table["dec"][4].value) == (151, -1)
    assert np.isnan(table["ra"][-1]) and np.isnan(table["arcsec2_1"][-1])


@pytest.mark.parametrize("threshold", [1, 2, 3, 4, 5, 255, 256, 300, 301, 9999])
def test_areas_at_any_threshold(folder: Path, threshold: int) -> None:
    votes = index_votes(folder)
    every = [each for path in files(folder) for each in open_votes(path).values()]
    expected = [int((each.counts >= threshold).sum()) for each in every]
    assert votes.areas(threshold).tolist() == expected
    assert votes.areas(threshold, "spiral").tolist() == expected[2:20:4]
    assert [path.name for path in votes.paths("votes")] == ["plain.fits"]
    for number, each in enumerate(every):
        assert np.array_equal(votes.histogram(number), each.histogram())


def test_a_second_call_reads_what_has_changed(folder: Path, read: list[str]) -> None:
    first = index_votes(folder)
    assert sorted(read) == [path.name for path in files(folder)]
    read.clear()
    again = index_votes(folder)
    assert read == []
    assert np.array_equal(first.areas(2), again.areas(2))
    galaxy(folder / "gz3d_2.fits", 99)
    galaxy(folder / "new" / "gz3d_7.fits", 7)
    (folder / "gz3d_0.fits").unlink()
    changed = index_votes(folder)
    assert sorted(read) == ["gz3d_2.fits", "gz3d_7.fits"]
    names = ["gz3d_1.fits.gz", "gz3d_2.fits", "gz3d_3.fits.gz", "gz3d_4.fits"]
    assert [path.name for path in changed.paths("bar")] == [*names, "gz3d_7.fits"]
    assert changed.table("bar")["id"].tolist() == ["1-1", "1-99", "1-3", "1-4", "1-7"]
    assert len(list(index.CACHE.folder.iterdir())) == 1  # what no file is in any more is gone


def test_who_is_stopped_goes_on(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_PART", 2)
    heard = []

    def until_three(what: str, done: int, total: int | None) -> None:
        heard.append((what, done, total))
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        index_votes(folder, workers=1, progress=until_three)
    assert heard == [("indexing maps", n, 6) for n in (1, 2, 3)]
    read.clear()
    votes = index_votes(folder)
    assert sorted(read) == [path.name for path in files(folder)[3:]]
    assert len(votes) == 21


def test_bad_files_are_told_and_the_rest_goes_on(folder: Path, read: list[str]) -> None:
    (folder / "words.fits").write_text("no stars")
    whole = (folder / "gz3d_1.fits.gz").read_bytes()
    (folder / "short.fits.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "flipped.fits.gz").write_bytes(whole[:400] + b"\xff" * 9 + whole[409:])
    (folder / "cut.fits").write_bytes((folder / "gz3d_0.fits").read_bytes()[:9000])
    fits.writeto(folder / "signed.fits", np.full((3, 3), -1.0))
    fits.writeto(folder / "cube.fits", np.zeros((3, 4, 5), np.int16))
    votes = index_votes(folder)
    assert len(votes) == 21
    told = votes.skipped
    assert set(told) == {
        "words.fits", "short.fits.gz", "flipped.fits.gz", "cut.fits", "signed.fits", "cube.fits"
    }  # fmt: skip
    assert "not a FITS file" in told["words.fits"]
    assert "cut short" in told["short.fits.gz"]
    assert "cannot be unpacked" in told["flipped.fits.gz"]
    assert "votes are never negative" in told["signed.fits"]
    assert told["cube.fits"] == "cube.fits holds no map of counts; take it out of the folder"
    read.clear()
    assert index_votes(folder).skipped == told
    assert read == []


def test_bad_members_among_thousands_are_told_and_the_rest_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "thousands"
    folder.mkdir()
    fits.writeto(tmp_path / "one.fits", np.array([[0, 1], [2, 3]], np.uint8))
    good = (tmp_path / "one.fits").read_bytes()
    for number in range(2000):
        (folder / f"{number:04}.fits").write_bytes(good)
    bad = {"0007.fits": b"", "0300.fits": b"words", "1999.fits": good[:2881]}
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    fits.writeto(folder / "0042.fits", np.array([[0.5]]), overwrite=True)
    fits.writeto(folder / "0043.fits", np.array([[1.0, np.nan]]), overwrite=True)
    votes = index_votes(folder)
    assert len(votes) == 1996
    assert sorted(votes.skipped) == sorted([*bad, "0042.fits"])
    assert all(name in why and "\n" not in why for name, why in votes.skipped.items())
    assert votes.areas(2).sum() == 2 * 1995
    assert votes.incomplete == {"0043.fits": 1}
    assert index_votes(folder).incomplete == votes.incomplete


def test_what_gzip_packed_in_two_parts_is_one_file(folder: Path) -> None:
    data = gzip.decompress((folder / "gz3d_1.fits.gz").read_bytes())
    (folder / "two.fits.gz").write_bytes(gzip.compress(data[:5000]) + gzip.compress(data[5000:]))
    votes = index_votes(folder)
    table = votes.table("bar")
    assert table["area_1"][table["file"] == "two.fits.gz"] == table["area_1"][1]


def test_scaled_and_packed_maps_mean_what_they_say(tmp_path: Path) -> None:
    values = np.arange(30).reshape(5, 6)
    unsigned = fits.ImageHDU(values.astype(np.uint16))
    unsigned.writeto(tmp_path / "maps.fits")
    packed = fits.CompImageHDU(values.astype(np.int16))
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(tmp_path / "packed.fits")
    for name in ("maps.fits", "packed.fits"):
        (only,) = scanned(tmp_path / name).maps
        assert only.histogram.tolist() == [1] * 30


def test_bytes_in_memory_are_told_apart() -> None:
    assert InMemory(b"one", "a").identity == InMemory(b"one", "b").identity
    assert InMemory(b"one", "a").identity != InMemory(b"two", "a").identity


def test_a_damaged_index_is_made_again(folder: Path, read: list[str]) -> None:
    expected = index_votes(folder).areas(2)
    (part,) = index.CACHE.folder.iterdir()
    part.write_bytes(part.read_bytes()[:500])
    read.clear()
    assert np.array_equal(index_votes(folder).areas(2), expected)
    assert len(read) == 6


def test_an_index_without_a_place_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "taken").write_text("")
    monkeypatch.setenv("ASTROSEG_CACHE", str(folder / "taken"))
    votes = index_votes(folder)
    assert len(votes) == 21
    (note,) = votes.notes
    assert "the index is not kept for the next time" in note


def test_what_is_no_folder_of_votes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VoteError, match="is no folder; name the one"):
        index_votes(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VoteError, match="holds no FITS files; name the folder"):
        index_votes(tmp_path / "empty")
    votes = index_votes(galaxy(tmp_path / "one" / "a.fits", 1).parent)
    with pytest.raises(VoteError, match="give a threshold from 1 up"):
        votes.areas(0)
    with pytest.raises(VoteError, match="no votes are for 'arms'; use one of center"):
        votes.areas(1, "arms")


def many(count: int) -> Records:
    rng = np.random.default_rng(1)
    histograms = [rng.integers(1, 99, rng.integers(1, 18)) for _ in range(50)]
    found = [
        Scanned(
            "", 0, 0, 1, tuple(ScannedMap(k, 15, 9, histograms[(n + k) % 50]) for k in range(4))
        )
        for n in range(50)
    ]
    return recorded((Stamp(f"{n}.fits", n, n), found[n % 50]) for n in range(count))


def test_thirty_thousand_files_answer_any_threshold(tmp_path: Path) -> None:
    records = many(29_813)
    records.write(tmp_path / "part.npz")
    read = Records.read(tmp_path / "part.npz")
    assert read is not None
    votes = index.VoteFolder(tmp_path, read)
    votes.areas(3, "spiral")
    counted = [votes.areas(threshold, "spiral") for threshold in (1, 2, 3, 4, 5, 6)]
    assert all(len(areas) == 29_813 for areas in counted)
    assert all((more >= fewer).all() for more, fewer in pairwise(counted))


def test_records_join_and_choose() -> None:
    one, two = many(3), many(5)
    both = joined([one, two])
    assert len(both) == 8
    chosen = both.chosen([7, 0])
    assert list(chosen.names) == ["4.fits", "0.fits"]
    for place, source in ((0, 7), (1, 0)):
        own, theirs = chosen.maps["file"] == place, both.maps["file"] == source
        assert np.array_equal(chosen.maps[own]["most"], both.maps[theirs]["most"])
    start = both.starts[both.maps["file"] == 7][0]
    size = chosen.maps["most"][0] + 1
    assert np.array_equal(chosen.above[:size], both.above[start : start + size])


def test_the_real_file_in_a_folder(shared_data: Path, tmp_path: Path) -> None:
    (path,) = (shared_data / "gz3d").glob("*.fits.gz")
    (tmp_path / "maps").mkdir()
    shutil.copy(path, tmp_path / "maps")
    os.utime(tmp_path / "maps" / path.name)
    table = index_votes(tmp_path / "maps").table()
    assert table["id"].tolist() == ["1-411"] * 4
    assert table["drew"].tolist() == [14, 6, 0, 0]
    assert table["voters"].tolist() == [15, 15, 0, 0]
    assert [table[f"area_{n}"][1] for n in range(1, 7)] == [97, 97, 97, 91, 91, 13]
    assert not (tmp_path / "cache" / "unpacked").exists()
