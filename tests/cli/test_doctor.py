"""What the doctor finds, in health and with parts missing."""

import io
import json

import pytest

from napari_astroseg.cli import doctor
from napari_astroseg.cli.main import main


def told(capsys):
    status = main(["doctor", "--json"])
    return status, {each["name"]: each for each in json.loads(capsys.readouterr().out)}


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr("napari_astroseg.cli.display.has_display", lambda: False)


def test_a_sound_installation(capsys, no_display, tmp_path, monkeypatch):
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor, "_LEAST_MEMORY", 0)
    monkeypatch.setattr(doctor, "_LEAST_DISK", 0)
    status, found = told(capsys)
    assert status == 0 and not any(each["remedy"] for each in found.values())
    assert "numpy " in found["packages"]["told"] and "sweep" in found["extras"]["told"]
    assert "filaments" in found["models"]["told"] and found["networks"]["told"].startswith("on ")
    assert str(tmp_path) not in json.dumps(found)


def test_each_thing_amiss_has_its_remedy(capsys, no_display, monkeypatch):
    known = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda n: None if n == "zarr" else known(n))
    monkeypatch.setattr(doctor, "_LEAST_MEMORY", 2**60)
    monkeypatch.setattr(doctor, "_LEAST_DISK", 2**60)
    monkeypatch.setattr(doctor, "models", lambda: doctor.Finding("models", "gone", "install again"))
    status, found = told(capsys)
    assert status == 1
    assert found["zarr"]["told"] == "missing" and "pip install 'zarr>=" in found["zarr"]["remedy"]
    assert "ASTROSEG_CACHE" in found["cache"]["remedy"] and found["machine"]["remedy"]
    assert main(["doctor"]) == 1
    assert "! zarr" in capsys.readouterr().out


def test_a_pipe_that_knows_few_characters_gets_all_of_it(no_display, monkeypatch):
    monkeypatch.setattr(doctor, "findings", lambda: [doctor.Finding("β", "gone", "install it")])
    piped = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")  # as Windows opens it
    monkeypatch.setattr("sys.stdout", piped)
    assert main(["doctor"]) == 1
    piped.flush()
    assert piped.buffer.getvalue().split() == [
        *(b"!", b"\\u03b2", b"gone"),
        *(b"\\u2192", b"install", b"it"),
    ]


def test_a_driver_that_dies_is_a_sentence(monkeypatch):
    monkeypatch.setattr("napari_astroseg.cli.display.has_display", lambda: True)
    monkeypatch.setenv("QT_QPA_PLATFORM", "none-of-this-name")
    assert "pyqt6" in doctor.window().remedy
