"""Each import contract is kept by the package and caught when it is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = "Floors look only down"
QT = "Qt and napari only in gui"
TORCH = "torch only in engine"
FAMILIES = "Families do not know each other"
DOCKS = "Docks do not know each other"

# (the contract that must catch it, the module it is planted in, the planted line)
PLANTS = [
    (FLOORS, "sky/window.py", "from napari_astroseg.recipes import recipe"),
    (FLOORS, "recipes/data.py", "from napari_astroseg.engine import card"),
    (FLOORS, "engine/card.py", "from napari_astroseg import gui"),
    (FLOORS, "review/__init__.py", "from napari_astroseg.engine import events"),
    (FLOORS, "engine/card.py", "from napari_astroseg import review"),
    (FLOORS, "projects/place.py", "from napari_astroseg.recipes import recipe"),
    (FLOORS, "attic.py", "shelf = 1"),  # a room that stands on no floor
    (QT, "sky/image.py", "import napari"),
    (QT, "recipes/recipe.py", "from qtpy import QtCore"),
    (QT, "engine/worker.py", "import PyQt6.QtCore"),
    (QT, "review/__init__.py", "def late():\n    import pyqtgraph"),
    (QT, "projects/record.py", "import qtpy"),
    (TORCH, "sky/pixels.py", "import torch"),
    (TORCH, "recipes/data.py", "from torchvision import ops"),
    (TORCH, "engine/events.py", "import torchmetrics"),
    (TORCH, "engine/service.py", "import lightning_fabric"),
    # by way of another module, and only when a function is called
    (TORCH, "gui/mosaic.py", "def late():\n    from napari_astroseg.engine import predict"),
    (TORCH, "gui/mosaic.py", "def late():\n    from napari_astroseg.engine.nets import unet5"),
    (FAMILIES, "recipes/families/planted.py", "from napari_astroseg.recipes.families import unet5"),
    (FAMILIES, "recipes/families/base.py", "from napari_astroseg.recipes.families import unet5"),
    (DOCKS, "gui/mosaic.py", "from napari_astroseg.gui import predict"),
    (DOCKS, "gui/compare.py", "from napari_astroseg.gui import predict"),
    (DOCKS, "gui/train.py", "def late():\n    from napari_astroseg.gui import mosaic"),
]


def lint(tree: Path) -> tuple[int, str]:
    """Exit status and report of import-linter on the package below `tree`."""
    call = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", call],
        cwd=tree,
        env={**environment, "PYTHONPATH": str(tree), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package's source and settings, to break."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "napari_astroseg",
        tmp_path / "napari_astroseg",
        ignore=lambda folder, names: [
            name for name in names if (Path(folder) / name).is_file() and not name.endswith(".py")
        ],
    )
    return tmp_path


def test_the_package_keeps_every_contract(tree: Path) -> None:
    status, report = lint(tree)
    assert status == 0, report
    assert "0 broken" in report


@pytest.mark.parametrize(("contract", "module", "line"), PLANTS)
def test_a_planted_violation_is_caught(tree: Path, contract: str, module: str, line: str) -> None:
    planted = tree / "napari_astroseg" / module
    with planted.open("a", encoding="utf-8") as file:
        file.write(f"\n\n{line}\n")

    status, report = lint(tree)

    assert status == 1, report
    broken = [text for text in report.splitlines() if " BROKEN" in text]
    assert any(text.startswith(contract) for text in broken), report
