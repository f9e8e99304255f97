"""Projects in a window: saved, and opened again as they were; what is a stranger's is asked."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from gui.fixtures_jobs import own_settings, sky, spin
from napari.components import ViewerModel

from napari_astroseg.errors import OutputError
from napari_astroseg.gui import layers
from napari_astroseg.gui.comparing.onlyone import OnlyOne
from napari_astroseg.gui.comparing.seeing import SeeingBox
from napari_astroseg.gui.intake.places import all_layers
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.look.colourdata import colours_of
from napari_astroseg.gui.look.colourlayers import add_colour, tune
from napari_astroseg.gui.sessions import draft
from napari_astroseg.gui.sessions.questions import AllowDialog, MovedDialog
from napari_astroseg.gui.sessions.session import Session
from napari_astroseg.projects.finding import questions
from napari_astroseg.projects.project import View
from napari_astroseg.projects.projectfile import read_project
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.colour import Tuning
from napari_astroseg.sky.looks.limits import Limits
from napari_astroseg.sky.mosaics.mosaic import open_mosaic
from napari_astroseg.sky.opening import open_bands, open_image
from napari_astroseg.sky.window import Window


@pytest.fixture
def window(own_settings: Path, qapp: Any) -> Any:
    """Viewers without a window, each with a session; sessions end with the test."""
    made: list[Session] = []

    def make(docks: dict[str, Any] | None = None) -> tuple[Any, Session]:
        viewer = ViewerModel()
        session = Session(viewer, docks or {})
        session.sentences = []
        session.said.connect(session.sentences.append)
        made.append(session)
        return viewer, session

    yield make
    for session in made:
        session.shut_down()


def values_of(image: SkyImage) -> Any:
    """All values, without a pool of threads, which would outlive the test."""
    return image.cutout(Window.whole(image.shape))


def write(path: Path, number: int = 0, shift: int = 0, **cards: Any) -> Path:
    """A small image in a file; `shift` columns to the right of the first on the sky."""
    whole = sky(64)
    header = whole.header.copy()
    header["CRPIX1"] = header.get("CRPIX1", 1.0) - shift
    header.update(cards)
    values = values_of(whole) + number
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, values.astype(np.float32), header, "cm-2")
    return path


def saved(session: Session, path: Path) -> Path:
    session.save(path)
    assert spin(lambda: not session.busy)
    assert session.path == path, session.sentences
    return path


def opened(session: Session, path: Path) -> None:
    session.open(path)
    assert spin(lambda: not session.busy)


def test_layers_look_and_view_come_back(window: Any, tmp_path: Path) -> None:
    viewer, session = window()
    file = write(tmp_path / "maps" / "a.fits")
    first = layers.add_all(viewer, all_layers(open_image(file)))[0]
    second = layers.add_all(viewer, all_layers(open_image(write(tmp_path / "b.fits", 5))))[0]
    looks.wear(first, looks.Look("log", Limits(0.1, 0.8), None, "magma_r", 1.5))
    looks.draw_between(second, "sqrt", looks.ruled_limits(second, "99 %"))
    second.visible, first.opacity, first.blending = False, 0.5, "additive"
    viewer.layers.move(1, 0)
    viewer.scene.camera.center, viewer.scene.camera.zoom = (0.0, 12.0, 40.0), 3.5
    viewer.layers.selection.active = first
    assert session.changed
    path = saved(session, tmp_path / "work.astroseg.json")
    assert not session.changed

    other, again = window()
    opened(again, path)
    assert again.sentences == []
    assert [each.name for each in other.layers] == [each.name for each in viewer.layers]
    hidden, shown = other.layers
    assert (hidden.visible, shown.visible) == (False, True)
    assert (shown.opacity, str(shown.blending)) == (0.5, "additive")
    assert looks.look_of(shown) == looks.look_of(first)
    assert looks.look_of(hidden) == looks.look_of(second)
    assert layers.sky_image(shown).reference == layers.sky_image(first).reference
    assert layers.sky_image(shown).name == layers.sky_image(first).name
    spin(lambda: False, 0.5)  # what napari does when the window has settled
    assert tuple(other.scene.camera.center)[-2:] == (12.0, 40.0)
    assert other.scene.camera.zoom == 3.5
    assert other.layers.selection.active is shown
    assert again.path == path
    assert not again.changed
    shown.visible = False
    assert again.changed


def test_mosaics_bands_colours_and_what_belongs_to_them_come_back(
    window: Any, tmp_path: Path
) -> None:
    viewer, session = window()
    whole = sky(64)
    primary = fits.PrimaryHDU()
    science = fits.ImageHDU(values_of(whole), whole.header, name="SCI")
    error = fits.ImageHDU(np.ones((64, 64), np.float32), name="ERR")
    flags = fits.ImageHDU(np.eye(64, dtype=np.int16), name="DQ")
    science.header["BUNIT"] = "Jy"
    family = tmp_path / "family.fits"
    fits.HDUList([primary, science, error, flags]).writeto(family)
    layers.add_all(viewer, all_layers(open_image(family)))
    tiles = [write(tmp_path / f"t{n}.fits", n, 50 * n) for n in range(2)]
    layers.add_all(viewer, all_layers(open_mosaic(tiles, match_background=True)))
    bands = [write(tmp_path / f"m31_{name}.fits", n) for n, name in enumerate("gri")]
    stack = open_bands(bands)
    layers.add_all(viewer, all_layers(stack))
    colour = add_colour(viewer, *(stack.plane(n) for n in (2, 1, 0)))
    tune(colour, Tuning(0.5, 4.0, 0.1, (1.0, 2.0, 0.5)))
    layers.show_plane(viewer, viewer.layers[stack.name], 1)
    path = saved(session, tmp_path / "work.astroseg.json")

    other, again = window()
    opened(again, path)
    assert again.sentences == []
    names = [each.name for each in viewer.layers]
    assert [each.name for each in other.layers] == names
    assert (
        len([name for name in names if name.endswith(("uncertainty", "flags", "footprint"))]) == 3
    )
    for before, after in zip(viewer.layers, other.layers, strict=True):
        assert after.metadata.keys() == before.metadata.keys()
        old, new = layers.sky_image(before), layers.sky_image(after)
        assert np.array_equal(values_of(old), values_of(new), equal_nan=True)
        assert (old.name, old.unit, old.bands) == (new.name, new.unit, new.bands)
    assert colours_of(other.layers[-1]) is not None
    assert colours_of(other.layers[-1]).tuning == colours_of(colour).tuning
    assert colours_of(other.layers[-1]).fitted == colours_of(colour).fitted
    assert layers.plane_in_view(other, other.layers[stack.name]) == 1
    assert again.draft().layers == session.draft().layers


def test_what_is_only_in_memory_is_kept_beside_the_project(window: Any, tmp_path: Path) -> None:
    viewer, session = window()
    layers.add_image(viewer, sky(48))
    regions = np.zeros((20, 30), np.int32)
    regions[3:8, 4:9] = 7
    viewer.add_labels(regions, name="truth", translate=(5, 6))
    viewer.add_points([[1.5, 2.5], [30, 40]], name="places", size=4)
    viewer.add_image(np.ones((4, 4)), name="somebody else's")
    path = saved(session, tmp_path / "work.astroseg.json")
    assert any("somebody else's" in each for each in session.sentences)
    kept = sorted((tmp_path / "work.astroseg-files").iterdir())
    assert len(kept) == 2
    times = [each.stat().st_mtime_ns for each in kept]
    saved(session, path)
    assert [each.stat().st_mtime_ns for each in kept] == times, "what is kept is kept once"

    other, again = window()
    opened(again, path)
    assert [each.name for each in other.layers] == ["ramp", "truth", "places"]
    image = layers.sky_image(other.layers["ramp"])
    assert np.array_equal(values_of(image), values_of(sky(48)))
    assert (image.name, image.unit, image.frame) == ("ramp", "cm-2", "galactic")
    assert np.array_equal(other.layers["truth"].data, regions)
    assert tuple(other.layers["truth"].translate) == (5, 6)
    assert other.layers["places"].data.tolist() == [[1.5, 2.5], [30, 40]]
    elsewhere = saved(again, tmp_path / "copy" / "copy.astroseg.json")
    (tmp_path / "work.astroseg.json").unlink()
    for each in kept:
        each.unlink()
    third, last = window()
    opened(last, elsewhere)
    assert [each.name for each in third.layers] == ["ramp", "truth", "places"], last.sentences


def test_what_is_hidden_for_a_while_is_kept_as_it_is_else(window: Any, tmp_path: Path) -> None:
    viewer, session = window()
    pair = [layers.add_image(viewer, open_image(write(tmp_path / f"{n}.fits", n))) for n in (0, 1)]
    pair[1].opacity = 0.7
    viewer.add_points([[1, 2]], name="places")
    before = session.draft().layers
    box = SeeingBox(viewer)
    box.set_pair(*pair)
    box.toggle_blink()
    box.toggle_overlays()
    assert [each.opacity for each in pair] == [1.0, 0.0]
    assert not viewer.layers["places"].visible
    assert session.draft().layers == before
    box.step()
    box.toggle_fade()
    alone = OnlyOne(viewer, pair[0])
    alone.show(pair[1])
    assert session.draft().layers == before
    alone.end()
    box.untie()
    assert session.draft().layers == before
    pair[1].opacity, viewer.layers["places"].visible = 0.2, False
    assert [each.opacity for each in session.draft().layers] == [1.0, 0.2, 1.0]
    assert [each.visible for each in session.draft().layers] == [True, True, False]


def test_what_lies_elsewhere_in_the_world_comes_back_there(window: Any, tmp_path: Path) -> None:
    viewer, session = window()
    turned = [[0.8, -0.6, 3.0], [0.6, 0.8, -7.0], [0.0, 0.0, 1.0]]
    labels = np.eye(20, dtype=np.int32)
    viewer.add_labels(labels, name="binned", scale=(4, 2), translate=(5, 6))
    viewer.add_labels(labels, name="turned", scale=(2, 2), affine=turned)
    places = [[1.5, 2.5], [30, 40]]
    viewer.add_points(places, name="scaled", scale=(0.5, 0.25), translate=(-3, 8))
    viewer.add_points(places, name="sheared", affine=turned, shear=[0.5])
    file = open_image(write(tmp_path / "a.fits"))
    layers.add_image(viewer, file).affine = turned
    cube = layers.add_image(viewer, open_bands([tmp_path / "a.fits", write(tmp_path / "b.fits")]))
    cube.translate = (0, 9, 4)
    path = saved(session, tmp_path / "work.astroseg.json")

    other, again = window()
    opened(again, path)
    assert again.sentences == []
    assert [each.name for each in other.layers] == [each.name for each in viewer.layers]
    for before, after in zip(viewer.layers, other.layers, strict=True):
        for corner in ((0, 0), (1, 0), (0, 1), (17, 5)):
            at = (*[0] * (before.ndim - 2), *corner)
            there = after.data_to_world(at)
            assert np.allclose(there, before.data_to_world(at)), before.name
    assert tuple(other.layers["binned"].scale) == (4, 2)
    assert again.draft().layers == session.draft().layers


class Nowhere:
    """A dock with a number that is none."""

    State = View

    def state(self, _places: Any) -> View:
        return View(center=(0.0, float("nan")), zoom=1.0)

    def restore(self, state: Any, places: Any) -> None:
        raise AssertionError("there is nothing to restore")


def test_what_no_record_holds_costs_itself_and_no_more(window: Any, tmp_path: Path) -> None:
    viewer, session = window({"Nowhere": Nowhere()})
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits"))).name = "two\nlines"
    many = [open_image(write(tmp_path / "t.fits"))] * 20_001
    layers.add_image(viewer, open_image(tmp_path / "t.fits")).name = "too many tiles"
    viewer.layers[-1].metadata[layers.METADATA] = mosaic_of(many)
    odd = os.fsdecode(b"\xe9.fits")
    (tmp_path / "t.fits").rename(tmp_path / odd)
    layers.add_image(viewer, open_image(tmp_path / odd)).name = "its file's name is no text"
    viewer.add_points(np.zeros((20_001, 2)), name="too many points")
    with np.errstate(invalid="ignore"):  # napari's own
        viewer.add_points([[1, np.nan], [3, 4]], name="half nowhere")
    viewer.scene.camera.zoom = np.nan
    viewer.layers.selection.active = viewer.layers[0]
    path = saved(session, tmp_path / "work.astroseg.json")
    (sentence,) = session.sentences
    for name in ("too many tiles", "too many points", "its file's name is no text", "Nowhere"):
        assert name in sentence

    other, again = window()
    opened(again, path)
    assert [each.name for each in other.layers] == ["two lines", "half nowhere"]
    assert other.layers[1].data.tolist() == [[3, 4]]


def mosaic_of(tiles: list[SkyImage]) -> SkyImage:
    """An image that says it is made of these."""
    one = open_mosaic(tiles[:1])
    return replace(one, pixels=replace(one.pixels, tiles=one.pixels.tiles * len(tiles)))


@pytest.mark.once
def test_what_an_older_project_keeps_stays_until_the_new_one_is_there(
    window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, session = window()
    layers.add_image(viewer, sky(48))
    path = saved(session, tmp_path / "work.astroseg.json")
    (kept,) = (tmp_path / "work.astroseg-files").iterdir()
    viewer.layers.clear()
    layers.add_image(viewer, sky(32))
    with monkeypatch.context() as full:
        full.setattr(draft, "write_project", refuse)
        session.save(path)
        assert spin(lambda: not session.busy)
    assert "no space is left" in session.sentences[-1]
    assert kept.exists()
    saved(session, path)
    assert not kept.exists()


def refuse(*_given: Any) -> str:
    raise OutputError("no space is left; free some")


def test_moved_files_are_asked_for_and_found_together(window: Any, tmp_path: Path) -> None:
    viewer, session = window()
    for name in "abc":
        layers.add_image(viewer, open_image(write(tmp_path / "old" / f"{name}.fits", ord(name))))
    path = saved(session, tmp_path / "work.astroseg.json")
    (tmp_path / "old").rename(tmp_path / "new")
    (tmp_path / "new" / "c.fits").unlink()

    other, again = window()
    missed: list[Any] = []
    again.missed.connect(missed.append)
    opened(again, path)
    assert len(other.layers) == 0
    dialog = MovedDialog(missed[0])
    assert dialog.list.topLevelItemCount() == 3
    dialog.found.connect(lambda moved: again.go_on(missed[0].opened, None, moved))
    dialog.show_where(missed[0].keys[0], tmp_path / "new" / "a.fits")
    assert spin(lambda: len(missed) == 2), "one is still missing"
    again.go_on(missed[1].opened, None, missed[1].moved, without=True)
    assert spin(lambda: not again.busy)
    assert [each.name for each in other.layers] == ["a", "b"]
    assert "c is left out" in again.sentences[-1]
    saved(again, path)
    told = read_project(path).project
    assert [each.name for each in told.layers] == ["a", "b", "c"], "it may come back"
    write(tmp_path / "new" / "c.fits", ord("c"))
    third, last = window()
    last.missed.connect(missed.append)
    opened(last, path)
    last.go_on(missed[2].opened, None, {missed[2].keys[0]: tmp_path / "new" / "c.fits"})
    assert spin(lambda: len(third.layers) == 3)


def test_a_strangers_project_opens_what_is_allowed(window: Any, tmp_path: Path) -> None:
    viewer, session = window()
    inside = write(tmp_path / "project" / "a.fits")
    outside = write(tmp_path / "private" / "b.fits", 1)
    for file in (inside, outside):
        layers.add_image(viewer, open_image(file))
    path = saved(session, tmp_path / "project" / "work.astroseg.json")
    told = json.loads(path.read_text(encoding="utf-8"))
    told["front"] = "Open"  # another file than the one that was written here
    path.write_text(json.dumps(told), encoding="utf-8")

    other, again = window()
    asked: list[Any] = []
    again.asked.connect(asked.append)
    opened(again, path)
    assert len(other.layers) == 0
    assert [each.place.path for each in asked[0].questions] == ["../private/b.fits"]
    dialog = AllowDialog(asked[0])
    assert dialog.allowed == []
    dialog.decided.connect(lambda allowed: again.go_on(asked[0].opened, allowed))
    dialog.buttons.accepted.emit()
    assert spin(lambda: len(other.layers) > 0 and not again.busy)
    assert [each.name for each in other.layers] == ["a"]
    assert "was not allowed" in again.sentences[-1]

    third, last = window()
    last.asked.connect(asked.append)
    opened(last, path)
    assert len(asked) == 2, "it is asked again until all is allowed"
    everything = AllowDialog(asked[1])
    everything.all.click()
    last.go_on(asked[1].opened, everything.allowed)
    assert spin(lambda: not last.busy)
    assert len(third.layers) == 2
    fourth, once_more = window()
    opened(once_more, path)
    assert len(fourth.layers) == 2, "what was allowed is not asked about again"


def test_a_changed_file_is_told(window: Any, tmp_path: Path) -> None:
    viewer, session = window()
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    path = saved(session, tmp_path / "work.astroseg.json")
    viewer.layers.clear()
    write(tmp_path / "a.fits", 9)
    other, again = window()
    opened(again, path)
    assert len(other.layers) == 1
    assert "holds something else" in again.sentences[0]


def test_a_project_that_is_none_costs_a_sentence(window: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.astroseg.json"
    path.write_text("{}")
    _, session = window()
    opened(session, path)
    assert session.path is None
    assert "no project of this program" in session.sentences[0]
