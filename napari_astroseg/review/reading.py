"""Reading: detections from a catalogue, a region file, or the folder that a prediction left."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from napari_astroseg.errors import CatalogueError, VettingError
from napari_astroseg.review import bubblelist
from napari_astroseg.review.detections import Detections, Unit
from napari_astroseg.sky.catalogue import FORMATS, Catalogue, told_frame
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.shapes.cataloguefile import read_table
from napari_astroseg.sky.shapes.columns import Columns
from napari_astroseg.sky.shapes.regionfile import read_regions
from napari_astroseg.sky.shapes.shape import Frame, Shape, coordinates, frame_named

Doubles = NDArray[np.float64]

REGIONS = (".reg", ".crtf")
_NAMES = ("id", "name", "source_id", "main_id", "designation", "source")
_KINDS = ("kind", "class", "type", "label")
_SCORES = ("score", "probability", "prob", "confidence")
_UNCERTAINTIES = ("uncertainty", "score_uncertainty", "score_std", "std")
_MOST_TOLD = 1000
_LONGEST_NAME = 200


def open_detections(
    source: str | Path | Catalogue | Table | Detections,
    image: SkyImage | None = None,
    progress: Progress = silent,
) -> Detections:
    """Detections of whatever holds some.

    Parameters
    ----------
    source
        A folder left by `astroseg predict`, a catalogue (`.ecsv`, `.csv`, `.fits`, `.vot`,
        `.xml`), the Milky Way Project's bubbles (`.dat`), a region file of DS9 or CASA, or a table
        in memory.
    image
        Places regions in pixels of a file's own, such as DS9's physical ones.

    Raises
    ------
    VettingError
        When none of it names a place.
    CatalogueError, MarkError
        When it cannot be read.
    """
    if isinstance(source, Detections):
        return source
    if isinstance(source, Catalogue):
        return of_table(source.table, "catalogue", source.frame)
    if isinstance(source, Table):
        return of_table(source, "table")
    return _of_file(Path(source), image, progress)


def _of_file(path: Path, image: SkyImage | None, progress: Progress) -> Detections:
    if path.is_dir():
        return of_table(read_table(catalogue_in(path)), path.absolute().name)
    if path.suffix.lower() in FORMATS:
        return of_table(read_table(path), path.name)
    if path.suffix.lower() in bubblelist.ENDINGS:
        return bubblelist.read_bubble_list(path)
    if path.suffix.lower() in REGIONS:
        field = image or SkyImage.from_array(np.zeros((1, 1), np.float32), name=path.name)
        read = read_regions(path, field, everywhere=True, progress=progress)
        return of_shapes(read.shapes, path.name, read.skipped)
    raise CatalogueError(
        f"{path.name} is no list of detections; give the folder of a prediction, a catalogue "
        f"({', '.join((*FORMATS, '.dat'))}) or a region file ({', '.join(REGIONS)})"
    )


def of_table(table: Table, source: str, frame: str | None = None) -> Detections:
    """The rows of a table that name a place."""
    columns = Columns(table, source, {}, {})
    told = cast(Any, frame or told_frame(table))
    known = told if told in get_args(Frame) and told != "pixel" else None
    sky, pixels = columns.sky(None, known), columns.pixels()
    nothing = np.full(len(table), np.nan)
    lon, lat, sky_frame = sky or (nothing, nothing, None)
    x, y = pixels or (nothing, nothing)
    if sky is None and pixels is None:
        raise VettingError(
            f"{source} has no positions; name its columns ra and dec, l and b, lon and lat, "
            "or x and y"
        )
    # Columns of the sky may be there and empty; then only pixels are known.
    on_sky = np.isfinite(lon) & (np.abs(np.nan_to_num(lat, nan=99.0)) <= 90.0)
    lon, lat = np.where(on_sky, lon % 360.0, np.nan), np.where(on_sky, lat, np.nan)
    sound = on_sky if on_sky.any() else np.isfinite(x) & np.isfinite(y)
    notes = [f"row {row + 1:,}: it names no place; mend its position"
             for row in np.flatnonzero(~sound)[:_MOST_TOLD].tolist()]  # fmt: skip
    unit, radius = _radii(columns, source, notes)
    kept = np.flatnonzero(sound)
    if not len(kept):
        raise VettingError(f"{source} has no row that names a place; give it positions in deg")
    names = _names(names_told(columns), kept, notes)
    kinds = _first_text(columns, _KINDS) or [""] * len(table)
    return Detections.of(
        len(kept), names=names, kinds=[kinds[row][:_LONGEST_NAME] for row in kept.tolist()],
        lon=lon[kept], lat=lat[kept], x=x[kept], y=y[kept], radius=radius[kept],
        score=_first_number(columns, _SCORES, nothing)[kept],
        uncertainty=_first_number(columns, _UNCERTAINTIES, nothing)[kept],
        frame=sky_frame if on_sky.any() else None, unit=unit, source=source, notes=tuple(notes),
    )  # fmt: skip


def of_shapes(shapes: Sequence[Shape], source: str, skipped: Sequence[str] = ()) -> Detections:
    """Shapes by their middles and how far they reach."""
    if not shapes:
        raise VettingError(f"{source} has no region that can be judged; draw some and save it")
    notes = list(skipped)
    frames = [shape.frame for shape in shapes if shape.on_sky]
    mixed = 0 < len(frames) < len(shapes)
    if mixed:
        notes.append(f"{source} has regions on the sky and in pixels; those in pixels are left out")
        shapes = [shape for shape in shapes if shape.on_sky]
    xy, reach = _middles(shapes), np.array([_reach(shape) for shape in shapes])
    known: dict[str, Any] = {"x": xy[:, 0], "y": xy[:, 1], "unit": "px"}
    if frames:
        common: Frame = "galactic" if set(frames) == {"galactic"} else "icrs"
        for frame in set(frames):
            own = np.array([shape.frame == frame for shape in shapes])
            if frame != common:
                there = (
                    coordinates(xy[own, 0], xy[own, 1], frame)
                    .transform_to(frame_named(common))
                    .spherical
                )
                xy[own] = np.column_stack((there.lon.deg, there.lat.deg))
        known = {"lon": xy[:, 0] % 360.0, "lat": xy[:, 1], "unit": "arcsec", "frame": common}
    everyone = np.arange(len(shapes))
    names = _names([shape.name for shape in shapes], everyone, notes)
    kinds = [shape.class_name for shape in shapes]
    return Detections.of(
        len(shapes), names=names, kinds=kinds, radius=reach, source=source, notes=tuple(notes),
        **known,
    )  # fmt: skip


def catalogue_in(folder: Path) -> Path:
    """The catalogue in a folder that a prediction left.

    Raises
    ------
    VettingError
        When there is none.
    """
    for ending in FORMATS:
        path = folder / f"catalogue{ending}"
        if path.is_file():
            return path
    raise VettingError(
        f"{folder} holds no catalogue.ecsv; give a folder that astroseg predict left, or a file"
    )


def _radii(columns: Columns, source: str, notes: list[str]) -> tuple[Unit, Doubles]:
    """How far each row reaches, and in what; NaN, and a note, where nothing can be made of it."""
    try:
        sizes = columns.sizes()
    except CatalogueError as error:
        notes.append(f"sizes are left out: {error}")
        return "arcsec", np.full(len(columns), np.nan)
    told = sizes.by_name
    unit: Unit = "arcsec" if sizes.on_sky else "px"
    for name in ("radius", "major"):
        if name in told:
            return unit, told[name]
    if {"width", "height"} <= set(told):
        return unit, np.hypot(told["width"], told["height"]) / 2
    return _of_areas(columns, source, notes)


def _of_areas(columns: Columns, source: str, notes: list[str]) -> tuple[Unit, Doubles]:
    """Radii of circles as large as the areas are."""
    area, square = columns.values("area"), columns.unit("area")
    units: tuple[tuple[Unit, str], ...] = (("arcsec", "arcsec2"), ("px", "pix2"))
    for unit, squared in units:
        if area is not None and square is not None and square.is_equivalent(squared):
            radius = np.sqrt(np.maximum(area, 0.0) / np.pi) * float(square.to(squared)) ** 0.5
            return unit, radius
    if square is not None:
        notes.append(f"areas in {source} are in {square}; give them in arcsec2 or pix2")
    return "arcsec", np.full(len(columns), np.nan)


def names_told(columns: Columns) -> list[str]:
    """What each row is called: by itself, or by its number, from 1."""
    told = _first_text(columns, _NAMES) or [""] * len(columns)
    return [_one_line(name) or str(row + 1) for row, name in enumerate(told)]


def _names(told: Sequence[str], kept: NDArray[Any], notes: list[str]) -> list[str]:
    """A name of its own for each row that is kept."""
    names = [_one_line(told[row]) or str(row + 1) for row in kept.tolist()]
    if len(set(names)) == len(names):
        return names
    often = {name for name, count in Counter(names).items() if count > 1}
    taken = set(names)
    seen: Counter[str] = Counter()
    for at, name in enumerate(names):
        if name not in often:
            continue
        seen[name] += 1
        while seen[name] > 1 and f"{name} ({seen[name]})" in taken:
            seen[name] += 1
        if seen[name] > 1:
            names[at] = f"{name} ({seen[name]})"
            taken.add(names[at])
    notes.append(f"{len(often):,} names are there more than once; the later ones are numbered")
    return names


def _one_line(name: str) -> str:
    """A name without line breaks or double blanks, and not too long; most are so already."""
    plain = name.isalnum() and len(name) <= _LONGEST_NAME
    return name if plain else " ".join(name.split())[:_LONGEST_NAME]


def _first_text(columns: Columns, names: Sequence[str]) -> list[str] | None:
    return next((columns.text(name) for name in names if name in columns), None)


def _first_number(columns: Columns, names: Sequence[str], nothing: Doubles) -> Doubles:
    for name in names:
        values = columns.values(name)
        if values is not None:
            return values
    return nothing


def _middles(shapes: Sequence[Shape]) -> Doubles:
    """(N, 2): centres, or the means of vertices, on the sky of their directions."""
    middles = np.empty((len(shapes), 2))
    for at, shape in enumerate(shapes):
        if len(shape.points) == 1:
            middles[at] = shape.points[0]
            continue
        points = np.array(shape.points)
        middles[at] = _mean_direction(points) if shape.on_sky else points.mean(0)
    return middles


def _directions(points: Doubles) -> Doubles:
    lon, lat = np.radians(points).T
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _mean_direction(points: Doubles) -> Doubles:
    x, y, z = _directions(points).mean(0)
    return np.degrees([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))])


def _reach(shape: Shape) -> float:
    """How far it reaches from its middle, arcsec or px; NaN for a point."""
    if shape.sizes:
        outer = shape.sizes[len(shape.sizes) // 2 :] if shape.is_annulus else shape.sizes
        return math.hypot(*outer) / 2 if shape.form.startswith("box") else max(outer)
    if len(shape.points) == 1:
        return float("nan")
    points = np.array(shape.points)
    if not shape.on_sky:
        return float(np.linalg.norm(points - points.mean(0), axis=1).max())
    ways = _directions(points) - _directions(_mean_direction(points)[None])
    return float(2 * np.degrees(np.arcsin(np.linalg.norm(ways, axis=1).max() / 2)) * 3600)
