"""Surveys fetched from a service that speaks hips2fits, on this machine, and misbehaves."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hipsserver import Sky, hips_service

from napari_astroseg.errors import ImageError, OutputError, SurveyError
from napari_astroseg.sky.cache import Cache
from napari_astroseg.sky.grids.align import aligned
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Stopped, silent
from napari_astroseg.sky.surveys import fetch as fetching
from napari_astroseg.sky.surveys import kept as keeping
from napari_astroseg.sky.surveys import service
from napari_astroseg.sky.surveys.answer import judged
from napari_astroseg.sky.surveys.fetch import fetch
from napari_astroseg.sky.surveys.field import Field
from napari_astroseg.sky.surveys.kept import kept_fields
from napari_astroseg.sky.surveys.service import Passing
from napari_astroseg.sky.surveys.survey import survey
from napari_astroseg.sky.window import Window

IRAC4 = survey("irac4")
FIELD = Field(30.0, 0.1, "galactic", 96, 64, 2.0)
PROMPT_S = 0.5


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing but this machine can be reached, and the cache is empty."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        assert address[0] in {"127.0.0.1", "::1"}, f"a test asks the network: {address}"
        real(self, address)

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        assert host == "127.0.0.1", f"a test asks for {host}"
        return resolve(host, *args, **kwargs)

    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def sky(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sky]:
    """The service, with one source; pauses are short."""
    from astroquery.hips2fits import hips2fits

    monkeypatch.setattr(fetching, "PAUSES_S", (0.01, 0.02))
    with hips_service(sources=[SkyCoord(30.004, 0.107, unit="deg", frame="galactic")]) as sky:
        monkeypatch.setattr(hips2fits, "server", sky.address)
        yield sky
    _wait_until_nobody_asks()


def _wait_until_nobody_asks() -> None:
    for thread in threading.enumerate():
        if thread.name == "astroseg-survey":
            thread.join(10)
            assert not thread.is_alive()


def refused(match: str, why: str, field: Field = FIELD) -> SurveyError:
    with pytest.raises(SurveyError, match=match) as told:
        fetch(IRAC4, field)
    assert told.value.why == why
    assert kept_fields() == []
    return told.value


def brightest(image: Any) -> tuple[float, float]:
    """The middle of light, above the floor."""
    values = np.asarray(image.data)
    light = np.nan_to_num(values - np.nanmedian(values)).clip(1.0) - 1.0
    y, x = np.indices(light.shape)
    return float((x * light).sum() / light.sum()), float((y * light).sum() / light.sum())


# --- what comes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        FIELD,
        Field(0.0, 0.0, "galactic", 96, 64, 2.0),
        Field(359.999, -0.3, "galactic", 64, 96, 10.0),
        Field(266.4, -29.0, "icrs", 80, 80, 1.0),
        Field(10.0, 90.0, "icrs", 80, 80, 30.0),
        Field(200.0, -89.95, "icrs", 80, 64, 20.0),
        Field(0.0, 20.0, "galactic", 256, 128, 1800.0),
    ],
)
def test_a_source_lies_where_it_is_on_the_sky(sky: Sky, field: Field) -> None:
    across = field.pixel_arcsec / 3600
    there = field.middle.directional_offset_by(40 * u.deg, 9.3 * across * u.deg)
    sky.sources = [there]
    image = fetch(IRAC4, field)
    assert image.shape == (field.height_px, field.width_px)
    x, y = image.pixel(there)
    found = brightest(image)
    assert found == pytest.approx((float(x), float(y)), abs=0.1)
    assert image.sky(*found).separation(there).arcsec < 0.5 * field.pixel_arcsec
    assert image.frame == field.frame


@pytest.mark.parametrize(
    "name",
    [
        "twomass/gc_2mass_k.fits",
        "twomass/gc_msx_e.fits",
        "twomass/gc_bolocam_gps.fits",
        "spitzer/spitzer_example_image.fits",
        "farir/s250_im.fits",
    ],
)
def test_on_the_pixels_of_real_images_it_lies_where_it_should(
    sky: Sky, shared_data: Path, name: str
) -> None:
    onto = open_image(shared_data / name)
    height, width = onto.shape
    field = Field.of(onto, Window.whole(onto.shape), 200, IRAC4)
    expected = 0.62 * width, 0.41 * height
    sky.sources = [onto.sky(*expected)]
    laid = aligned(fetch(IRAC4, field), onto)
    assert laid.shape == onto.shape
    assert np.isfinite(np.asarray(laid.data)).all()  # the field covers all of it
    assert brightest(laid) == pytest.approx(expected, abs=0.2)


def test_it_is_lazy_and_travels_by_name(sky: Sky) -> None:
    image = fetch(IRAC4, FIELD)
    assert image.reference is not None
    path = Path(image.reference.place)
    assert path.is_relative_to(os.environ["ASTROSEG_CACHE"])
    packed = pickle.dumps(image)
    assert len(packed) < 2000
    again = pickle.loads(packed)
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(image.data))
    assert (again.name, again.unit) == (image.name, image.unit) == (IRAC4.name, "MJy/sr")


def test_notes_say_whom_to_thank_and_where_it_came_from(sky: Sky) -> None:
    notes = " | ".join(fetch(IRAC4, FIELD).notes)
    assert IRAC4.credit in notes
    assert "from CDS hips2fits, HiPS CDS/P/SPITZER/IRAC4" in notes


def test_the_service_s_own_unit_is_kept(sky: Sky) -> None:
    sky.unit = "Jy/beam"
    assert fetch(IRAC4, FIELD).unit == "Jy/beam"


def test_the_question_is_the_one_astroquery_puts(sky: Sky) -> None:
    from astroquery.hips2fits import hips2fits

    theirs = hips2fits.query_with_wcs(hips=IRAC4.hips, wcs=FIELD.wcs, format="fits")
    ours = fetch(IRAC4, FIELD)
    assert sky.asked[0] == sky.asked[1]
    np.testing.assert_array_equal(np.asarray(ours.data), theirs[0].data)
    assert sky.agents[1].startswith("napari-astroseg/")


def test_partial_coverage_is_missing_and_told(sky: Sky) -> None:
    sky.behaves = lambda number: "half"
    image = fetch(IRAC4, FIELD)
    assert np.isnan(np.asarray(image.data)[:, :48]).all()
    assert any("covers 50% of this field" in note for note in image.notes)


def test_plates_of_integers_with_blanks(sky: Sky) -> None:
    sky.behaves = lambda number: "plates"
    values = np.asarray(fetch(survey("dss2_red"), FIELD).data)
    assert np.isnan(values[:, :48]).all()
    assert values[0, -1] == 7.0


def test_colour_comes_as_a_stack(sky: Sky) -> None:
    sky.behaves = lambda number: "colour"
    assert fetch(survey("CDS/P/2MASS/color"), FIELD).count == 3


def test_a_word_for_which_the_service_chose_a_hips_is_told(sky: Sky) -> None:
    sky.behaves = lambda number: "other"
    notes = " | ".join(fetch(survey("naïve µ sky"), FIELD).notes)
    assert "naïve µ sky was taken for the HiPS CDS/P/Other/band" in notes
    assert sky.asked[0]["hips"] == "naïve µ sky"
    fetch(survey("naïve µ sky"), FIELD)
    assert len(sky.asked) == 1


# --- once, and kept -----------------------------------------------------------------------


def test_nothing_is_asked_twice(sky: Sky) -> None:
    first = fetch(IRAC4, FIELD)
    again = fetch(IRAC4, Field(390.0, 0.1, "galactic", 96, 64, 2.0, note="zoom in"))
    assert len(sky.asked) == 1
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(first.data))
    assert "zoom in" in again.notes
    fetch(survey("irac1"), FIELD)
    assert len(sky.asked) == 2


def test_a_position_with_more_digits_than_a_header_holds_is_kept_too(sky: Sky) -> None:
    digits = Field(
        30.004166666666667, -0.00012345678901234567, "galactic", 96, 64, 1.2345678901234567
    )
    for _ in range(2):
        fetch(IRAC4, digits)
    assert len(sky.asked) == 1


def test_two_who_want_the_same_field_ask_once(sky: Sky) -> None:
    sky.behaves = lambda number: "silent"
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(fetch, IRAC4, FIELD) for _ in range(4)]
        _until(lambda: len(sky.asked) == 1)
        time.sleep(0.1)
        sky.released.set()
        images = [each.result(timeout=60) for each in waiting]
    assert len(sky.asked) == 1
    assert {image.reference for image in images} == {images[0].reference}


def test_one_who_stops_leaves_the_other_waiting(sky: Sky) -> None:
    sky.behaves = lambda number: "silent"
    stop = threading.Event()

    def progress(*told: object) -> None:
        if stop.is_set():
            raise Stopped

    with ThreadPoolExecutor(2) as pool:
        stopped = pool.submit(fetch, IRAC4, FIELD, progress)
        patient = pool.submit(fetch, IRAC4, FIELD)
        _until(lambda: len(sky.asked) == 1)
        stop.set()
        assert isinstance(stopped.exception(timeout=PROMPT_S), Stopped)
        sky.released.set()
        assert patient.result(timeout=60).shape == (64, 96)
    assert len(sky.asked) == 1


def test_what_was_damaged_in_the_cache_is_asked_for_again(sky: Sky) -> None:
    kept = _path(fetch(IRAC4, FIELD))
    kept.write_bytes(kept.read_bytes()[:4000])
    assert fetch(IRAC4, FIELD).value(5, 5) > 0
    kept.write_bytes(b"SIMPLE  = nonsense")
    assert fetch(IRAC4, FIELD).value(5, 5) > 0
    assert len(sky.asked) == 3


def test_the_cache_is_bounded_and_forgets_what_was_unused_longest(
    sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = _path(fetch(IRAC4, FIELD)).stat().st_size
    monkeypatch.setattr(keeping, "CACHE", Cache("surveys", int(2.5 * size)))
    fetch(survey("irac1"), FIELD)
    fetch(IRAC4, FIELD)  # used last
    fetch(survey("irac2"), FIELD)
    assert {kept.survey.key for kept in kept_fields()} == {"irac4", "irac2"}


def test_kept_fields_are_found_by_survey_and_place(sky: Sky) -> None:
    far = Field(35.0, 0.0, "galactic", 64, 64, 2.0)
    beside = Field(30.02, 0.1, "galactic", 64, 64, 2.0)
    for each in (FIELD, far, beside):
        fetch(IRAC4, each)
    fetch(survey("µ/any/HiPS"), FIELD)
    assert len(kept_fields()) == 4
    assert [kept.field for kept in kept_fields(IRAC4, near=FIELD)] == [FIELD, beside]
    mine = kept_fields(survey("µ/any/HiPS"))
    assert [kept.survey for kept in mine] == [survey("µ/any/HiPS")]
    assert kept_fields(IRAC4, near=far)[0].words.startswith(
        "Spitzer GLIMPSE 8.0 µm: l 35.000°, b +0.000°, 2.13′ × 2.13′ at 2″, kept since 20"
    )
    icrs = FIELD.middle.icrs
    there = Field(float(icrs.ra.deg), float(icrs.dec.deg), "icrs", 64, 64, 1.0)
    assert len(kept_fields(IRAC4, near=there)) == 2
    count = len(sky.asked)
    assert kept_fields(IRAC4)[0].open().shape
    assert len(sky.asked) == count


def test_strange_files_in_the_cache_are_passed_over(sky: Sky, tmp_path: Path) -> None:
    assert kept_fields() == []
    folder = _path(fetch(IRAC4, FIELD)).parent
    good = next(folder.glob("*.fits")).read_bytes()
    (folder / "empty.fits").touch()
    (folder / "noise.fits").write_bytes(os.urandom(100_000))
    (folder / "other.fits").write_bytes(b"SIMPLE  =                    T".ljust(80) * 3)
    (folder / "cards.fits").write_bytes(good.replace(b"FLDLAT  = ", b"FLDLAT  = 'x'"))
    (folder / "pole.fits").write_bytes(good.replace(b"FLDPIX  = ", b"FLDPIX  = -"))
    (folder / "folder.fits").mkdir()
    (folder / "link.fits").symlink_to(tmp_path / "nowhere")
    assert [kept.field for kept in kept_fields()] == [FIELD]


def test_damage_of_any_kind_is_one_sentence(sky: Sky) -> None:
    path = _path(fetch(IRAC4, FIELD))
    whole = path.read_bytes()
    draw = np.random.default_rng(0)
    for _ in range(120):
        damaged = bytearray(whole)
        for _ in range(draw.integers(1, 5)):
            at = int(draw.integers(2600))
            damaged[at : at + 4] = bytes(draw.integers(0, 256, 4, dtype=np.uint8))
        path.write_bytes(damaged)
        for kept in kept_fields():
            with contextlib.suppress(ImageError):
                kept.open()
        with contextlib.suppress(SurveyError, Passing):
            assert judged(bytes(damaged), IRAC4, FIELD).covered > 0


# --- what goes wrong ----------------------------------------------------------------------


@pytest.mark.parametrize("manner", ["500", "502", "503", "cut", "short", "headless", "reset"])
def test_passing_faults_are_tried_again(sky: Sky, manner: str) -> None:
    sky.behaves = lambda number: manner if number < 2 else "well"
    assert fetch(IRAC4, FIELD).shape == (64, 96)
    assert len(sky.asked) == 3


def test_a_fault_that_stays_is_told(sky: Sky) -> None:
    sky.behaves = lambda number: "500"
    refused("does not deliver .fault 500, No such thing: CDS/P/SPITZER/IRAC4 µ.; try", "refused")
    assert len(sky.asked) == 3


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("400", "refuses .400, No such thing: CDS/P/SPITZER/IRAC4 µ.; check the survey"),
        ("403", "refuses .403, .*; check the survey"),
        ("404", "refuses .404, .*; check the identifier CDS/P/SPITZER/IRAC4 in the list"),
        ("429", "asked too often: wait a minute and try again"),
    ],
)
def test_a_refusal_is_told_at_once(sky: Sky, manner: str, words: str) -> None:
    sky.behaves = lambda number: manner
    refused(words, "refused")
    assert len(sky.asked) == 1


@pytest.mark.parametrize(
    ("manner", "words", "why"),
    [
        ("page", "no FITS file but a web page; check the HiPS", "broken"),
        ("nothing", "no FITS file but an empty answer", "broken"),
        ("noise", "sent (a header that cannot be read|no pixels)", "broken"),
        ("endless", "a header without an end", "broken"),
        ("shape", "94 × 63 pixels instead of 96 × 64; check", "broken"),
        ("wild", "99999999999 × 64 pixels instead", "broken"),
        ("elsewhere", "a picture of another place", "broken"),
        ("nowhere", "a picture without sky coordinates", "broken"),
        ("scaleless", "values without a scale; check", "broken"),
        ("huge", "sends more than the 1 MiB", "broken"),
        ("growing", "sends more than the 1 MiB", "broken"),
        ("unseen", "has no coverage here .it saw: inner Galactic plane.*; choose", "empty"),
        ("zero", "has no coverage here", "empty"),
        ("blank", "has no coverage here", "empty"),
    ],
)
def test_what_is_no_picture_of_the_field_is_told_at_once(
    sky: Sky, manner: str, words: str, why: str
) -> None:
    sky.behaves = lambda number: manner
    refused(words, why)
    assert len(sky.asked) == 1


@pytest.mark.parametrize("manner", ["cut", "short", "reset"])
def test_what_is_always_cut_short_is_told(sky: Sky, manner: str) -> None:
    sky.behaves = lambda number: manner
    refused("does not deliver .(the picture was cut|the connection broke).*; try again", "broken")
    assert len(sky.asked) == 3


def test_without_a_network_it_says_so_in_one_sentence(
    sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    from astroquery.hips2fits import hips2fits

    monkeypatch.setattr(hips2fits, "server", "http://127.0.0.1:9/")
    told = refused("no network to CDS hips2fits: .*; try again when there is one", "offline")
    assert "kept" not in str(told)
    monkeypatch.setattr(hips2fits, "server", sky.address)
    fetch(IRAC4, FIELD)
    fetch(survey("irac1"), FIELD)
    monkeypatch.setattr(hips2fits, "server", "http://127.0.0.1:9/")
    beside = Field(30.01, 0.1, "galactic", 96, 64, 2.0)
    with pytest.raises(SurveyError, match=r"; kept fields can be used: 2 near here$") as offline:
        fetch(IRAC4, beside)
    assert offline.value.why == "offline"
    assert fetch(IRAC4, FIELD).shape == (64, 96)  # what is kept needs no network


def test_an_unknown_host_is_no_network(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    from astroquery.hips2fits import hips2fits

    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(hips2fits, "server", service.MIRRORS[1])
    refused("no network to CDS hips2fits", "offline")


def test_an_address_that_is_none_is_told(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    from astroquery.hips2fits import hips2fits

    monkeypatch.setattr(hips2fits, "server", "no address")
    refused("cannot be asked .*; check `hips2fits.server` of astroquery", "refused")


def test_where_one_cannot_be_reached_its_twin_is_asked(
    sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    from astroquery.hips2fits import hips2fits

    dead = "http://127.0.0.1:9/"
    monkeypatch.setattr(service, "MIRRORS", (dead, sky.address))
    monkeypatch.setattr(hips2fits, "server", dead)
    assert fetch(IRAC4, FIELD).shape == (64, 96)
    assert len(sky.asked) == 1


def test_the_twins_are_those_that_astroquery_knows() -> None:
    from astroquery.hips2fits import Conf, conf, hips2fits

    assert all(each in Conf.server.cfgtype for each in service.MIRRORS)
    assert hips2fits.server == conf.server == service.MIRRORS[0]
    assert service.addresses() == service.MIRRORS


@pytest.mark.parametrize("manner", ["silent", "stalling", "trickling"])
def test_patience_ends(sky: Sky, monkeypatch: pytest.MonkeyPatch, manner: str) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_S", 0.3)
    sky.behaves = lambda number: manner
    before = time.monotonic()
    refused("took longer than 0 s; try again later, or a smaller field", "slow")
    assert time.monotonic() - before < 1.5


def test_an_answer_that_trickles_ends_though_nobody_waits(sky: Sky) -> None:
    sky.behaves = lambda number: "trickling"
    with pytest.raises(Passing, match="too slow"):
        service.ask(IRAC4, FIELD, sky.address, time.monotonic() + 0.15, silent)


def test_a_silent_server_is_asked_again(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SILENT_S", 0.1)
    sky.behaves = lambda number: ("silent", "stalling", "well")[number]
    assert fetch(IRAC4, FIELD).shape == (64, 96)
    assert len(sky.asked) == 3


def test_a_full_cache_says_what_to_do(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "CACHE", Cache("surveys", 1000))
    with pytest.raises(OutputError, match=r"has no room.*set ASTROSEG_CACHE"):
        fetch(IRAC4, FIELD)


# --- stopping, and being told -------------------------------------------------------------


@pytest.mark.parametrize("manner", ["silent", "stalling", "trickling", "500"])
def test_it_stops_at_once(sky: Sky, monkeypatch: pytest.MonkeyPatch, manner: str) -> None:
    monkeypatch.setattr(fetching, "PAUSES_S", (5.0,))
    sky.behaves = lambda number: manner
    wish = threading.Event()

    def progress(*told: object) -> None:
        if wish.is_set():
            raise Stopped

    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(fetch, IRAC4, FIELD, progress)
        _until(lambda: bool(sky.asked))
        time.sleep(0.05)  # it waits, reads or rests by now
        wish.set()
        assert isinstance(stopped.exception(timeout=PROMPT_S), Stopped)
    before = time.monotonic()
    if manner == "500":  # nobody waits for the next try: there is none
        _wait_until_nobody_asks()
        assert time.monotonic() - before < 2 * PROMPT_S
        assert len(sky.asked) == 1


def test_what_comes_after_stopping_is_kept(sky: Sky) -> None:
    sky.behaves = lambda number: "silent"

    def progress(*told: object) -> None:
        if sky.asked:
            raise Stopped

    with pytest.raises(Stopped):
        fetch(IRAC4, FIELD, progress)
    sky.released.set()
    _until(lambda: bool(kept_fields()))
    assert fetch(IRAC4, FIELD).shape == (64, 96)
    assert len(sky.asked) == 1


def test_progress_is_told_in_words_and_bytes(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSES_S", (0.3,))
    sky.behaves = lambda number: "503" if number == 0 else "trickling"
    told: list[tuple[str, int, int | None]] = []

    def progress(what: str, done: int, total: int | None) -> None:
        told.append((what, done, total))

    fetch(IRAC4, FIELD, progress)
    words = " | ".join(dict.fromkeys(what for what, _, _ in told))
    assert "fault 503" in words
    assert "trying again in 0 s" in words
    received = [(done, total) for what, done, total in told if what == f"receiving {IRAC4.name}"]
    assert received == sorted(received)
    assert received[-1] == (2**14, 28800)


def test_opening_the_list_of_surveys_asks_nobody_and_loads_no_client() -> None:
    code = (
        "import sys\n"
        "from napari_astroseg.sky.surveys import field, fetch, kept, survey\n"
        "survey.surveys(); kept.kept_fields()\n"
        "heavy = {'astroquery', 'requests', 'matplotlib', 'torch', 'qtpy', 'napari'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def _path(image: Any) -> Path:
    return Path(image.reference.place)


def _until(there: Any) -> None:
    for _ in range(200):
        if there():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")
