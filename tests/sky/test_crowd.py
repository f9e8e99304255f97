"""Several people's marks of one image become counts, painted or as shapes, and agreement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from shapedsky import SHAPE, SKIES, WHEN, bare, placed, sky

from napari_astroseg.errors import MarkError, VoteError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.classes import MarkClass, classes_of, put_class
from napari_astroseg.sky.marks.shapes import add_shapes
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.shapes.outline import rings
from napari_astroseg.sky.shapes.placing import on_sky
from napari_astroseg.sky.shapes.raster import marked
from napari_astroseg.sky.shapes.shape import Shape
from napari_astroseg.sky.votes import crowd as crowd_module
from napari_astroseg.sky.votes.agreement import agreement_on
from napari_astroseg.sky.votes.crowd import open_crowd
from napari_astroseg.sky.votes.crowdfile import (
    objects_of,
    picture_of,
    write_crowd,
    write_crowd_gz3d,
)
from napari_astroseg.sky.votes.gz3d import open_gz3d
from napari_astroseg.sky.votes.opening import open_votes
from napari_astroseg.sky.window import Window

WHOLE = Window.whole(SHAPE)
CIRCLE = Shape("circle", ((100.3, 90.4),), (30.0,), class_name="filament", who="Ada", when=WHEN)

Marks = Callable[..., Path]


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    """Makes a folder of marks: boxes of labels by annotator, and shapes in pixels."""

    def made(
        name: str,
        painted: Sequence[tuple[str, int, Window]] = (),
        shapes: Sequence[Shape] = (),
        image: SkyImage | None = None,
        classes: dict[int, str] | None = None,
    ) -> Path:
        image = image or sky()
        with MarkStore.create(tmp_path / f"{name}.marks", image) as store:
            for who, label, window in painted:
                store.write(window, np.full(window.shape, label), "stroke", who)
            with store.step("more") as draft:
                add_shapes(draft, on_sky(shapes, image))
                for label, kind in (classes or {}).items():
                    put_class(draft, classes_of(draft.values()), MarkClass(label, kind, "#ffffff"))
        return store.path

    return made


def mask_of(shape: Shape) -> np.ndarray:
    (outline,) = rings([shape], bare())
    return marked(shape, outline, WHOLE)


def box(*windows: Window, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for window in windows:
        mask[window.slices] = True
    return mask


A, B, C = Window(20, 30, 40, 50), Window(40, 50, 60, 40), Window(200, 100, 30, 20)


def test_painted_labels_and_shapes_are_counted_person_by_person(marks: Marks) -> None:
    crowd = open_crowd(
        [
            marks("ada", [("Ada", 1, A), ("Ada", 2, C)], [CIRCLE]),
            marks("grace", [("Grace", 1, B), ("Vera", 1, A)]),
            marks("henrietta"),  # who found nothing
        ]
    )
    assert [each.name for each in crowd.people] == ["Ada", "Grace", "Vera", "henrietta"]
    assert crowd.classes == ("bubble", "filament")
    expected = (box(A) | mask_of(CIRCLE)).astype(int) + box(B) + box(A)
    votes = crowd.votes("filament")
    assert np.array_equal(votes.counts, expected)
    assert np.array_equal(crowd.votes("bubble").counts, box(C))
    assert (votes.voters, votes.drew, votes.most) == (4, 3, int(expected.max()))
    assert votes.wcs is not None
    assert votes.image.sky(7, 9).separation(sky().sky(7, 9)).arcsec < 1e-6
    part = votes.image.pixels[30:40, 10:25]
    assert np.array_equal(part, expected[30:40, 10:25])
    assert crowd.people[0].time > WHEN
    assert np.array_equal(votes.at_least(2), expected >= 2)


def test_a_pixel_counts_once_for_a_person(marks: Marks) -> None:
    other = replace(CIRCLE, points=((110.0, 95.0),))
    folder = marks("ada", [("Ada", 1, Window(90, 80, 40, 30))], [CIRCLE, other])
    counts = open_crowd([folder]).votes("filament").counts
    assert counts.max() == 1
    expected = box(Window(90, 80, 40, 30)) | mask_of(CIRCLE) | mask_of(other)
    assert np.array_equal(counts > 0, expected)


def test_a_shape_that_excludes_takes_away(marks: Marks) -> None:
    hole = replace(CIRCLE, sizes=(10.0,), excludes=True)
    elsewhere = replace(hole, points=((280.0, 220.0),))
    every = replace(hole, class_name="", points=((215.0, 110.0),), sizes=(5.0,))
    painted = [("Ada", 1, A), ("Ada", 2, C)]
    crowd = open_crowd([marks("ada", painted, [CIRCLE, hole, elsewhere, every])])
    assert np.array_equal(
        crowd.votes("filament").counts > 0, (box(A) | mask_of(CIRCLE)) & ~mask_of(hole)
    )
    assert np.array_equal(crowd.votes("bubble").counts > 0, box(C) & ~mask_of(every))


def test_shapes_without_a_name_belong_to_whom_the_folder_does(marks: Marks) -> None:
    nobodys = replace(CIRCLE, who="")
    one = open_crowd([marks("a", [("Ada", 1, A)], [nobodys])])
    assert [each.name for each in one.people] == ["Ada"]
    assert np.array_equal(one.votes("filament").counts > 0, box(A) | mask_of(CIRCLE))
    several = open_crowd([marks("b", [("Ada", 1, A), ("Grace", 1, A)], [nobodys])])
    assert [each.name for each in several.people] == ["Ada", "Grace", "b"]
    unnamed = open_crowd([marks("c", [("", 1, A)], [replace(CIRCLE, class_name="")])])
    assert [each.name for each in unnamed.people] == ["c", "Ada"]
    assert np.array_equal(unnamed.votes("shape").counts > 0, mask_of(CIRCLE))


def test_names_that_two_have_are_told_apart(marks: Marks) -> None:
    crowd = open_crowd([marks("a", [("Ada", 1, A)]), marks("b", [("Ada", 1, B)])])
    assert [each.name for each in crowd.people] == ["Ada (a.marks)", "Ada (b.marks)"]


def test_classes_are_matched_by_name_whatever_their_number(marks: Marks) -> None:
    crowd = open_crowd(
        [
            marks("a", [("Ada", 3, A)], classes={3: "Arm", 4: "ring"}),
            marks("b", [("Bo", 1, A), ("Bo", 9, C)], classes={1: "arm"}),
        ]
    )
    assert crowd.classes == ("Arm", "label 9")
    assert crowd.votes("Arm").most == 2


def test_nobody_marked_anything(marks: Marks, tmp_path: Path) -> None:
    crowd = open_crowd([marks("a"), marks("b")])
    assert crowd.classes == ()
    with pytest.raises(VoteError, match="nobody marked 'arm'; choose one of none"):
        crowd.votes("arm")
    with pytest.raises(VoteError, match="nobody marked anything, so there is nothing to count"):
        write_crowd(crowd, tmp_path / "f.fits")


def test_marks_of_another_image_are_refused(marks: Marks) -> None:
    first = marks("a", [("Ada", 1, A)])
    for name, other in (
        ("moved", placed(fits.Header(SKIES["square"] | {"CRVAL1": 150.1}), SHAPE)),
        ("small", sky(shape=(200, 100))),
        ("bare", bare()),
    ):
        folder = marks(name, image=other)
        with pytest.raises(VoteError, match=rf"{name}\.marks marks another image \(field, \d+ × "):
            open_crowd([first, folder])
    one, two = marks("x", image=bare(name="x")), marks("y", image=bare(name="y"))
    with pytest.raises(VoteError, match=r"\(y, 300 × 240 px\) than .* \(x, 300 × 240 px\); give"):
        open_crowd([one, two])
    assert len(open_crowd([one, marks("z", image=bare(name="x"))]).people) == 2


def test_what_is_no_crowd_is_told(marks: Marks, tmp_path: Path) -> None:
    folder = marks("a", [("Ada", 1, A)])
    with pytest.raises(VoteError, match="no folders of marks were given"):
        open_crowd([])
    with pytest.raises(VoteError, match="was given twice; name each once"):
        open_crowd([folder, tmp_path / "x" / ".." / "a.marks"])
    with pytest.raises(MarkError, match=r"is no folder of marks"):
        open_crowd([tmp_path])


def test_too_much_at_once_is_refused(marks: Marks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd_module, "_MOST_BYTES", 1000)
    with pytest.raises(VoteError, match="of 1 people spread over 40 × 50 pixels, too many"):
        open_crowd([marks("a", [("Ada", 1, A)])])


def test_reading_can_be_stopped(marks: Marks) -> None:
    def stop(what: str, done: int, total: int | None) -> None:
        assert (what, done, total) == ("reading a.marks", 0, 1)
        raise Stopped

    with pytest.raises(Stopped):
        open_crowd([marks("a")], progress=stop)


def test_a_mosaic_costs_what_is_marked(marks: Marks, tmp_path: Path) -> None:
    wide = (20_000, 30_000)
    corner = Window(25_000, 15_000, 100, 100)
    crowd = open_crowd([marks(n, [(n, 1, corner)], image=sky(shape=wide)) for n in "ab"])
    assert crowd.window == corner
    assert crowd.agreement("filament").objects["x"][0].value == 25_049.5
    votes = crowd.votes("filament").image.pixels
    assert votes[15_000:15_001, 24_999:25_002].tolist() == [[0, 2, 2]]
    with pytest.raises(VoteError, match="too large for the layout of Galaxy Zoo 3D; write maps"):
        write_crowd_gz3d(crowd, tmp_path / "f.fits", names={"filament": "spiral"})


def test_agreement_is_that_of_whole_masks(marks: Marks) -> None:
    crowd = open_crowd(
        [marks("a", [("Ada", 1, A)], [CIRCLE]), marks("b", [("Bo", 1, B), ("Bo", 1, C)]),
         marks("c", [("Cy", 1, A)])]
    )  # fmt: skip
    whole = agreement_on(
        [box(A) | mask_of(CIRCLE), box(B, C), box(A)], [each.name for each in crowd.people]
    )
    found = crowd.agreement("filament")
    assert found.fleiss == pytest.approx(whole.fleiss, rel=1e-12)
    for name in ("pairs", "objects", "object_pairs"):
        ours, theirs = getattr(found, name), getattr(whole, name)
        assert ours.colnames == theirs.colnames
        for column in ours.colnames:
            if ours[column].dtype.kind == "f":
                np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-12)
            else:
                assert (ours[column] == theirs[column]).all()
    assert len(crowd.agreement("filament", 2).objects) == 2
    with pytest.raises(VoteError, match="4 of 3 people cannot have marked an object"):
        crowd.agreement("filament", 4)
    with pytest.raises(VoteError, match="a field of 5 pixels cannot hold masks of 72,000"):
        agreement_on([box(A), box(B)], pixels=5)


def test_counts_are_written_with_their_sky(marks: Marks, tmp_path: Path) -> None:
    crowd = open_crowd([marks("a", [("Ada", 1, A), ("Ada", 2, C)]), marks("b", [("Bo", 1, B)])])
    (path,) = write_crowd(crowd, tmp_path / "new" / "votes.fits", ["filament"])
    read = open_votes(path)["votes"]
    assert np.array_equal(read.counts, crowd.votes("filament").counts)
    assert read.image.sky(3, 4).separation(sky().sky(3, 4)).arcsec < 1e-6
    with fits.open(path) as hdus:
        assert (hdus[1].header["VOTERS"], hdus[1].header["MOST"]) == (2, 2)
        assert hdus[1].data.dtype == np.uint8
    both = write_crowd(crowd, tmp_path / "votes.fits")
    assert [each.name for each in both] == ["votes_bubble.fits", "votes_filament.fits"]
    assert np.array_equal(open_votes(both[0])["votes"].counts, box(C))
    assert sorted(each.name for each in (tmp_path / "new").iterdir()) == ["votes.fits"]
    with pytest.raises(VoteError, match="nobody marked 'arm'"):
        write_crowd(crowd, tmp_path / "x.fits", ["arm"])


def test_the_layout_of_galaxy_zoo_3d_holds_them(marks: Marks, tmp_path: Path) -> None:
    crowd = open_crowd(
        [
            marks("a", [("Zoë", 1, A), ("Zoë", 2, C)], classes={1: "Spiral", 2: "Arm"}),
            marks("b", [("Bo", 1, B)], classes={1: "spiral"}),
        ]
    )
    with pytest.raises(
        VoteError, match="has no place for 'Arm'; say which of center, star, spiral"
    ):
        write_crowd_gz3d(crowd, tmp_path / "f.fits")
    path = write_crowd_gz3d(crowd, tmp_path / "f.fits.gz", names={"arm": "bar"})
    read = open_gz3d(path)
    votes = open_votes(path)
    assert np.array_equal(votes["spiral"].counts, crowd.votes("Spiral").counts)
    assert np.array_equal(votes["bar"].counts, crowd.votes("Arm").counts)
    assert [each.name for each in read.drawings["spiral"]] == ["Zoë", "Bo"]
    assert votes["spiral"].image.sky(3, 4).separation(sky().sky(3, 4)).arcsec < 1e-6
    assert not read.picture.data.compute().any()


def test_what_they_saw_goes_into_the_picture(marks: Marks, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(5, 1, SHAPE).astype("f4")
    values[:20] = np.nan
    fits.writeto(tmp_path / "image.fits", values, fits.Header(SKIES["square"]))
    image = open_image(tmp_path / "image.fits")
    crowd = open_crowd([marks("a", [("Ada", 4, A)], image=image)])
    path = write_crowd_gz3d(crowd, tmp_path / "f.fits", image=image)
    picture = open_gz3d(path).picture.data.compute()
    assert np.array_equal(np.moveaxis(picture, 0, -1), picture_of(image))
    assert not picture[:, :20].any()
    assert 60 < picture[:, 20:].mean() < 190
    with pytest.raises(VoteError, match="field is not what was marked; give that image, or none"):
        write_crowd_gz3d(crowd, tmp_path / "f.fits", image=sky(shape=(20, 20)))


@pytest.mark.parametrize("kind", ["square", "galactic", None])
def test_objects_become_a_catalogue(marks: Marks, tmp_path: Path, kind: str | None) -> None:
    image = sky(kind) if kind else bare()
    crowd = open_crowd([marks(n, [(n, 1, A), (n, 1, C)], image=image) for n in "ab"])
    catalogue = objects_of(crowd, crowd.agreement("filament"))
    assert catalogue.frame == {"square": "icrs", "galactic": "galactic", None: None}[kind]
    assert catalogue.table["x"].tolist() == [39.5, 214.5]
    assert catalogue.table["marked"].tolist() == [2, 2]
    if kind:
        x, _ = image.pixel(catalogue.position)
        np.testing.assert_allclose(x, catalogue.table["x"], atol=1e-6)
    assert len(catalogue.write(tmp_path / "objects.ecsv").read_text()) > 100
