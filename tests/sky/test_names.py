"""Positions in any writing, names at hand, and the name service behind a loopback server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord, get_constellation
from astropy.coordinates.name_resolve import sesame_url

from napari_astroseg.errors import PlaceError
from napari_astroseg.sky.coords import sesame
from napari_astroseg.sky.coords.names import famous, find, key
from napari_astroseg.sky.coords.position import read_position

ORION = SkyCoord("05h35m17.3s", "-05d23m28s")
W43 = SkyCoord(30.0, 0.1, unit="deg", frame="galactic").icrs

# Constellations of M1 to M110, as every atlas has them.
MESSIER = """
Tau Aqr CVn Sco Ser Sco Sco Sgr Oph Oph Sct Oph Her Oph Peg Ser Sgr Sgr Oph Sgr Sgr Sgr Sgr Sgr
Sgr Sct Vul Sgr Cyg Cap And And Tri Per Gem Aur Aur Aur Cyg UMa CMa Ori Ori Cnc Tau Pup Pup Hya
Vir Mon CVn Cas Com Sgr Sgr Lyr Lyr Vir Vir Vir Vir Oph CVn Com Leo Leo Cnc Hya Sgr Sgr Sge Aqr
Aqr Psc Sgr Per Cet Ori Lep Sco UMa UMa Hya Vir Com Vir Vir Com Vir Vir Com Her Pup CVn Leo Leo
UMa Com Com Com UMa Dra Cas Vir Leo CVn Oph UMa UMa And
"""


@pytest.mark.parametrize(
    "text",
    [
        "05:35:17.3 -05:23:28",
        "05:35:17.3, -05:23:28",
        "05 35 17.3 -05 23 28",
        "5h35m17.3s -5d23m28s",
        "5h35m17.3s−5°23′28″",
        "05h 35m 17.3s -05d 23' 28\"",
        "RA 05:35:17.3 DEC -05:23:28",
        "icrs 05:35:17.3 -05:23:28",
        "J053517.3-052328",
        "2MASS J05351730-0523280",
        "83.8220833 -5.3911111",
        "83.8220833, -5.3911111",
        "ra=83.8220833 dec=-5.3911111",
        "83d49m19.5s -5d23m28s",
    ],
)
def test_one_place_in_many_writings(text: str) -> None:
    found = read_position(text)

    assert found is not None
    assert found.separation(ORION).arcsec < 0.5


@pytest.mark.parametrize(
    "text",
    ["l=30 b=0.1", "l 30 b 0.1", "G030.0+0.1", "gal 30 0.1", "galactic 30, +0.1", "30 0.1 gal"],
)
def test_galactic_writings(text: str) -> None:
    found = read_position(text)

    assert found is not None
    assert found.separation(W43).arcsec < 1e-3


def test_minus_zero_degrees_are_south() -> None:
    found = read_position("05:35:17.3 -00:23:28")

    assert found is not None
    assert found.dec.deg == pytest.approx(-0.391111, abs=1e-5)


@pytest.mark.parametrize(
    "text", ["", "M 31", "NGC 253", "47 Tuc", "3C 273", "30 Dor", "W3", "10", "l=30", "SN 1987A"]
)
def test_names_and_halves_are_no_coordinates(text: str) -> None:
    assert read_position(text) is None


@pytest.mark.parametrize("text", ["10.68 95", "720 0", "l=30 b=-91", "05:35:17 -95:00:00",
             "05:75:17 -05:39:00", "05:35:17 -05:23:60"])  # fmt: skip
def test_impossible_places_are_told(text: str) -> None:
    with pytest.raises(PlaceError, match="no place on the sky; give"):
        read_position(text)


@pytest.mark.parametrize(
    "text", ["M31", "m 31", "Messier 31", "messier31", "NGC224", "ngc 0224", "andromeda galaxy"]
)
def test_spellings_of_andromeda(text: str) -> None:
    found = find(text)

    assert found is not None
    assert found.names[0] == "M31"
    assert found.position.ra.deg == pytest.approx(10.6847, abs=0.01)
    assert found.position.dec.deg == pytest.approx(41.269, abs=0.01)


def test_every_messier_object_is_in_its_constellation() -> None:
    objects = [find(f"M{n}") for n in range(1, 111)]
    assert all(objects)

    places = SkyCoord([each.position for each in objects if each])

    assert list(get_constellation(places, short_name=True)) == MESSIER.split()


def test_the_table_holds_places_and_each_name_once() -> None:
    keys = [key(name) for each in famous() for name in each.names]

    assert len(keys) == len(set(keys))
    assert len(famous()) >= 150
    assert all(each.frame in {"icrs", "galactic"} for each in famous())
    assert all(0 <= each.lon < 360 and abs(each.lat) <= 90 for each in famous())


@pytest.mark.parametrize(
    ("name", "lon", "lat"),
    [("Galactic Centre", 359.944, -0.046), ("W49A", 43.17, 0.0), ("W43", 30.8, -0.04),
     ("W51", 49.49, -0.38), ("M17", 15.04, -0.67), ("M16", 16.95, 0.79), ("W3", 133.7, 1.2)],
)  # fmt: skip
def test_regions_of_the_plane(name: str, lon: float, lat: float) -> None:
    found = find(name)

    assert found is not None
    expected = SkyCoord(lon, lat, unit="deg", frame="galactic")
    assert found.position.separation(expected).deg < 0.1


def test_against_real_headers(shared_data: Path) -> None:
    from napari_astroseg.sky.opening import open_image

    horse = find("Horsehead")
    image = open_image(shared_data / "odd" / "astropy-data__HorseHead.fits")

    assert horse is not None
    x, y = image.pixel(horse.position)
    assert 0 < x < image.shape[1]
    assert 0 < y < image.shape[0]


class _Service(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        known = "Hogs" in self.path
        text = "#=S: 1\n%J 111.25 -22.50 = 07 25 00 -22 30 00\n" if known else "#!*** Nothing\n"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """The name service, on this machine; what it was asked."""
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path))
    _Service.asked = []
    server = HTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    with sesame_url.set([f"http://127.0.0.1:{server.server_port}/"]):
        yield _Service.asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_names_are_asked_once_and_remembered(service: list[str]) -> None:
    assert sesame.remembered("Hogs 7") is None

    first = sesame.resolve("Hogs 7")
    again = sesame.resolve("hogs7")

    assert (first.ra.deg, first.dec.deg) == pytest.approx((111.25, -22.5))
    assert again.separation(first).arcsec < 1e-6
    assert len(service) == 1


def test_signs_tell_names_apart(service: list[str]) -> None:
    sesame.resolve("Hogs 7")
    assert sesame.remembered(" HOGS  7") is not None
    assert sesame.remembered("Hogs -7") is None
    assert sesame.remembered("Hogs .7") is None


def test_an_unknown_name_is_told(service: list[str]) -> None:
    with pytest.raises(PlaceError, match="not known to the Sesame name service; check"):
        sesame.resolve("nothing of that kind")


def test_without_a_network_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path))
    with (
        sesame_url.set(["http://127.0.0.1:9/"]),
        pytest.raises(PlaceError, match="does not answer; give coordinates"),
    ):
        sesame.resolve("Hogs 7", timeout_s=1.0)
