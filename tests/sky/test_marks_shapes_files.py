"""Region files in every dialect and catalogues become shapes, and back; what cannot is told."""

from __future__ import annotations

import os
import time
import warnings
from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
import regions
from astropy.io import fits
from astropy.table import QTable, Table
from hypothesis import given, settings
from hypothesis import strategies as st
from shapedsky import IN_PIXELS, SHAPE, SKIES, WHEN, bare, placed, sky

from napari_astroseg.errors import AstroSegError, CatalogueError, MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.shapes import imported
from napari_astroseg.sky.shapes.cataloguefile import catalogue_of, read_catalogue, write_catalogue
from napari_astroseg.sky.shapes.ds9writing import ds9_lines
from napari_astroseg.sky.shapes.imported import Imported
from napari_astroseg.sky.shapes.interop import of_region
from napari_astroseg.sky.shapes.placing import in_pixels, on_sky
from napari_astroseg.sky.shapes.regionfile import read_regions, write_regions
from napari_astroseg.sky.shapes.shape import Shape


def read(folder: Path, text: str | bytes, image: SkyImage | None = None) -> Imported:
    path = folder / "some.reg"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_regions(path, image or sky(), who="Ada", when=WHEN)


def same(one: Shape, other: Shape, rtol: float = 1e-8) -> None:
    """Equal but for the last digits that a file keeps."""
    np.testing.assert_allclose(one.points, other.points, rtol=rtol, atol=1e-6)
    np.testing.assert_allclose(one.sizes, other.sizes, rtol=rtol)
    assert one.angle == pytest.approx(other.angle, abs=1e-5)
    assert replace(one, points=other.points, sizes=other.sizes, angle=other.angle) == other


def tagged(shape: Shape) -> Shape:
    """As region files keep class and tags: in one list."""
    if shape.class_name or not shape.tags:
        return shape
    return replace(shape, class_name=shape.tags[0], tags=shape.tags[1:])


# --- DS9 ----------------------------------------------------------------------------------------

BODIES = [
    "circle(100, 50, 20)", "ellipse(100, 50, 20, 10, 30)", "box(100,50,20,10,0)", "point(30 40)",
    "polygon(10,10,50,12,30,60)", "line(10,10,50,12)", "annulus(100,50,10,20)",
    "ellipse(100,50,4,3,8,6,10)", "box(100,50,4,3,8,6,350)", "text(60,60) # text={Two words}",
    "annulus(100,50,10,20,30)",
]  # fmt: skip
ON_SKY = [
    "circle(150.0, 40.0, 20\")", "ellipse(10:00:01.5, +40:00:10.0, 0.5', 10\", 30)",
    "box(149.99,40.01,0.01,0.005,0)", "polygon(150,40,150.02,40,150.01,40.02)",
    "annulus(9h59m58s,40d0m30s,10\",20\")", "line(150,40,150.01,40.01)", "point(150,40) # point=x",
    "ellipse(150,40,4\",3\",8\",6\",10)", "circle(2.617993877991494r,0.6981317007977318r,0.0001r)",
]  # fmt: skip
MORE = " # color=red text={it's} tag={one} tag={two} width=3"


@pytest.mark.parametrize(
    ("frame", "body"),
    [("image", body) for body in BODIES]
    + [(frame, body) for frame in ("icrs", "fk5", "fk4", "J2000", "b1950") for body in ON_SKY],
)
def test_lines_mean_what_the_regions_package_takes_them_for(
    tmp_path: Path, frame: str, body: str
) -> None:
    wide = {"CDELT1": -0.02, "CDELT2": 0.02}  # B1950 lies half a degree away
    found = read(tmp_path, f"{frame}\n{body}{'' if '#' in body else MORE}\n",
                 placed(fits.Header(SKIES["square"] | wide), SHAPE))  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = f"{frame}\n{body}{'' if '#' in body else MORE}"
        theirs = [of_region(each, "Ada") for each in regions.Regions.parse(text, format="ds9")]
    assert not found.skipped
    assert len(found.shapes) == len(theirs) >= 1
    for ours, other in zip(found.shapes, theirs, strict=True):
        same(replace(ours, style=""), other)
        assert ours.when == WHEN


def test_what_stands_behind_a_region_is_kept(tmp_path: Path) -> None:
    text = """# Region file format: DS9 version 4.1
# drawn at the telescope
global color=green dashlist=8 3 width=1 font="helvetica 10 normal roman" select=1
image
-circle(10,10,5) # color=#B8E986 text={This has both a " and ' ; in it} font="times 12 bold"
circle(20,10,5) # tag={arm} tag={west; sure} dash=1
+circle(30,10,5) # include=0
# text(40,10) color=red text={hello} textangle=30
text 50 10 {old way # too} # color=purple move=0
circle point 60 10
image;circle 70 10 5;icrs;circle 150.0d 40.0d 3"
composite(100,50,0) || composite=1
image; circle(80,10,5) || # color=blue
"""
    found = read(tmp_path, text)
    assert not found.skipped
    told = [(each.form, each.name, each.color, each.excludes, each.style) for each in found.shapes]
    assert told == [
        ("circle", "This has both a \" and ' ; in it", "#B8E986", True, 'font="times 12 bold"'),
        ("circle", "", "green", False, "dash=1"),
        ("circle", "", "green", True, ""),
        ("text", "hello", "red", False, "textangle=30"),
        ("text", "old way # too", "purple", False, "move=0"),
        ("point", "", "green", False, ""),
        ("circle", "", "green", False, ""),
        ("circle", "", "green", False, ""),
        ("circle", "", "blue", False, ""),
    ]
    assert [each.frame for each in found.shapes][-3:] == ["pixel", "icrs", "pixel"]
    assert (found.shapes[1].class_name, found.shapes[1].tags) == ("arm", ("west; sure",))
    assert found.comments == ("# drawn at the telescope",)
    assert found.shapes[0].points == ((9.0, 9.0),)  # DS9 counts from 1
    assert {each.who for each in found.shapes} == {"Ada"}


def test_sizes_in_other_units_than_places(tmp_path: Path) -> None:
    image = sky()
    found = read(tmp_path, 'image;circle(100,50,20")\nicrs;circle(150,40,20i)\nbox(150,40,4i,5",0)',
                 image)  # fmt: skip
    on, off = found.shapes
    assert (on.frame, on.sizes) == ("icrs", (20.0,))
    np.testing.assert_allclose(np.ravel(image.pixel(image.sky(99, 49))), (99, 49), atol=1e-6)
    (again,) = in_pixels([on], image)
    assert again is not None
    np.testing.assert_allclose(again.points, [(99, 49)], atol=1e-6)
    assert off.frame == "pixel"
    np.testing.assert_allclose(off.points, [(149.5, 119.5)], atol=1e-6)
    assert found.skipped == ("line 3: some of its sizes are angles and some pixels; give one kind",)
    lost = read(tmp_path, 'image;circle(100,50,20")', bare())
    assert "field has no sky coordinates to convert them" in lost.skipped[0]


def test_physical_pixels_follow_the_header(tmp_path: Path) -> None:
    header = fits.Header(SKIES["square"])
    header.update({"LTV1": -100.0, "LTV2": -50.0, "LTM1_1": 0.5, "LTM2_2": 0.5})
    path = tmp_path / "cut.fits"
    fits.writeto(path, np.zeros(SHAPE, "f4"), header)
    image = open_image(path)
    (shape,) = read(tmp_path, "circle(300, 200, 20)", image).shapes  # physical, as nothing else is
    assert shape.points == ((300 * 0.5 - 100 - 1, 200 * 0.5 - 50 - 1),)
    assert shape.sizes == (10.0,)
    (other,) = read(tmp_path, "image;circle(30p, 20, 20)\ncircle(150p,110p,9)", bare()).shapes
    assert other.points == ((149.0, 109.0),)  # without a file, they are the image's
    for bad in ({"LTM1_1": 0.0}, {"LTM1_2": 0.3}, {"LTV1": "x"}):
        odd = header.copy()
        odd.update(bad)
        fits.writeto(path, np.zeros(SHAPE, "f4"), odd, overwrite=True)
        found = read(tmp_path, "physical;circle(300, 200, 20)", open_image(path))
        assert "physical pixels of cut are turned, or none" in found.skipped[0]


def test_annuli_of_many_rings(tmp_path: Path) -> None:
    text = "image\nannulus(100,100,0,10,20)\nannulus(100,100,10,40,n=3)\nbox(99,99,0,0,4,4,8,8,10)"
    forms = [(each.form, each.sizes) for each in read(tmp_path, text).shapes]
    assert forms == [
        ("circle", (10.0,)), ("annulus", (10.0, 20.0)),
        ("annulus", (10.0, 20.0)), ("annulus", (20.0, 30.0)), ("annulus", (30.0, 40.0)),
        ("box", (4.0, 4.0)), ("box_annulus", (4.0, 4.0, 8.0, 8.0)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("circle(10,10)", "0 sizes make no circle; give radius"),
        ("circle(10)", "a circle of 1 numbers lacks a coordinate; give x and y"),
        ("circle(10,10,x)", "'x' is no size; write a number and its unit"),
        ("circle(nan,10,3)", "nan, 9 is no place in an image"),
        ("circle(10,10,nan)", "a radius of nan px is none"),
        ("circle(10,10,0)", "a radius of 0 px is none; give one above 0"),
        ("circle(10,10,-4)", "a radius of -4 px is none; give one above 0"),
        ("circle(99999,10,4)", "the circle at 99998, 9 px lies off field; nothing is lost"),
        ("circle(1e40,10,4)", "is no place in an image"),
        ("circle(10d,10,4)", "one coordinate on the sky and one in pixels name no place"),
        ("polygon(1,1,2,2)", "2 vertices make no polygon; give at least 3"),
        ("polygon(1,1,2,2,3)", "a polygon of 5 numbers lacks a coordinate"),
        ("ellipse(10,10,4,3,x)", "'x' is no angle; write degrees"),
        ("ellipse(10,10,4,3,4,5,7)", "an annulus from 4 to 4 px has nothing between"),
        ("annulus(10,10,9,3)", "an annulus from 9 to 3 px has nothing between"),
        ("annulus(10,10,9,n=3)", "'n=3' parts no annulus; give two radii before it"),
        ("circle(10:61:00,10,3)", "'10:61:00' is no coordinate; give minutes and seconds below"),
        ("circle(hello,10,3)", "'hello' is no coordinate; write degrees, or 12:34:56.7"),
        ("panda(10,10,0,90,4,1,3,2)", "a panda marks nothing that is kept; draw a polygon"),
        ("# vector(10,10,5,30) vector=1", "a vector marks nothing that is kept"),
        ("star(10,10,4)", "'star' is no region that is known; draw it as a polygon"),
        ("!!?", "'!!?' is no region; remove it"),
        ("linear;circle(10,10,3)", "a circle in linear coordinates cannot be placed; save it in"),
        ("icrs;circle(330,-40,3\")", "the circle at 330, -40 deg lies off field"),
        ("icrs;circle(330,-91,3\")", "330, -91 deg is no place on the sky"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_costs_a_sentence(tmp_path: Path, line: str, why: str) -> None:
    found = read(tmp_path, f"image\ncircle(10,10,3)\n{line}\nimage;circle(20,10,3)\n")
    assert [shape.points[0][0] for shape in found.shapes] == [9.0, 19.0]
    assert found.left_out == 1
    (sentence,) = found.skipped
    assert sentence.startswith("line 3: ")
    assert why in sentence


def test_a_sky_wants_an_image_with_one(tmp_path: Path) -> None:
    found = read(tmp_path, 'icrs;circle(150,40,3")\nimage;circle(10,10,3)', bare())
    assert len(found.shapes) == 1
    assert "a circle on the sky cannot be placed, as field has no sky" in found.skipped[0]
    assert found.sentence == "1 shape read, 1 skipped"


def test_real_region_files_of_many_dialects(tmp_path: Path, shared_data: Path) -> None:
    header = fits.Header(SKIES["square"] | {"CRVAL1": 202.48, "CRVAL2": 47.25, "CDELT1": -1 / 2000,
                                            "CDELT2": 1 / 2000})  # fmt: skip
    image = placed(header, (800, 800))
    found = read_regions(shared_data / "catalogues/test5.reg", image)
    assert not found.skipped
    names = [each.name for each in found.shapes]
    assert {"pt circle 1", "more text testing 4", "annulus 8", "boxann 11", "slanted box 12",
            "pt box 13", "polygon 14", "pt arrow 15"} <= set(names)  # fmt: skip
    assert names.count("annulus 8") == 2
    assert found.shapes[names.index("pt box 13")].excludes
    assert found.comments == ('#circle(202.55556, 47.188286 , 20p)  # color=blue text="text 11"',)
    (box,) = read_regions(shared_data / "catalogues/icrs-test.reg", sky("galactic")).skipped
    assert "lies off field" in box
    text = read_regions(shared_data / "catalogues/regionText.reg", image)
    assert next(each.name for each in text.shapes) == "text test 3"
    assert "physical;circle ;; color=cyan" in [each.name for each in text.shapes]


def test_what_is_no_region_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarkError, match=r"some\.reg is no region file: it holds bytes that are no"):
        read(tmp_path, b"SIMPLE\0\1\2")
    with pytest.raises(MarkError, match=r"none\.reg cannot be read \(no such file"):
        read_regions(tmp_path / "none.reg", sky())
    with pytest.raises(MarkError, match="is a directory"):
        read_regions(tmp_path, sky())


WORDS = [
    "1",
    "nan",
    "-2e400",
    '5"',
    "3'",
    "1:2",
    "1:2:3.5",
    "4d",
    "7p",
    "{",
    "}",
    "(",
    ")",
    "#",
    ";",
    "text={a",
    "tag=}",
    "||",
    ",",
    "n=3",
]


@given(st.binary(max_size=400))
@settings(max_examples=60)
def test_junk_costs_sentences_only(tmp_path: Path, junk: bytes) -> None:
    lines = b"image\ncircle(10,10,3)\n" + junk + b"\nimage;circle(20,10,3)"
    try:
        found = read(tmp_path, lines)
    except MarkError as error:
        assert "no text" in str(error)
        return
    assert found.shapes[0].points == ((9.0, 9.0),)
    assert read(tmp_path, b"#CRTF\n" + lines.replace(b"\0", b"")).left_out >= 2


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["circle", "box", "-ellipse", "#text", "polygon", "fk5;", "global", "n=", "annulus"]
            ),
            st.lists(st.sampled_from(WORDS)),
        ),
        max_size=6,
    )
)
@settings(max_examples=150)
def test_lines_nearly_right_cost_sentences_only(
    tmp_path: Path, lines: list[tuple[str, list[str]]]
) -> None:
    read(tmp_path, "\n".join(f"{head} {' '.join(words)}" for head, words in lines))


def test_a_file_of_a_million_lines_is_read_and_can_be_stopped(tmp_path: Path) -> None:
    count = 10_000
    rng = np.random.default_rng(1)
    lon, lat = 150 + rng.uniform(-20, 20, count), 40 + rng.uniform(-10, 10, count)
    lines = [f'circle({x:.6f},{y:.6f},2") # text={{{n}}}' for n, (x, y) in
             enumerate(zip(lon, lat, strict=True))]  # fmt: skip
    path = tmp_path / "many.reg"
    path.write_text("icrs\n" + "\n".join(lines) + '\ncircle(150,40,3")\n')
    heard: list[tuple[int, int | None]] = []
    begun = time.process_time()
    found = read_regions(path, sky(), progress=lambda _, done, total: heard.append((done, total)))
    spent = time.process_time() - begun
    assert found.shapes[-1].sizes == (3.0,)
    assert found.left_out == count + 1 - len(found.shapes)
    assert len(found.skipped) == imported.MOST_TOLD
    assert heard[0][1] == path.stat().st_size
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert spent < count * 600e-6  # a million lines take minutes at the very most

    def stop(what: str, done: int, total: int | None) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        read_regions(path, sky(), progress=stop)


def test_far_too_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imported, "MOST_SHAPES", 5)
    with pytest.raises(MarkError, match=r"some\.reg has more than 5 shapes on field; split it"):
        read(tmp_path, "image\n" + "circle(10,10,3)\n" * 6)


def test_a_line_without_an_end_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_astroseg.sky.shapes.regionfile._LONGEST_LINE", 100)
    long = "polygon(" + ",".join("9" * 300) + ")"
    found = read(tmp_path, f"image\n{long}\ncircle(10,10,3)\r\rcircle(20,10,3)\n")
    assert found.skipped == ("line 2: it is too long for a region; split it",)
    assert len(found.shapes) == 2


@pytest.mark.parametrize("kind", ["square", "galactic", None])
def test_shapes_survive_ds9(tmp_path: Path, kind: str | None) -> None:
    image = sky(kind) if kind else bare()
    shapes = [tagged(shape) for shape in on_sky(IN_PIXELS, image)]
    shapes[5] = replace(shapes[5], name="braces {and} ;\nlines", tags=("a", "b c"))
    path = write_regions(tmp_path / "new" / "all.reg", shapes, image, comments=["# so\nit is"])
    found = read_regions(path, image, who="Ada")
    assert not found.skipped
    assert found.comments == ("# so it is",)
    for shape, back in zip(shapes, found.shapes, strict=True):
        name = shape.name.replace("{", "(").replace("}", ")").replace("\n", " ")
        same(back, replace(shape, who="Ada", name=name))
    text = path.read_text()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(regions.Regions.parse(text, format="ds9")) == len(shapes)


def test_no_shapes_make_a_region_file_too() -> None:
    assert list(ds9_lines([])) == ["# Region file format: DS9 version 4.1"]


# --- CASA ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["square", "galactic"])
def test_shapes_survive_casas_format(tmp_path: Path, kind: str) -> None:
    image = sky(kind)
    forms = ("line", "polygon", "circle", "ellipse", "box", "annulus", "point")
    shapes = [
        replace(shape, tags=(), style="", color="", class_name="", name="", excludes=False)
        for shape in on_sky(IN_PIXELS, image)
        if shape.form in forms
    ]
    path = write_regions(tmp_path / "all.crtf", shapes, image)
    found = read_regions(path, image)
    assert path.read_text().startswith("#CRTF")
    assert [shape.form for shape in found.shapes] == [shape.form for shape in shapes]
    for shape, back in zip(shapes, found.shapes, strict=True):
        assert back.frame == shape.frame
        np.testing.assert_allclose(back.points, shape.points, atol=1e-7)
        np.testing.assert_allclose(back.sizes, shape.sizes, rtol=1e-5)


def test_casas_lines_that_cannot_be_read(tmp_path: Path) -> None:
    text = """#CRTFv0
# a word
global coord=ICRS, color=blue
circle[[150.0deg, 40.0deg], 20arcsec]
circle[[150.0deg, 40.0deg], 20parsec]
blob[[1,2]]
circle[[10.0deg, 40.0deg], 20arcsec]
"""
    found = read(tmp_path, text)
    assert [shape.sizes for shape in found.shapes] == [(20.0,)]
    assert found.comments == ("# a word",)
    assert [sentence.partition(":")[0] for sentence in found.skipped] == [
        "line 5",
        "line 6",
        "line 7",
    ]


# --- catalogues ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["ecsv", "fits", "csv", "vot"])
@pytest.mark.parametrize("kind", ["square", "galactic", "oblong", None])
def test_shapes_survive_a_catalogue(tmp_path: Path, ending: str, kind: str | None) -> None:
    image = sky(kind) if kind else bare()
    shapes = [
        replace(shape, tags=(), style="", color="", who="Zoë", when=WHEN)
        for shape in on_sky(IN_PIXELS, image)
    ]
    path = write_catalogue(tmp_path / f"all.{ending}", shapes, image)
    found = read_catalogue(path, image)
    assert not found.skipped
    for shape, back in zip(shapes, found.shapes, strict=True):
        same(back, shape, rtol=1e-7)
        assert back.when == WHEN


def test_a_catalogue_has_places_on_the_sky_and_in_pixels() -> None:
    image = sky("oblong")
    shapes = [
        Shape("circle", ((150.0, 40.0),), (25.0,), frame="icrs"),
        Shape("polygon", ((10.2, 10.2), (30.2, 10.2), (20.2, 40.2))),
    ]
    table = catalogue_of(shapes, image).table
    assert table["radius"][0] == 25 * u.arcsec
    assert np.isnan(table["radius"][1])
    np.testing.assert_allclose(
        [table["major_px"][0].value, table["minor_px"][0].value], (25, 10), rtol=1e-3
    )
    np.testing.assert_allclose([table["x"][0], table["y"][0]], (149.5, 119.5), atol=1e-6)
    np.testing.assert_allclose([table["x"][1], table["y"][1]], (20.2, 20.2), atol=1e-3)
    assert table["vertices"][0] == ""
    assert len(table["vertices"][1].split()) == 6
    assert len(catalogue_of([], image)) == 0
    assert catalogue_of([], bare()).frame is None


def write(folder: Path, table: Table, name: str = "some.ecsv") -> Path:
    table.write(folder / name, overwrite=True)
    return folder / name


def test_rows_become_points_circles_ellipses_or_boxes(tmp_path: Path) -> None:
    image = sky()
    place = {"RAJ2000": [150.0, 149.99] * u.deg, "DEJ2000": [40.0, 40.01] * u.deg}
    axes = {"major": [9, 8] * u.arcsec, "minor": [5, 4] * u.arcsec, "pa": [20, 30] * u.deg}
    for more, form, sizes in (
        ({}, "point", ()),
        ({"Reff": [0.5, 0.1] * u.arcmin}, "circle", (30.0,)),
        (axes, "ellipse", (9.0, 5.0)),
        ({"width": [0.01, 0.01] * u.deg, "height": [9, 9] * u.arcsec}, "box", (36.0, 9.0)),
    ):  # fmt: skip
        found = read_catalogue(write(tmp_path, QTable(place | more)), image)
        assert {shape.form for shape in found.shapes} == {form}
        assert found.shapes[0].frame == "fk5"
        assert found.shapes[0].sizes == pytest.approx(sizes)
        assert found.shapes[0].angle == (110.0 if form == "ellipse" else 0.0)


def test_sizes_in_pixels_go_with_places_on_the_sky_and_the_other_way_round(tmp_path: Path) -> None:
    image = sky()
    on = Table({"ra": [150.0], "dec": [40.0], "radius_px": [5.0]})
    (shape,) = read_catalogue(write(tmp_path, on, "a.csv"), image).shapes
    assert (shape.frame, shape.sizes) == ("pixel", (5.0,))
    np.testing.assert_allclose(shape.points, [(149.5, 119.5)], atol=1e-6)
    off = Table({"X_IMAGE": [150.5], "Y_IMAGE": [120.5], "radius": [7.0]})
    (shape,) = read_catalogue(
        write(tmp_path, off, "a.csv"), image, units={"radius": "arcsec"}
    ).shapes
    assert (shape.frame, shape.sizes) == ("icrs", (7.0,))
    np.testing.assert_allclose(shape.points, [(150, 40)], atol=1e-9)


def test_places_are_found_in_many_forms(tmp_path: Path) -> None:
    image = sky()
    for table, wanted in (
        (Table({"ra": ["10:00:00", "bad"], "dec": ["+40 00 00", "+40 00 00"]}), "icrs"),
        (Table({"ra": [10.0] * u.hourangle, "dec": [40.0] * u.deg}), "icrs"),
        (Table({"ra": [-210.0], "dec": [40.0]}), "icrs"),
        (Table({"ra": [510.0], "dec": [40.0]}), "icrs"),
        (Table({"lon": [150.0], "lat": [40.0]}), "icrs"),
        (Table({"x": [149.5], "y": [119.5]}), "pixel"),
        (Table({"alpha": [150.0], "delta": [40.0]}), "fk5"),
    ):
        names = {"lon": "alpha", "lat": "delta"} if "alpha" in table.colnames else {}
        frame = "fk5" if names else None
        found = read_catalogue(write(tmp_path, table), image, names=names, frame=frame)
        assert len(found.shapes) == 1
        assert found.shapes[0].frame == wanted
        (there,) = in_pixels(found.shapes, image)
        assert there is not None
        np.testing.assert_allclose(there.points, [(149.5, 119.5)], atol=0.1)
    galactic = read_catalogue(
        write(tmp_path, Table({"GLON": [359.999], "GLAT": [0.0]})), sky("galactic")
    )
    assert galactic.shapes[0].frame == "galactic"


def test_rows_that_are_no_shapes_are_skipped(tmp_path: Path) -> None:
    table = QTable(
        {
            "ra": [150.0, np.nan, 150.0, 150.0, 10.0, 150.0] * u.deg,
            "dec": [40.0, 40.0, 95.0, 40.0, 40.0, 40.0] * u.deg,
            "radius": [5.0, 5.0, 5.0, 0.0, 5.0, np.nan] * u.arcsec,
            "name": list("abcdef"),
        }
    )
    found = read_catalogue(write(tmp_path, table), sky(), who="Ada")
    assert [(shape.name, shape.who) for shape in found.shapes] == [("a", "Ada")]
    assert found.left_out == 5
    told = sorted(found.skipped)
    for sentence, start in zip(told, ("row 2: nan, 40 deg is no place", "row 3: 150, 95 deg is no",
                                      "row 4: a radius of 0 arcsec", "row 5: the circle at 10",
                                      "row 6: a radius of nan arcsec"), strict=True):  # fmt: skip
        assert sentence.startswith(start)
    words = Table({"x": ["9", "nine", "9"], "y": ["9", "9", "9"], "radius_px": ["2", "2", "two"]})
    found = read_catalogue(write(tmp_path, words), sky())
    assert [shape.sizes for shape in found.shapes] == [(2.0,)]
    assert [sentence.split(":")[0] for sentence in found.skipped] == ["row 2", "row 3"]
    masked = Table({"ra": [150.0, 150.0], "dec": [40.0, 40.0]}, masked=True)
    masked["ra"].mask[1] = True
    assert read_catalogue(write(tmp_path, masked), sky()).left_out == 1


@pytest.mark.parametrize(
    ("table", "more", "why"),
    [
        ({"mag": [3.0]}, {}, "some.ecsv has no positions; name its columns ra and dec"),
        ({"ra": [3.0], "dec": [3.0], "radius": [3.0]}, {}, "radius of some.ecsv has no unit"),
        ({"ra": [3.0], "dec": [3.0], "radius": [3.0] * u.K}, {}, "some.ecsv is in K, which"),
        ({"ra": [3.0] * u.m, "dec": [3.0]}, {}, "ra of some.ecsv is in m, which is no"),
        ({"ra": [3.0], "dec": [3.0], "angle": [3.0] * u.m, "width": [3.0] * u.deg,
          "height": [3.0] * u.deg}, {}, "angle of some.ecsv is in m, which is no angle"),
        ({"ra": [3.0], "dec": [3.0], "width": [3.0] * u.deg, "height": [3.0] * u.pix}, {},
         "some sizes in some.ecsv are angles and some pixels"),
        ({"ra": [3.0], "dec": [3.0], "radius": ["x"]}, {"units": {"radius": "arcsec"}},
         "column radius of some.ecsv holds no numbers"),
        ({"ra": [3.0], "dec": [3.0]}, {"units": {"radius": "furlong"}}, "'furlong' is no unit"),
        ({"ra": [3.0], "dec": [3.0]}, {"names": {"radius": "R"}}, "has no column R; it has"),
        ({"x": [3.0], "y": [3.0], "radius": [3.0] * u.deg}, {"image": bare()},
         "sizes in some.ecsv are angles, and field has no sky coordinates"),
        ({"ra": [3.0], "dec": [3.0]}, {"image": bare()}, "positions in some.ecsv are on the sky"),
    ],
)  # fmt: skip
def test_a_catalogue_that_cannot_be_used_is_told(
    tmp_path: Path, table: dict[str, object], more: dict[str, object], why: str
) -> None:
    image = more.pop("image", None) or sky()
    path = write(tmp_path, QTable(table))
    with pytest.raises(CatalogueError, match=why.replace(".", r"\.")):
        read_catalogue(path, image, **more)


def test_a_catalogue_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"^none\.csv cannot be read \(no such file"):
        read_catalogue(tmp_path / "none.csv", sky())


def test_rows_of_ours_that_were_changed_by_hand(tmp_path: Path) -> None:
    text = """id,form,class,name,ra,dec,radius_arcsec,vertices
1,circle,arm,a,150,40,3,
2,blob,arm,b,150,40,3,
3,polygon,arm,c,150,40,,150 40 150.01 40 x 40
4,polygon,arm,d,150,40,,150 40 150.01 40 150
5,box,arm,e,150,40,,
6,polygon,arm,f,150,40,,150 40 150.01 40 150 40.01
"""
    (tmp_path / "mine.csv").write_text(text)
    found = read_catalogue(tmp_path / "mine.csv", sky())
    assert [shape.name for shape in found.shapes] == ["a", "f"]
    assert [sentence.partition(";")[0] for sentence in found.skipped] == [
        "row 2: 'blob' is no shape",
        "row 3: its vertices are no numbers",
        "row 4: its vertices lack a coordinate",
        "row 5: there is no column width",
    ]


@pytest.mark.parametrize("name", ["x.ecsv", "x.csv", "x.fits", "x.vot", "x.xml"])
def test_junk_is_no_catalogue(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(os.urandom(3000))
    with pytest.raises(AstroSegError, match=name.replace(".", r"\.")):
        read_catalogue(tmp_path / name, sky())
    with pytest.raises(CatalogueError, match=r"no catalogue format ends in '\.txt'"):
        read_catalogue(tmp_path / "x.txt", sky())


def test_a_catalogue_that_is_read_can_be_stopped(tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int | None) -> None:
        raise Stopped

    path = write(tmp_path, Table({"x": [3.0], "y": [3.0]}))
    with pytest.raises(Stopped):
        read_catalogue(path, sky(), progress=stop)


def test_a_name_tells_its_frame_better_than_the_table_does(tmp_path: Path) -> None:
    table = Table({"ra": [150.0], "dec": [40.0]}, meta={"frame": "galactic"})
    (shape,) = read_catalogue(write(tmp_path, table), sky()).shapes
    assert (shape.frame, shape.points) == ("icrs", ((150.0, 40.0),))
    assert read_catalogue(write(tmp_path, table), sky(), frame="fk5").shapes[0].frame == "fk5"
