"""What a release consists of: one version everywhere, and archives that hold what they should."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

import napari_astroseg

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "napari_astroseg"
KINDS = {".py", ".safetensors", ".yaml", ".csv", ".css", ".typed"}
"""What the package consists of: modules, weights, presets, tables, pages' looks, its types."""

LARGEST_MB = 25.0


def archive(what: str, tree: Path, out: Path) -> Path:
    """The wheel or sdist of a tree, built in a process of its own, as it stands in the folder."""
    command = f"from hatchling.build import build_{what}; print(build_{what}({str(out)!r}))"
    out.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out / done.stdout.splitlines()[-1]


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    return archive("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """The wheel as one gets it who has the source archive alone."""
    with tarfile.open(sdist) as opened:
        opened.extractall(sdist.parent, filter="data")
    return archive("wheel", sdist.parent / sdist.name.removesuffix(".tar.gz"), sdist.parent)


def test_one_version_is_told_everywhere() -> None:
    version = napari_astroseg.__version__
    (built,) = re.findall(
        r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (built, cited["version"]) == (version, version)
    released = re.findall(
        r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert released[0] == "Unreleased" or released[0].strip("[]") == version


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    held = members(wheel)
    rest = {name for name in held if not name.startswith(f"{PACKAGE}/")}
    assert {name.split("/")[0] for name in rest} == {
        f"{PACKAGE}-{napari_astroseg.__version__}.dist-info"
    }
    tree = {
        path.relative_to(ROOT).as_posix(): path
        for path in (ROOT / PACKAGE).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert held.keys() - rest == tree.keys()
    assert all(held[name] == path.read_bytes() for name, path in tree.items())
    assert {Path(name).suffix for name in tree} == KINDS
    assert wheel.stat().st_size < LARGEST_MB * 1e6


def test_the_source_archive_brings_what_building_testing_and_citing_need(sdist: Path) -> None:
    with tarfile.open(sdist) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    listed = ("start.py", "mkdocs.yml", "CITATION.cff", "SECURITY.md", "LICENSE", ".ci/run")
    assert names >= {*listed, "CHANGELOG.md", "tests/conftest.py", "docs/index.md"}
    strange = {
        name for name in names if re.search(r"__pycache__|\.pyc$|\.venv|\.fits$|\.log$", name)
    }
    assert not strange


def test_an_index_and_the_hub_find_what_they_ask_for(wheel: Path, sdist: Path) -> None:
    (name,) = (name for name in members(wheel) if name.endswith(".dist-info/METADATA"))
    told = message_from_bytes(members(wheel)[name])
    assert "Framework :: napari" in told.get_all("Classifier", [])
    assert told["License-Expression"] == "BSD-3-Clause"
    assert told["Description-Content-Type"] == "text/markdown"
    pytest.importorskip("twine")
    command = [sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_manifest_names_only_what_the_wheel_holds(wheel: Path) -> None:
    held = members(wheel)
    points = held[f"{PACKAGE}-{napari_astroseg.__version__}.dist-info/entry_points.txt"].decode()
    assert "[napari.manifest]\nnapari-astroseg = napari_astroseg:napari.yaml" in points
    manifest = yaml.safe_load(held[f"{PACKAGE}/napari.yaml"])
    commands = manifest["contributions"]["commands"]
    assert len(commands) > 5
    for each in commands:
        module, _, name = each["python_name"].partition(":")
        text = held[module.replace(".", "/") + ".py"].decode()
        assert re.search(rf"^(class|def) {name}\b", text, re.MULTILINE), each["id"]
