"""A table is sent to whoever takes tables, through a real hub on this machine."""

from __future__ import annotations

import queue
import threading
from urllib.parse import unquote, urlparse

import pytest
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, conf

from napari_astroseg.cli.main import main
from napari_astroseg.errors import SetupError
from napari_astroseg.review.reading import open_detections
from napari_astroseg.review.samp import POINT, ROW, SampLink, send_table
from napari_astroseg.review.session import VettingSession


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on loopback that only this test knows."""
    monkeypatch.setenv("SAMP_HUB", "std-lockurl:" + (tmp_path / "samp").as_uri())
    monkeypatch.setattr(conf, "use_internet", False)
    hub = SAMPHubServer(
        web_profile=False, mode="single", addr="127.0.0.1", lockfile=str(tmp_path / "samp")
    )
    hub.start()
    yield hub
    hub.stop()


def test_a_table_arrives(hub, tmp_path, detections, capsys):
    with VettingSession(tmp_path / "v.sqlite", detections, "Ada") as session:
        session.judge("real")
    out = tmp_path / "vetted.vot"
    words = ["vet", "export", str(tmp_path / "v.sqlite"), "--out", str(out), "--send"]
    assert main(words) == 1  # a hub, and nobody who takes tables
    assert "no program that runs takes tables" in capsys.readouterr().err
    taker = SAMPIntegratedClient(name="Taker", addr="127.0.0.1")
    taker.connect()
    came, told = threading.Event(), {}

    def receive(_key, _sender, _mtype, params, _extra):
        told.update(params)
        came.set()

    taker.bind_receive_notification("table.load.votable", receive)
    try:
        assert main(words) == 0
        assert "sent to Taker" in capsys.readouterr().out
        assert came.wait(10)
        there = unquote(urlparse(told["url"]).path)
        assert open_detections(there).names == ("D0",)
    finally:
        taker.disconnect()


def test_others_point_us_and_we_point_them(hub):
    heard, told = queue.Queue(), queue.Queue()
    other = SAMPIntegratedClient(name="Other", addr="127.0.0.1")
    other.connect()
    other.bind_receive_notification(POINT, lambda key, who, kind, words, more: told.put(words))
    link = SampLink(lambda *place: heard.put(place), lambda *row: heard.put(row))
    try:
        assert link.listeners() == ["Other"]
        link.point(266.4168, -29.0078)
        there = told.get(timeout=60)
        assert (float(there["ra"]), float(there["dec"])) == (266.4168, -29.0078)

        def send(kind, **words):
            other.notify_all({"samp.mtype": kind, "samp.params": words})

        send(POINT, ra="nowhere", dec="5")  # what makes no sense is not heard
        send(POINT, ra="10", dec="95")
        send(ROW, row="-1", url="file:///a.vot")
        send(POINT, ra="10.5", dec="-5")
        assert heard.get(timeout=60) == (10.5, -5.0)
        send(ROW, **{"table-id": "astroseg:vetted", "row": "7"})
        assert heard.get(timeout=60) == ("astroseg:vetted", 7)
        mine = link._client.get_public_id()
        asked = {"samp.mtype": POINT, "samp.params": {"ra": "1", "dec": "2"}}
        assert other.call_and_wait(mine, asked, "20")["samp.status"] == "samp.ok"
        assert heard.get(timeout=60) == (1.0, 2.0)
        assert "client.env.get" not in other.get_subscriptions(mine)  # nobody reads our environment
    finally:
        link.close()
        other.disconnect()
    with pytest.raises(SetupError, match="connect again"):
        link.point(1.0, 2.0)


def test_without_a_hub_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", "std-lockurl:" + (tmp_path / "none").as_uri())
    with pytest.raises(SetupError, match="start TOPCAT"):
        send_table(tmp_path / "a.vot", "a")
