"""Hips: a HiPS (a folder of HEALPix tiles, or the URL of one) as one lazy image of the sky.

Convention: IVOA HiPS 1.0 (Fernique et al. 2017). The picture is the HPX projection in which
every tile is a square of its own, the same as `reproject.hips.hips_as_dask_array` gives: no
value is resampled. Tiles are read here, not through that array, because its graph has a task
for every tile of the sky (a view of a survey of order 9 takes seconds before any tile is read),
it reads the finest order only, and no PNG or JPEG. Here the picture's coarse levels are the
HiPS's own lower orders.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from astropy.io import fits
from astropy.wcs import WCS

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address, ImageRef, is_url, spoken
from napari_astroseg.sky.files.far.patience import NoAnswer
from napari_astroseg.sky.files.handle import Handle, open_handle
from napari_astroseg.sky.files.look import look, start_of
from napari_astroseg.sky.image import Axis, SkyImage
from napari_astroseg.sky.pixels import digest
from napari_astroseg.sky.spheres.hipspixels import HipsPixels
from napari_astroseg.sky.spheres.hipstiles import HipsTiles, TileFormat

_LONGEST = 256 * 2**10
"""Bytes of a `properties` file that are read."""
_DEEPEST = 20
_FORMATS: dict[str, TileFormat] = {"fits": "fits", "png": "png", "jpeg": "jpg", "jpg": "jpg"}
_FRAMES = {
    "equatorial": ("RA--", "DEC-"), "galactic": ("GLON", "GLAT"),
    "c": ("RA--", "DEC-"), "g": ("GLON", "GLAT"),
}  # fmt: skip

Planes = Literal["", "R", "G", "B"]
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class _Survey:
    """What the `properties` of a HiPS say, judged."""

    place: str
    name: str
    order: int
    coarsest: int
    width: int
    axes: tuple[str, str]
    format: TileFormat
    unit: str
    bits: int
    version: str


def is_hips(place: str) -> bool:
    """Whether a folder, or the URL of one, is a HiPS; also where its `properties` is named.

    A URL is asked for `properties` if its last part has no ending, as files do, and there is no
    FITS file at the URL itself.

    Raises
    ------
    ImageError
        When the URL's server does not answer.
    """
    if not is_url(place):
        return _own(Path(place)) is not None
    last = spoken(place).rstrip("/").rpartition("/")[2]
    if "." in last:
        return False
    if last != "properties" and _answered(lambda: look(Address(place))) is not None:
        return False
    told = _answered(lambda: _properties(open_handle(_beside(place))))
    return told is not None and "hips_order" in told


def open_hips(address: Address) -> SkyImage:
    """The lazy image of a HiPS, in the pixels of its finest order.

    Tiles of numbers (FITS) are preferred; pictures (PNG, JPEG) are three bands, 0 to 255.

    Raises
    ------
    ImageError
        When its `properties` tell of nothing that can be shown.
    """
    survey = _survey(address)
    tiles = HipsTiles(
        survey.place, survey.format, survey.width, survey.order, survey.coarsest, survey.version
    )
    bands: tuple[Planes, ...] = ("",) if survey.format == "fits" else ("R", "G", "B")
    double = survey.bits in {-64, 32, 64}
    sources = [HipsPixels(tiles, survey.order, band, double) for band in range(len(bands))]
    header = _header(survey)
    finest = f"order {survey.order}, tiles of {survey.width} × {survey.width}"
    note = f"a HiPS of {survey.format.upper()} tiles ({finest}), shown tile by tile, unresampled"
    many = len(sources) > 1
    return SkyImage(
        sources[0],
        WCS(header),
        header,
        survey.unit,
        survey.name,
        ImageRef(survey.place, 0),
        (note,),
        sources if many else None,
        Axis("band", "band", bands) if many else None,
    )


def _answered(ask: Callable[[], _Answer]) -> _Answer | None:
    """What a server gives; None if that is not there or is nothing of use."""
    try:
        return ask()
    except NoAnswer:
        raise
    except ImageError:
        return None


def _own(path: Path) -> Path | None:
    """The `properties` of a local HiPS; None if it is none."""
    try:
        path = path.parent if path.name == "properties" and path.is_file() else path
        found = path / "properties"
        if not found.is_file() or found.stat().st_size > _LONGEST:
            return None
        told = "hips_order" in found.read_text("utf-8", "replace")
    except (OSError, ValueError):
        return None
    return found if told else None


def _beside(place: str) -> str:
    """The URL of the `properties` of a HiPS; what follows a question mark stays there."""
    bare, mark, query = place.partition("?")
    bare = bare.rstrip("/").removesuffix("/properties")
    return f"{bare}/properties{mark}{query}"


def _properties(handle: Handle) -> dict[str, str]:
    """The keys and values of a `properties` file."""
    text = start_of(handle, _LONGEST).decode("utf-8", "replace")
    found = re.findall(r"^[ \t]*([A-Za-z]\w*)[ \t]*=[ \t]*(.*?)[ \t\r]*$", text, re.MULTILINE)
    return dict(reversed(found))  # the first of two counts


def _survey(address: Address) -> _Survey:
    place = address.place if address.remote else str(_own(address.path) or address.path)
    handle = open_handle(_beside(place) if address.remote else place)
    told, name = _properties(handle), address.name
    kind = told.get("dataproduct_type", "image")
    if kind != "image":
        raise ImageError(f"{name} is a HiPS of type {kind!r}; open one of type 'image'")
    tiles = told.get("hips_tile_format", "jpeg").replace(",", " ").lower().split()
    known = [form for form in _FORMATS if form in tiles]
    if not known:
        raise ImageError(f"{name} is a HiPS of {' '.join(tiles)} tiles; open one of FITS tiles")
    frame = told.get("hips_frame", told.get("coordsys", "equatorial")).lower()
    if frame not in _FRAMES:
        raise ImageError(f"{name} is a HiPS in the frame {frame!r}; open one in equatorial")
    order = _number(told, "hips_order", None, (0, _DEEPEST), name)
    return _Survey(
        place=re.sub(r"/properties(?=$|\?)", "", place)
        if address.remote
        else str(Path(place).parent),
        name=told.get("obs_title") or name,
        order=order,
        coarsest=_number(told, "hips_order_min", 0, (0, order), name),
        width=_width(told, name),
        axes=_FRAMES[frame],
        format=_FORMATS[known[0]],
        unit=told.get("hips_pixel_unit", told.get("bunit", "")) if known[0] == "fits" else "",
        bits=_number(told, "hips_pixel_bitpix", -32, (-64, 64), name),
        version=digest(handle.identity, sorted(told.items())),
    )


def _width(told: dict[str, str], name: str) -> int:
    width = _number(told, "hips_tile_width", 512, (1, 8192), name)
    if width & (width - 1):
        raise ImageError(
            f"{name}: a HiPS's tiles are 2, 4, 8 … pixels wide, not {width}; mend its properties"
        )
    return width


def _number(
    told: dict[str, str], key: str, default: int | None, between: tuple[int, int], name: str
) -> int:
    text = told.get(key, default)
    try:
        number = int(str(text))
    except ValueError:
        number = between[1] + 1
    if not between[0] <= number <= between[1]:
        raise ImageError(
            f"{name}: its properties say {key} = {text}; give it a whole number "
            f"from {between[0]} to {between[1]}"
        )
    return number


def _header(survey: _Survey) -> fits.Header:
    """The HPX projection turned by 45 degrees, so that tiles lie along rows and columns."""
    side = 5 * survey.width * 2**survey.order
    step = 45.0 / (survey.width * 2**survey.order)
    header = fits.Header()
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, side, side
    for axis, name in enumerate(survey.axes, start=1):
        header[f"CTYPE{axis}"] = f"{name}-HPX"
        header[f"CUNIT{axis}"] = "deg"
        header[f"CRVAL{axis}"] = 0.0
        header[f"CRPIX{axis}"] = side / 2 + 0.5
    header["CD1_1"], header["CD1_2"] = -step, -step
    header["CD2_1"], header["CD2_2"] = step, -step
    header["PV2_1"], header["PV2_2"] = 4, 3
    if survey.axes[0] == "RA--":
        header["RADESYS"] = "ICRS"
    return header
