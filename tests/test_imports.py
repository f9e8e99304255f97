"""What importing a part of the package brings along, seen in fresh interpreters."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import napari_astroseg

HEAVY = {
    "numpy", "scipy", "dask", "astropy", "pydantic", "torch", "torchvision", "torchmetrics",
    "lightning_fabric", "triton", "napari", "qtpy", "PyQt5", "PyQt6", "matplotlib", "numba",
}  # fmt: skip
TORCH = {"torch", "torchvision", "torchmetrics", "lightning_fabric", "lightning", "triton"}
QT = {"napari", "qtpy", "PyQt5", "PyQt6", "superqt", "magicgui", "pyqtgraph", "vispy"}


ROOMS = ["recipes.recipe", "engine.events", "sky.opening", "sky.image", "review.session"]
ENGINE = [f"engine.{each}" for each in ("card", "run", "service")]  # the window's side of it
DOCKS = [f"gui.{each}" for each in ("mosaic", "predict", "train", "workspace")]


def imported_by(*statements: str) -> list[set[str]]:
    """Top-level modules in `sys.modules` of a fresh interpreter after each of the statements."""
    report = "print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    lines = "\n".join(f"{each}; {report}" for each in statements)
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{lines}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [set(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """What is loaded after each of the rooms, which come one upon the other, lowest first."""
    rooms = ROOMS + ENGINE + DOCKS
    return dict(
        zip(rooms, imported_by(*(f"import napari_astroseg.{each}" for each in rooms)), strict=True)
    )


def test_importing_the_package_imports_nothing_heavy() -> None:
    (loaded,) = imported_by("import napari_astroseg")
    assert loaded & HEAVY == set()


def test_words_of_all_verbs_are_declared_without_anything_heavy() -> None:
    verbs = "from napari_astroseg.cli.main import VERBS; from importlib import import_module"
    declare = "from argparse import ArgumentParser"
    each = "[import_module(f'napari_astroseg.cli.{v}').add(ArgumentParser()) for v in VERBS]"
    (loaded,) = imported_by(f"{verbs}; {declare}; {each}")
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("dock", DOCKS)
def test_a_dock_imports_no_torch(loaded: dict[str, set[str]], dock: str) -> None:
    assert loaded[dock] & TORCH == set()
    assert {"napari_astroseg", "qtpy"} <= loaded[dock]


@pytest.mark.parametrize("room", ROOMS)
def test_lower_floors_import_neither_torch_nor_qt(loaded: dict[str, set[str]], room: str) -> None:
    assert loaded[room] & (TORCH | QT) == set()


@pytest.mark.parametrize("room", ENGINE)
def test_the_window_side_of_the_engine_imports_no_torch(
    loaded: dict[str, set[str]], room: str
) -> None:
    assert loaded[room] & (TORCH | QT) == set()


@pytest.mark.parametrize("name", napari_astroseg.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert name in dir(napari_astroseg)
    assert getattr(napari_astroseg, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'open_picture'"):
        _ = napari_astroseg.open_picture
