"""A table is sent to whoever takes tables, through a real hub on this machine."""

from __future__ import annotations

import threading
from urllib.parse import unquote, urlparse

import pytest
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, conf

from napari_astroseg.cli.main import main
from napari_astroseg.errors import SetupError
from napari_astroseg.review.reading import open_detections
from napari_astroseg.review.samp import send_table
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


def test_without_a_hub_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", "std-lockurl:" + (tmp_path / "none").as_uri())
    with pytest.raises(SetupError, match="start TOPCAT"):
        send_table(tmp_path / "a.vot", "a")
