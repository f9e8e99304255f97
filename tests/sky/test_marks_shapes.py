"""A shape is what it says on the sky, on any pixels, and goes through the store like a stroke."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
import regions
from astropy.coordinates import SkyCoord
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Outline
from scipy import ndimage
from shapedsky import IN_PIXELS, SHAPE, SKIES, bare, placed, sky

from napari_astroseg.errors import AstroSegError, MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.shapes import (
    MOST,
    add_shapes,
    changed_shapes,
    mark_shapes,
    put_shape,
    remove_shapes,
    shapes_of,
)
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.shapes import raster
from napari_astroseg.sky.shapes.interop import of_region, to_region
from napari_astroseg.sky.shapes.outline import rings, touches
from napari_astroseg.sky.shapes.placing import frame_of, in_frame, in_pixels, on_sky
from napari_astroseg.sky.shapes.raster import filled, marked, reach
from napari_astroseg.sky.shapes.shape import Shape, coordinates
from napari_astroseg.sky.window import Window

WHOLE = Window.whole(SHAPE)


def mask(shape: Shape, image: SkyImage) -> np.ndarray:
    (outline,) = rings([shape], image)
    return marked(shape, outline, WHOLE)


def offsets(shape: Shape, image: SkyImage) -> tuple[np.ndarray, np.ndarray]:
    """Of every pixel's centre from that of a shape, along its axes, arcsec: by astropy alone."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    there = image.sky(columns, rows)
    centre = coordinates(*shape.points[0], shape.frame)
    there = there.transform_to(centre.frame.replicate_without_data())
    far = centre.separation(there).arcsec
    angle = np.radians(90 + centre.position_angle(there).deg - shape.angle)
    return far * np.cos(angle), far * np.sin(angle)


# --- records ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", IN_PIXELS, ids=lambda shape: shape.form)
def test_a_shape_survives_json(shape: Shape) -> None:
    assert Shape.from_json(shape.to_json()) == shape
    assert Shape.from_json(shape.to_json()).when == shape.when


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"form": "circle", "sizes": (0.0,)}, "radius of 0 px is none; give one above 0"),
        ({"form": "circle", "sizes": (-3.0,)}, "radius of -3 px is none; give one above 0"),
        ({"form": "circle", "sizes": (float("nan"),)}, "radius of nan px is none"),
        ({"form": "circle", "sizes": (float("inf"),)}, "radius of inf px is none; give one up to"),
        ({"form": "circle", "sizes": ()}, "0 sizes make no circle; give radius"),
        ({"form": "circle", "sizes": (4e5,), "frame": "icrs"}, "up to 324000 arcsec"),
        ({"form": "circle", "sizes": (1.0,), "frame": "fk6"}, "'fk6' is no frame"),
        ({"form": "blob"}, "'blob' is no shape; use one of point"),
        ({"form": "polygon", "points": ((0, 0), (1, 1))}, "2 vertices make no polygon; give at"),
        ({"form": "line"}, "a line has 2 points, not 1"),
        ({"form": "point", "points": ((float("nan"), 3.0),)}, "nan, 3 is no place in an image"),
        ({"form": "point", "points": ((1e300, 3.0),)}, "is no place in an image"),
        ({"form": "point", "points": ((10.0, 91.0),), "frame": "icrs"}, "is no place on the sky"),
        ({"form": "annulus", "sizes": (5.0, 5.0)}, "an annulus from 5 to 5 px has nothing between"),
        ({"form": "box", "sizes": (1.0, 1.0), "angle": float("nan")}, "an angle of nan is none"),
        ({"form": "point", "name": "x" * 10_001}, "is too long; shorten it"),
        ({"form": "polygon", "points": ((0, 0),) * 100_001}, "100,001 vertices is too long"),
    ],
)
def test_what_is_no_shape_is_refused(made: dict[str, object], why: str) -> None:
    with pytest.raises(MarkError, match=why):
        Shape(**({"points": ((1.0, 2.0),)} | made))


@pytest.mark.parametrize(
    "told",
    [
        None, [], "circle", {}, {"form": "circle"}, {"form": 5, "frame": "icrs", "points": []},
        {"form": "point", "frame": "pixel", "points": [[1]]},
        {"form": "point", "frame": "pixel", "points": [[1, "x"]]},
        {"form": "point", "frame": "pixel", "points": [[1, 2]], "name": 3},
        {"form": "point", "frame": "pixel", "points": [[1, 2]], "when": "yesterday"},
        {"form": "circle", "frame": "pixel", "points": [[1, 2]], "sizes": [10**400]},
    ],
)  # fmt: skip
def test_json_that_is_no_shape_is_told(told: object) -> None:
    with pytest.raises(MarkError):
        Shape.from_json(told)


# --- outlines and masks -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SKIES)
@pytest.mark.parametrize("form", ["circle", "ellipse", "box", "annulus", "ellipse_annulus"])
def test_what_a_shape_marks_is_what_lies_inside_it_on_the_sky(kind: str, form: str) -> None:
    image = sky(kind)
    centre = image.sky(140.3, 118.8)
    sizes = {
        "circle": (45.0,), "ellipse": (60.0, 25.0), "box": (90.0, 50.0), "annulus": (20.0, 45.0),
        "ellipse_annulus": (20.0, 15.0, 60.0, 45.0),
    }[form]  # fmt: skip
    lon, lat = centre.spherical.lon.deg, centre.spherical.lat.deg
    angle = 35.0 if len(sizes) > 1 and form != "annulus" else 0.0
    shape = Shape(form, ((float(lon), float(lat)),), sizes, angle, frame_of(image))
    along, across = offsets(shape, image)
    if "box" in form:
        how_far = np.maximum(np.abs(along) / sizes[0], np.abs(across) / sizes[1]) * 2
        edges = [how_far]
    elif shape.is_annulus:
        half = len(sizes) // 2
        edges = [np.hypot(along / s[0], across / s[-1]) for s in (sizes[half:], sizes[:half])]
    else:
        edges = [np.hypot(along / sizes[0], across / sizes[-1])]
    inside = np.logical_xor.reduce([edge < 1 for edge in edges])
    # A ring runs up to 0.01 px inside its curve: nearer centres may fall on either side.
    doubtful = np.any([np.abs(edge - 1) < 0.03 / min(sizes) for edge in edges], axis=0)
    found = mask(shape, image)
    assert inside.sum() > 500
    assert doubtful.sum() < 100
    assert np.array_equal(found[~doubtful], inside[~doubtful])


@pytest.mark.parametrize("shape", IN_PIXELS[3:], ids=lambda shape: shape.form)
def test_in_pixels_it_marks_what_the_regions_package_does(shape: Shape) -> None:
    image = bare()
    theirs = to_region(shape).to_mask(mode="center").to_image(SHAPE) > 0
    ours = mask(shape, image)
    assert ours.sum() > 100
    assert (ours != theirs).sum() <= 2  # centres within 0.01 px of an edge


def test_a_circle_at_a_whole_pixel_is_symmetrical() -> None:
    for radius in (5.0, 10.0, 25.0):
        found = mask(Shape("circle", ((120.0, 120.0),), (radius,)), bare())
        part = found[120 - 30 : 120 + 31, 120 - 30 : 120 + 31]
        for other in (part[::-1], part[:, ::-1], part.T):
            assert np.array_equal(part, other)
        rows, columns = np.mgrid[-30:31, -30:31]
        assert np.array_equal(part, rows**2 + columns**2 < radius**2)


polygons = st.lists(
    st.tuples(st.floats(-20, 60, width=32), st.floats(-20, 60, width=32)), min_size=3, max_size=12
)


@given(polygons, st.integers(1, 40))
@settings(max_examples=80)
def test_polygons_are_filled_by_the_even_odd_rule(
    points: list[tuple[float, float]], crossings: int
) -> None:
    window = Window(-5, 3, 50, 40)
    ring = np.array(points, float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raster, "_CROSSINGS", crossings)
        found = filled([ring], window)
    rows, columns = np.mgrid[3:43, -5:45] + 0.0
    start, end = ring, np.roll(ring, -1, axis=0)
    count = np.zeros(window.shape, int)
    near = np.zeros(window.shape, bool)
    for (x0, y0), (x1, y1) in zip(start, end, strict=True):
        crossed = (y0 <= rows) != (y1 <= rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            x = x0 + (rows - y0) * (x1 - x0) / (y1 - y0)
        count += crossed & (x <= columns)
        near |= crossed & (np.abs(x - columns) < 1e-9)
    assert np.array_equal(found[~near], (count % 2 == 1)[~near])


def test_a_simple_polygon_is_filled_as_matplotlib_fills_it() -> None:
    rng = np.random.default_rng(4)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 4000))
    ring = np.column_stack((np.cos(turn), np.sin(turn))) * rng.uniform(40, 110, (4000, 1)) + 118.3
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    inside = Outline(ring).contains_points(np.column_stack((columns.ravel(), rows.ravel())))
    assert np.array_equal(filled([ring], WHOLE), inside.reshape(SHAPE))


def test_points_and_lines_mark_the_pixels_under_them() -> None:
    point = mask(IN_PIXELS[0], bare())
    assert np.argwhere(point).tolist() == [[40, 30]]
    line = mask(IN_PIXELS[2], bare())
    assert line[10, 10]
    assert line.sum() == 72  # one for each column
    assert not mask(IN_PIXELS[1], bare()).any()  # a text says something, and marks nothing
    far = mask(Shape("line", ((-1e9, 30.0), (1e9, 30.0))), bare())
    assert far[30].all()
    assert far.sum() == SHAPE[1]
    assert not mask(Shape("line", ((-5.0, -9.0), (400.0, -9.0))), bare()).any()
    assert not mask(Shape("point", ((-5.0, 9.0),)), bare()).any()


def test_a_line_goes_on_unbroken_from_one_window_to_the_next() -> None:
    rng = np.random.default_rng(0)
    for ends in rng.uniform(-20, 220, (300, 2, 2)):
        line = Shape("line", tuple(map(tuple, ends.tolist())))
        (outline,) = rings([line], bare())
        whole = marked(line, outline, Window(0, 0, 200, 200))
        parts = np.zeros_like(whole)
        for x, y in ((0, 0), (90, 0), (0, 90), (90, 90)):
            part = Window(x, y, 110 if x else 90, 110 if y else 90)
            parts[part.slices] = marked(line, outline, part)
        assert np.array_equal(parts, whole)
        assert ndimage.label(whole, np.ones((3, 3)))[1] <= 1
        rows, columns = np.nonzero(whole)
        way = ends[1] - ends[0]
        off = way[0] * (rows - ends[0, 1]) - way[1] * (columns - ends[0, 0])
        assert (np.abs(off) / np.hypot(*way) <= 0.75).all()


@pytest.mark.parametrize("farthest", [181.0, 183.0])
def test_what_hangs_over_the_edge_of_a_part_of_the_sky_is_on_its_own_side(farthest: float) -> None:
    # Cut from a map of the whole plane, around its far end: 178 to 182 deg of longitude.
    header = fits.Header(SKIES["galactic"] | {
        "CDELT1": -0.01, "CDELT2": 0.01, "CRVAL1": 0.0, "CRVAL2": 0.0,
        "CRPIX1": 18200.5, "CRPIX2": 200.5,
    })  # fmt: skip
    image = placed(header, (400, 400))
    corners = ((179.0, -1.0), (farthest, -1.0), (farthest, 1.0), (179.0, 1.0))
    shape = Shape("polygon", corners, frame="galactic")
    (outline,) = rings([shape], image)
    found = marked(shape, outline, Window.whole((400, 400)))
    lon = image.sky(np.arange(400), np.zeros(400)).spherical.lon.deg % 360
    assert np.array_equal(found[200], (lon > 179) & (lon < farthest))


def test_what_is_far_off_touches_nothing_and_marks_nothing() -> None:
    image = sky()
    shapes = [
        Shape("circle", ((330.0, -40.0),), (10.0,), frame="icrs"),  # the other side of the sky
        Shape("circle", ((150.0, 45.0),), (10.0,), frame="icrs"),
        Shape("circle", ((-1e8, 5.0),), (10.0,)),
    ]
    for shape, outline in zip(shapes, rings(shapes, image), strict=True):
        assert not touches(outline, SHAPE)
        assert reach(outline, SHAPE) is None
        assert not marked(shape, outline, WHOLE).any()


def test_a_circle_over_the_edge_of_an_all_sky_map_is_on_both_sides() -> None:
    header = fits.Header(SKIES["galactic"] | {"CDELT1": -1.0, "CDELT2": 1.0, "CRPIX1": 180.5,
                                              "CRPIX2": 90.5})  # fmt: skip
    image = placed(header, (180, 360))
    shape = Shape("circle", ((180.0, 10.0),), (20 * 3600.0,), frame="galactic")
    (outline,) = rings([shape], image)
    assert len(outline) == 2
    found = marked(shape, outline, Window.whole((180, 360)))
    rows, columns = np.mgrid[:180, :360]
    far = image.sky(columns, rows).separation(coordinates(180, 10, "galactic")).deg
    wrong = found != (far < 20)
    assert found[100, :15].all()
    assert found[100, -15:].all()
    assert wrong.sum() <= 2


def test_shapes_on_the_sky_want_a_sky() -> None:
    shape = Shape("point", ((150.0, 40.0),), frame="icrs")
    for ask in (rings, in_pixels):
        with pytest.raises(
            MarkError, match="field has no sky coordinates to place shapes by; give"
        ):
            ask([shape], bare())
    assert on_sky([IN_PIXELS[4]], bare()) == [IN_PIXELS[4]]


# --- on the sky and back ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SKIES)
def test_shapes_in_pixels_survive_the_sky(kind: str) -> None:
    image = sky(kind)
    there = on_sky(IN_PIXELS, image)
    assert {shape.frame for shape in there} == {"galactic" if kind == "galactic" else "icrs"}
    for shape, on, back in zip(IN_PIXELS, there, in_pixels(there, image), strict=True):
        assert back is not None
        assert (on.name, on.class_name, on.who, on.when) == (
            shape.name, shape.class_name, shape.who, shape.when
        )  # fmt: skip
        if back.form == shape.form:
            np.testing.assert_allclose(back.points, shape.points, atol=1e-4)
        if shape.centred:
            ours, theirs = mask(shape, image), mask(on, image)
            assert (ours != theirs).sum() <= (
                200 if "box_" in shape.form else 0.02 * ours.sum() + 4
            )
        if back.form == shape.form:
            np.testing.assert_allclose(back.sizes, shape.sizes, rtol=2e-3)


def test_a_circle_is_round_only_where_pixels_are_square() -> None:
    (round_one,) = on_sky([IN_PIXELS[4]], sky("turned"))
    assert round_one.form == "circle"
    assert round_one.sizes[0] == pytest.approx(25.0, rel=1e-4)
    (oblong,) = on_sky([IN_PIXELS[4]], sky("oblong"))
    assert oblong.form == "ellipse"
    assert sorted(oblong.sizes) == pytest.approx([25.0, 62.5], rel=1e-3)
    (back,) = in_pixels([oblong], sky("oblong"))
    assert back is not None
    assert back.sizes == pytest.approx((25.0, 25.0), rel=1e-3)


@pytest.mark.parametrize("kind", ["square", "oblong", "flipped", "turned", "distorted"])
def test_an_ellipse_lies_in_pixels_where_the_regions_package_puts_it(kind: str) -> None:
    pytest.importorskip("regions", minversion="0.12", reason="older ones turn flipped images wrong")
    image = sky(kind)
    shape = Shape("ellipse", ((150.005, 40.004),), (40.0, 15.0), 30.0, "icrs")
    (ours,) = in_pixels([shape], image)
    assert ours is not None
    theirs = of_region(to_region(shape).to_pixel(image.wcs))
    np.testing.assert_allclose(ours.points, theirs.points, atol=1e-3)
    np.testing.assert_allclose(ours.sizes, theirs.sizes, rtol=1e-3)
    assert abs((ours.angle - theirs.angle + 90) % 180 - 90) < 0.1


def test_a_box_on_pixels_that_are_not_square_is_a_box_only_along_them() -> None:
    image = sky("oblong")
    turned = Shape("box", ((150.0, 40.0),), (60.0, 60.0), 45.0, "icrs", class_name="arm")
    along = replace(turned, angle=180.0)
    diamond, box = in_pixels([turned, along], image)
    assert diamond is not None
    assert (diamond.form, diamond.class_name) == ("polygon", "arm")
    (x, y) = np.ptp(diamond.points, axis=0)
    assert (x, y) == pytest.approx((60 * np.sqrt(2), 60 * np.sqrt(2) / 2.5), rel=1e-3)
    assert box is not None
    assert box.form == "box"
    assert box.sizes == pytest.approx((60.0, 24.0), rel=1e-3)


def test_a_shape_that_is_off_the_sky_is_refused() -> None:
    whole = {"CTYPE1": "RA---AIT", "CTYPE2": "DEC--AIT", "CRVAL2": 0.0}
    image = placed(fits.Header(SKIES["square"] | whole | {"CDELT1": -1.5, "CDELT2": 1.5}), SHAPE)
    with pytest.raises(MarkError, match=r"pixel 1\.0, 2\.0 of field is off the sky; draw inside"):
        on_sky([Shape("point", ((1.0, 2.0),))], image)


def test_the_other_side_of_the_sky_has_no_pixels() -> None:
    shapes = [Shape("circle", ((330.0, -40.0),), (5.0,), frame="icrs"), IN_PIXELS[4]]
    assert in_pixels(shapes, sky()) == [None, IN_PIXELS[4]]


@pytest.mark.parametrize("frame", ["galactic", "fk5", "fk4", "ecliptic"])
def test_another_frame_moves_nothing(frame: str) -> None:
    shapes = on_sky(IN_PIXELS, sky())
    for shape, other in zip(shapes, in_frame(shapes, frame), strict=True):
        assert other.frame == frame
        ours, theirs = mask(shape, sky()), mask(other, sky())
        assert (ours != theirs).sum() <= 3
    assert in_frame(in_frame(shapes, frame), frame) == in_frame(shapes, frame)
    assert in_frame(IN_PIXELS, frame) == IN_PIXELS


@pytest.mark.parametrize("kind", ["square", "galactic", None])
def test_shapes_survive_the_regions_package(kind: str | None) -> None:
    shapes = on_sky(IN_PIXELS, sky(kind)) if kind else IN_PIXELS
    for shape in shapes:
        back = of_region(to_region(shape), shape.who, shape.when)
        expected = replace(shape, style="", angle=back.angle, points=back.points, sizes=back.sizes)
        if not shape.class_name and shape.tags:
            expected = replace(expected, class_name=shape.tags[0], tags=shape.tags[1:])
        assert back == expected
        np.testing.assert_allclose(back.points, shape.points, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(back.sizes, shape.sizes)
        assert back.angle == pytest.approx(shape.angle if len(shape.sizes) > 1 else back.angle)


def test_regions_that_are_no_shapes_are_refused() -> None:
    circle = to_region(IN_PIXELS[4])
    with pytest.raises(MarkError, match=r"CompoundPixelRegion is none of .*; make it a polygon"):
        of_region(circle | circle)
    odd = regions.CircleSkyRegion(SkyCoord(10, 20, unit="deg", frame="supergalactic"), 3 * u.arcmin)
    assert of_region(odd).frame == "icrs"
    assert of_region(odd).sizes == (180.0,)


# --- in the store -------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MarkStore]:
    with MarkStore.create(tmp_path / "field.marks", sky()) as made:
        yield made


def test_undo_goes_over_strokes_and_shapes_alike(store: MarkStore) -> None:
    shapes = on_sky(IN_PIXELS, sky())
    here = Window(5, 6, 7, 8)
    store.write(here, np.ones(here.shape, int), "stroke", "Ada")
    with store.step("import", "Ada") as draft:
        assert add_shapes(draft, shapes[:4]) == [1, 2, 3, 4]
        assert add_shapes(draft, shapes[4:]) == list(range(5, 11))
    assert draft.change is not None
    assert changed_shapes(draft.change) == tuple(range(1, 11))
    moved = replace(shapes[4], points=((150.0, 40.0),))
    with store.step("move", "Ada") as draft:
        put_shape(draft, 5, moved)
        remove_shapes(draft, [1, 2])
        assert list(shapes_of(draft)) == list(range(3, 11))
    store.write(here.moved(9, 9), np.ones(here.shape, int), "stroke", "Ada")
    assert shapes_of(store)[5] == moved
    assert list(shapes_of(store)) == list(range(3, 11))

    store.undo()
    assert shapes_of(store)[5] == moved
    back = store.undo()
    assert back is not None
    assert set(changed_shapes(back)) == {1, 2, 5}
    assert list(shapes_of(store).values()) == shapes
    store.undo()
    assert shapes_of(store) == {}
    assert store.read(here, "Ada").all()
    store.undo()
    assert not store.read(here, "Ada").any()
    for _ in range(4):
        assert store.redo() is not None
    with MarkStore.open(store.path, writing=False) as seen:
        assert shapes_of(seen) == shapes_of(store)
        assert shapes_of(seen)[5] == moved


def test_shapes_become_labels_in_one_step(store: MarkStore) -> None:
    image = sky()
    shapes = [
        replace(shape, class_name="Arm", excludes=False) for shape in on_sky(IN_PIXELS, image)
    ]
    expected = np.logical_or.reduce([mask(shape, image) for shape in shapes])
    hole = Shape("circle", ((200.0, 60.0),), (5.0,), excludes=True)
    expected &= ~mask(hole, image)
    with store.step("mark", "Ada") as draft:
        mark_shapes(draft, [*shapes, hole], image, {"arm": 3})
    found = store.read(WHOLE, "Ada")
    assert np.array_equal(found, np.where(expected, 3, 0))
    store.undo()
    assert not store.read(WHOLE, "Ada").any()


def test_a_class_without_a_label_is_told(store: MarkStore) -> None:
    with (
        pytest.raises(MarkError, match="there is no class arm to mark pixels by; use one of star"),
        store.step() as draft,
    ):
        mark_shapes(draft, [replace(IN_PIXELS[4], class_name="arm")], sky(), {"star": 1})
    with store.step() as draft:
        mark_shapes(draft, [replace(IN_PIXELS[4], class_name="arm")], sky(), {"": 7})
    assert store.read(WHOLE).max() == 7


def test_a_shape_as_large_as_a_mosaic_costs_what_it_marks(tmp_path: Path) -> None:
    image = bare((30_000, 30_000))
    with MarkStore.create(tmp_path / "a.marks", image) as store:
        thin = Shape("box", ((15_000.0, 15_000.0),), (30_000.0, 4.0))
        with store.step() as draft:
            mark_shapes(draft, [thin], image, {"": 1})
        assert (store.read(Window(29_990, 14_990, 20, 20)) > 0).sum() == 10 * 3


def test_too_many_shapes_are_refused(store: MarkStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_astroseg.sky.marks.shapes.MOST", 3)
    assert MOST > 3
    with (
        pytest.raises(MarkError, match="10 shapes are more than the 3 that are kept on one image"),
        store.step() as draft,
    ):
        add_shapes(draft, IN_PIXELS)
    assert shapes_of(store) == {}


def test_a_step_that_could_not_be_read_again_is_not_written(
    store: MarkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_astroseg.sky.marks.steps._MOST_TEXT", 500)
    with (
        pytest.raises(MarkError, match="too much at once to be taken back; do it in parts"),
        store.step() as draft,
    ):
        add_shapes(draft, IN_PIXELS)
    assert not store.done


@pytest.mark.parametrize("name", ["shape/", "shape/x", "shape/-1", "shape/1"])
def test_a_strangers_shapes_are_checked(store: MarkStore, name: str) -> None:
    with store.step() as draft:
        draft.set(name, {"form": "circle"})
    with pytest.raises(AstroSegError):
        shapes_of(store)


ADDING = """
import sys
from napari_astroseg.sky.marks.shapes import add_shapes
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.shapes.shape import Shape
with MarkStore.open(sys.argv[1]) as store:
    for n in range(100_000):
        with store.step(f"step {n}") as draft:
            add_shapes(draft, [Shape("circle", ((float(n), 1.0),), (2.0,))] * 3)
        print(n, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_at_any_moment_no_shape_is_lost_or_half_there(tmp_path: Path) -> None:
    path = tmp_path / "field.marks"
    MarkStore.create(path, bare()).close()
    done = 0
    for wanted in (1, 6):
        work = subprocess.Popen(
            [sys.executable, "-c", ADDING, str(path)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        with work:
            assert work.stdout is not None
            told = 0
            while told < wanted:
                told += bool(work.stdout.readline())
            os.kill(work.pid, signal.SIGKILL)
            told += len(work.stdout.read().splitlines())
        with MarkStore.open(path) as store:
            added = len(store.done) - done
            assert told <= added <= told + 1
            done = len(store.done)
            assert len(shapes_of(store)) == 3 * done
            assert store.undo() is not None
            assert len(shapes_of(store)) == 3 * done - 3
            store.redo()
