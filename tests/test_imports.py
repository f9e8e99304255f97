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


def imported_by(statement: str) -> set[str]:
    """Top-level modules in `sys.modules` of a fresh interpreter after `statement`."""
    report = "import sys, json; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{report}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert imported_by("import napari_astroseg") & HEAVY == set()


def test_words_of_all_verbs_are_declared_without_anything_heavy() -> None:
    verbs = "from napari_astroseg.cli.main import VERBS; from importlib import import_module"
    declare = "from argparse import ArgumentParser"
    each = "[import_module(f'napari_astroseg.cli.{v}').add(ArgumentParser()) for v in VERBS]"
    assert imported_by(f"{verbs}; {declare}; {each}") & HEAVY == set()


@pytest.mark.parametrize("dock", ["mosaic", "predict", "train", "workspace"])
def test_a_dock_imports_no_torch(dock: str) -> None:
    loaded = imported_by(f"import napari_astroseg.gui.{dock}")
    assert loaded & TORCH == set()
    assert "napari_astroseg" in loaded


@pytest.mark.parametrize(
    "room", ["sky.opening", "sky.image", "recipes.recipe", "engine.events", "review.session"]
)
def test_lower_floors_import_neither_torch_nor_qt(room: str) -> None:
    assert imported_by(f"import napari_astroseg.{room}") & (TORCH | QT) == set()


def test_the_window_side_of_the_engine_imports_no_torch() -> None:
    statement = "from napari_astroseg.engine import card, events, run, service"
    assert imported_by(statement) & (TORCH | QT) == set()


@pytest.mark.parametrize("name", napari_astroseg.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert name in dir(napari_astroseg)
    assert getattr(napari_astroseg, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'open_picture'"):
        _ = napari_astroseg.open_picture
