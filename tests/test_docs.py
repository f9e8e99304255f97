"""What the documentation shows is true: examples run, commands parse, links lead somewhere."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_astroseg.cli.main import _parser, _with_verb
from napari_astroseg.recipes.families import family_specs
from napari_astroseg.sky.simulate import write_filaments
from napari_astroseg.sky.votes.votemap import VoteMap
from napari_astroseg.sky.votes.writing import write_votes

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if page.exists()]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(astroseg \w+ [^`…]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> Iterator[tuple[str, str, int]]:
    """Title (or ""), text and first line of each fenced block."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        language, rest, body = match.groups()
        if language in languages:
            title = re.search(r'title="([^"]+)"', rest)
            yield title[1] if title else "", body, text.count("\n", 0, match.start()) + 2


def commands(page: Path) -> list[str]:
    """Every line of a console, and what stands between backticks with words after its verb."""
    lines = (
        line
        for _, body, _ in blocks(page, "console", "sh", "bash")
        for line in body.replace("\\\n", " ").splitlines()
    )
    shown = [line for line in lines if line.split(" ")[0] == "astroseg"]
    return shown + INLINE.findall(page.read_text(encoding="utf-8"))


WITH_PYTHON = [page for page in PAGES if any(blocks(page, "python"))]
DRAWN_BY_GALSIM = "docs/simulated-galaxies.md"
COMMANDS = [(name(page), line) for page in PAGES for line in commands(page)]


@pytest.fixture
def a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with MAP.fits and VOTES.fits to run in, importable and forgotten afterwards."""
    write_filaments(tmp_path, n=1, size=160, seed=8)[0].rename(tmp_path / "MAP.fits")
    write_votes(tmp_path / "VOTES.fits", VoteMap.from_array(np.tile(np.arange(8), (8, 1))))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for module in set(sys.modules) - before:
        if (getattr(sys.modules[module], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[module]
    family_specs.cache_clear()


def install(title: str, body: str, place: Path) -> None:
    """Put a titled file where it belongs; a pyproject.toml is installed as pip would."""
    path = place / title
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body, encoding="utf-8")
    if title == "pyproject.toml":
        project = tomllib.loads(body)["project"]
        info = place / f"{project['name']}-{project['version']}.dist-info"
        info.mkdir()
        said = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (info / "METADATA").write_text(said, encoding="utf-8")
        lines = [
            f"[{group}]\n" + "\n".join(f"{key} = {value}" for key, value in entries.items())
            for group, entries in project["entry-points"].items()
        ]
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    importlib.invalidate_caches()
    family_specs.cache_clear()


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_the_examples_of_a_page_run_in_order(page: Path, a_place_of_its_own: Path) -> None:
    if name(page) == DRAWN_BY_GALSIM:
        pytest.importorskip("galsim", reason="GalSim draws these skies and is not installed")
    namespace: dict[str, object] = {"__name__": "__docs__"}
    for title, body, _ in blocks(page, "python", "toml"):
        if title:
            install(title, body, a_place_of_its_own)
    for title, body, line in blocks(page, "python"):
        if not title:
            exec(compile("\n" * (line - 1) + body, str(page), "exec"), namespace)


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_is_one_that_the_command_line_takes(page: str, line: str) -> None:
    words = _with_verb(shlex.split(line, comments=True)[1:])
    try:
        _parser().parse_args(words)
    except SystemExit as stopped:
        assert stopped.code == 0, f"{page} shows a command that is refused: {line}"  # --help


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_inside_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name(page)} leads to {target}, which is not there"
        if anchor:
            assert anchor in anchors(there), f"{name(page)}: {path} has no heading #{anchor}"


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as mkdocs makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"[\s-]+", "-", heading) for heading in plain}


def test_every_public_name_has_a_place_in_the_reference() -> None:
    import napari_astroseg

    told = (ROOT / "docs/reference/python.md").read_text(encoding="utf-8")
    public = set(napari_astroseg.__all__) - {"__version__"}
    assert {each for each in public if each not in told} == set()


def test_every_verb_has_a_section() -> None:
    from napari_astroseg.cli.main import VERBS

    told = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert {verb for verb in VERBS if f"\n## {verb}\n" not in told} <= {"window"}
