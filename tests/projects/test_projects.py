"""Project files: read as written, refused when they are not sound, and harmless in between."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.errors import OutputError, ProjectError
from napari_astroseg.projects.finding import find, questions
from napari_astroseg.projects.place import Identity, Place, Places, shareable
from napari_astroseg.projects.project import Layer, Project, View
from napari_astroseg.projects.projectfile import (
    MOST_BYTES,
    is_project,
    kept_folder,
    read_project,
    write_project,
)
from napari_astroseg.projects.sources import ImageSource, Look


def project_of(folder: Path, *files: Path) -> Project:
    places = Places()
    layers = tuple(
        Layer(
            name=file.stem,
            source=ImageSource(place=places.key(file), hdu=1, name="a"),
            look=Look(stretch="asinh", low=-1.5, high=3e21, rule="zscale", colormap="magma"),
            opacity=0.5,
        )
        for file in files
    )
    view = View(center=(10.0, 20.5), zoom=0.25, point=(0.0, 10.0, 20.5), selected="a")
    docks = {"Train": {"preset": "filaments", "data": places.key(folder / "skies", "folder")}}
    return Project(places=places.told(folder), layers=layers, view=view, docks=docks, front="Train")


def test_a_project_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    file = tmp_path / "maps" / "a.fits"
    file.write_bytes(b"x" * 300_000)
    path = tmp_path / "work.astroseg.json"
    project = project_of(tmp_path, file)
    digest = write_project(project, path)
    opened = read_project(path)
    assert opened.project.changes() == project.changes()
    assert opened.digest == digest
    assert opened.project.by.startswith("napari-astroseg ")
    assert opened.project.places["p1"].path == "maps/a.fits"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[1] == ' "astroseg_project": 1,'
    assert len(lines) > 20, "people can read it"
    assert is_project(path)
    assert not is_project("a.json")
    assert kept_folder(path) == tmp_path / "work.astroseg-files"


def test_an_empty_project_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "a.astroseg.json"
    write_project(Project(), path)
    assert read_project(path).project.changes() == Project().changes()


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.astroseg.json"
    write_project(Project(front="Open"), path)
    (tmp_path / "f").write_text("a file, not a folder")
    with pytest.raises(OutputError):
        write_project(Project(), tmp_path / "f" / "a.astroseg.json")
    assert read_project(path).project.front == "Open"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.astroseg.json", "f"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"astroseg_project": 2}, "newer version"),
        ({"astroseg_project": True}, "no project"),
        ({"astroseg_project": None}, "no project"),
        ({"run": "rm -rf /"}, "run"),
        ({"view": {"center": [1, 2], "zoom": 1e99}}, "zoom"),
        ({"view": {"center": [1, float("nan")], "zoom": 1}}, "center"),
        ({"view": {"center": ["1", 2], "zoom": 1}}, "center"),
        ({"layers": [{"name": "a\nb"}]}, "name"),
        ({"layers": [{"name": "a", "opacity": 2}]}, "opacity"),
        ({"layers": [{"name": "a", "visible": 1}]}, "visible"),
        ({"layers": [{"name": "a", "source": {"kind": "pickle"}}]}, "source"),
        ({"layers": [{"name": "a", "source": {"kind": "image", "place": "/etc"}}]}, "place"),
        ({"layers": [{"name": "a", "placed": [[1, 2, 0], [2, 4, 0]]}]}, "squeezed"),
        ({"layers": [{"name": "a"}] * 1001}, "layers"),
        ({"docks": {"__import__": {}}}, "docks"),
        ({"places": {"p1": {"path": "a", "kind": "pipe"}}}, "kind"),
        ({"places": {"p1": {"path": "a\u0000b", "kind": "file"}}}, "path"),
        ({"places": {"p1": {"path": "x" * 5000, "kind": "file"}}}, "path"),
    ],
)
def test_what_is_not_known_or_out_of_bounds_is_refused(
    tmp_path: Path, change: dict[str, Any], word: str
) -> None:
    path = tmp_path / "a.astroseg.json"
    path.write_text(json.dumps({"astroseg_project": 1, **change}), encoding="utf-8")
    with pytest.raises(ProjectError, match=word) as refused:
        read_project(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"\xff\xfe", b'{"astroseg_project":', b"[" * 200_000, b"cos\nsystem\n(S'ls'\n"],
)
def test_what_is_no_json_is_refused_in_one_sentence(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.astroseg.json"
    path.write_bytes(text)
    with pytest.raises(ProjectError, match=r"a\.astroseg\.json"):
        read_project(path)


def test_deep_nesting_and_length_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.astroseg.json"
    deep = "[" * 5000 + "]" * 5000
    path.write_text(f'{{"astroseg_project": 1, "docks": {{"Open": {{"a": {deep}}}}}}}')
    with pytest.raises(ProjectError):
        read_project(path)
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ProjectError, match="longer than any project"):
        read_project(path)
    with pytest.raises(ProjectError, match="check the name"):
        read_project(tmp_path / "none.astroseg.json")


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["layers", "view", "places", "docks", "p1", "name", "source", "kind"]),
        inner, max_size=4,
    ), max_leaves=12,
))  # fmt: skip
def test_any_json_is_read_or_refused(tmp_path_factory: Any, told: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "a.astroseg.json"
    text = {"astroseg_project": 1, **told} if isinstance(told, dict) else told
    path.write_text(json.dumps(text), encoding="utf-8")
    with suppress(ProjectError):
        read_project(path)


def test_a_file_is_known_by_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "a.fits"
    file.write_bytes(bytes(range(256)) * 4000)
    told = Identity.of(file)
    assert told.holds(file)
    os.utime(file, ns=(1, 1))
    assert told.holds(file), "a copy has another date"
    changed = bytearray(file.read_bytes())
    changed[-1] ^= 1
    file.write_bytes(changed)
    os.utime(file, ns=(2, 2))
    assert not told.holds(file)
    assert not told.holds(tmp_path / "none")
    assert Identity.of(_empty(tmp_path)).size == 0


def _empty(folder: Path) -> Path:
    path = folder / "empty"
    path.touch()
    return path


def test_places_near_the_project_are_relative_and_others_absolute(tmp_path: Path) -> None:
    folder = tmp_path / "one" / "two" / "project"
    folder.mkdir(parents=True)
    places = Places()
    near = places.key(tmp_path / "one" / "data" / "a.fits")
    far = places.key(tmp_path / "b.fits")
    net = places.key("https://ada:secret@example.org/a.fits?x=1&token=T&X-Amz-Signature=S#part")
    store = places.key("postgresql://ada:secret@db.example.org/verdicts", use="write")
    assert places.key(tmp_path / "b.fits") == far
    assert places.key(None) == places.key("") == ""
    told = places.told(folder)
    assert told[near].path == "../../data/a.fits"
    assert told[far].path == (tmp_path / "b.fits").as_posix()
    assert told[net].path == "https://ada@example.org/a.fits?x=1"
    assert told[net].kind == "address"
    assert told[store].path == "postgresql://ada@db.example.org/verdicts"
    assert told[store].use == "write"


def test_a_shared_address_carries_no_secret() -> None:
    assert shareable("s3://bucket/a.fits") == "s3://bucket/a.fits"
    assert (
        shareable("https://h/a?api_key=1&hips=CDS/P/DSS2/red") == "https://h/a?hips=CDS/P/DSS2/red"
    )


def test_a_strangers_places_are_asked_about_before_any_is_touched(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "maps").mkdir(parents=True)
    (folder / "maps" / "a.fits").write_bytes(b"a")
    (tmp_path / "b.fits").write_bytes(b"b")
    (folder / "link.fits").symlink_to(tmp_path / "b.fits")
    kinds = {
        "p1": ("maps/a.fits", "file"), "p2": ("../b.fits", "file"), "p3": ("link.fits", "file"),
        "p4": ("https://example.org/a.fits", "address"), "p5": ("CDS/P/2MASS/K", "survey"),
        "p6": ("//server/share/a.fits", "file"), "p7": ("\\\\server\\share", "folder"),
        "p8": ("C:\\a.fits", "file"), "p9": ("/dev/zero", "file"),
        "p10": ("https://example.org/b.fits", "file"), "p11": ("maps/../maps/a.fits", "file"),
    }  # fmt: skip
    places = {key: Place(path=path, kind=kind) for key, (path, kind) in kinds.items()}
    path = folder / "a.astroseg.json"
    write_project(Project(places=places), path)
    opened = read_project(path)
    asked = {each.key: each for each in questions(opened)}
    assert asked.keys() == places.keys() - {"p1", "p11"}
    assert {"p4", "p5", "p6", "p7", "p10"} <= {key for key in asked if asked[key].place.remote}
    found = find(opened, ["p2"])
    assert found.path("p1") == folder / "maps" / "a.fits"
    assert found.path("p2") == tmp_path / "b.fits"
    assert set(found.of("refused")) == asked.keys() - {"p2"}
    assert found.where("p4") == ""
    assert found.where("p99") == ""
    assert find(opened, None).where("p4") == "https://example.org/a.fits"


def test_moved_files_are_found_beside_the_one_that_was_named(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new" / "deep"
    old.mkdir()
    new.mkdir(parents=True)
    files = [old / f"{name}.fits" for name in "abcd"]
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]) * 200_000)
    path = tmp_path / "work" / "w.astroseg.json"
    path.parent.mkdir()
    write_project(project_of(path.parent, *files), path)
    opened = read_project(path)
    assert find(opened, None).of("missing") == ["p5"], "its folder of skies never was there"
    for file in files:
        file.rename(new / file.name)
    (new / "b.fits").write_bytes(b"another of the same name")
    (path.parent / "d.fits").write_bytes(bytes([3]) * 200_000)
    found = find(opened, None)
    assert found.of("missing") == ["p1", "p2", "p3", "p5"]
    assert found.path("p4") == path.parent / "d.fits", "it was beside the project"
    found = find(opened, None, {"p1": new / "a.fits"})
    assert found.of("missing") == ["p2", "p5"], "what only has the same name is another file"
    assert found.path("p3") == new / "c.fits"
    chosen = find(opened, None, {"p1": new / "a.fits", "p2": new / "b.fits"})
    assert chosen.state("p2") == "changed"
    assert chosen.path("p2") == new / "b.fits"


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_missing_place_is_not_found_beyond_what_was_asked_about(tmp_path: Path) -> None:
    private, folder = tmp_path / "private", tmp_path / "work"
    for each in (private, folder):
        each.mkdir()
    (folder / "link").symlink_to(private)
    path = folder / "w.astroseg.json"
    named = {"p1": "gone/deep/..", "p2": "gone/deep/../..", "p3": "gone/link", "p4": "link"}
    places = {key: Place(path=each, kind="folder") for key, each in named.items()}
    write_project(Project(places=places), path)
    opened = read_project(folder / ".." / "work" / path.name)
    assert opened.folder == folder
    assert [each.key for each in questions(opened)] == ["p4"]
    found = find(opened, ())
    assert found.of("missing") == ["p1", "p3"]
    assert found.path("p2") == folder
