"""Places: what a user named, opened: layers to add, a question, or a sentence.

Nothing here knows Qt: `answers` runs in any thread, and says how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from napari_astroseg.errors import AstroSegError, ImageError
from napari_astroseg.gui import layers
from napari_astroseg.projects.projectfile import is_project
from napari_astroseg.sky.files.address import Address, HduKey
from napari_astroseg.sky.files.contents import Entry, contents
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.mosaic import footprint, open_mosaic
from napari_astroseg.sky.mosaics.tiling import TiledPixels
from napari_astroseg.sky.mosaics.together import Way, ways
from napari_astroseg.sky.opening import is_hips_place, open_bands, open_image
from napari_astroseg.sky.progress import Progress, silent

_PACKED = ("", ".gz", ".bz2", ".z")

ENDINGS = (
    ".fz",
    *(f".{plain}{packed}" for plain in ("fits", "fit", "fts") for packed in _PACKED),
)
"""How the names of FITS files end, in small letters; napari.yaml announces the same."""


@dataclass(frozen=True)
class Wish:
    """Places that a user named together.

    Parameters
    ----------
    places
        Files, folders or URLs, each perhaps with an HDU in brackets.
    way
        How several are opened; None for the likeliest way.
    match_background
        Whether the tiles of a mosaic are brought to one background.
    hdus
        HDUs of the only place, where the user has chosen them.
    canvas
        (height, width) of the canvas, to read ahead what it will show; (0, 0) if not known.
    """

    places: tuple[str, ...]
    way: Way | None = None
    match_background: bool = False
    hdus: tuple[HduKey, ...] = ()
    canvas: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """What it is called while it is being opened."""
        first = Address.of(self.places[0]).name
        return first if len(self.places) == 1 else f"{first} and {len(self.places) - 1} more"


@dataclass(frozen=True)
class Ready:
    """An image as layers, its own first, then those that belong to it."""

    wish: Wish
    layers: tuple[layers.LayerData, ...]


@dataclass(frozen=True)
class Choose:
    """A place with several images, none of which is plainly the one that is meant."""

    wish: Wish
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Together:
    """Several images, the ways in which they can be opened, and the one that was taken."""

    wish: Wish
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Refused:
    """Why there is no image, in one sentence."""

    sentence: str


Answer = Ready | Choose | Together | Refused


def answers(wish: Wish, progress: Progress) -> Iterator[Answer]:
    """Open what was wished; answers come one by one.

    Raises
    ------
    Stopped
        When `progress` asks for it.
    """
    try:
        wish = replace(wish, places=tuple(_files(wish.places)))
    except AstroSegError as error:
        yield Refused(str(error))
        return
    if len(wish.places) == 1:
        yield from _one_place(wish, progress)
    else:
        yield from _several(wish, progress)


def looks_like_fits(place: str) -> bool:
    """Whether a name is one of ours: by its ending, brackets and a URL's query left aside."""
    bare = place.partition("?")[0]
    if bare.endswith("]"):
        bare = bare.rpartition("[")[0]
    return bare.lower().endswith(ENDINGS)


def opens_here(place: str) -> bool:
    """Whether a place is one that a window of ours opens: FITS, a folder of it, or a project."""
    folder = Path(place)
    return looks_like_fits(place) or is_project(place) or (folder.is_dir() and holds_fits(folder))


def holds_fits(folder: Path) -> bool:
    """Whether a folder is one that we open: a HiPS, or one with FITS files in it."""
    return is_hips_place(Address.of(folder)) or bool(_fits_in(folder))


def all_layers(image: SkyImage) -> list[layers.LayerData]:
    """An image as layers, with what belongs to it; a mosaic has its footprint, too.

    Raises
    ------
    ImageError
        When it cannot be read.
    """
    made = layers.all_layer_data(image)
    if isinstance(image.pixels, TiledPixels):
        made.append(layers.footprint_data(footprint(image)))
    return made


def choices_in(address: Address, progress: Progress = silent) -> tuple[Entry, ...]:
    """The images among which people must choose; none where it is plain which one is meant.

    It is where an HDU is named, where there is one image, or one with its uncertainty and flags,
    and where all are bands of one field.

    Raises
    ------
    ImageError
        When the file cannot be read.
    """
    if address.hdu is not None or is_hips_place(address):
        return ()
    with opened(address, progress) as file:
        found = contents(file)
    sciences = [entry for entry in found.entries if entry.role == "science"]
    plain = len(sciences) == 1 or len(found.entries) < 2 or found.bands
    return () if plain else found.entries


def _files(places: Sequence[str]) -> Iterator[str]:
    """The places, with the FITS files of a folder in its stead."""
    for place in places:
        folder = Path(place)
        if not folder.is_dir() or is_hips_place(Address.of(place)):
            yield place
            continue
        found = _fits_in(folder)
        if not found:
            raise ImageError(
                f"{folder.name} is a folder without FITS files; name one that has some"
            )
        yield from found


def _fits_in(folder: Path) -> list[str]:
    files = (each for each in folder.iterdir() if each.is_file())
    return sorted(str(each) for each in files if looks_like_fits(each.name))


def _one_place(wish: Wish, progress: Progress) -> Iterator[Answer]:
    (place,) = wish.places
    try:
        choices = () if wish.hdus else choices_in(Address.of(place), progress)
    except AstroSegError as error:
        yield Refused(str(error))
        return
    if choices:
        yield Choose(wish, choices)
        return
    hdus: tuple[HduKey | None, ...] = wish.hdus or (None,)
    for hdu in hdus:
        yield _ready(wish, progress, partial(open_image, place, hdu, progress=progress))


def _several(wish: Wish, progress: Progress) -> Iterator[Answer]:
    """Open files as what they are to each other."""
    images: list[SkyImage] = []
    for index, place in enumerate(wish.places):
        progress(f"opening {Address.of(place).name}", index, len(wish.places))
        try:
            images.append(open_image(place, progress=progress))
        except AstroSegError as error:
            yield Refused(str(error))
    if not images:
        return
    possible = ways(images)
    way = wish.way if wish.way in possible else possible[0]
    taken = replace(wish, way=way)
    if len(possible) > 1:
        yield Together(taken, possible)
    if way == "separate":
        for image in images:
            yield _ready(taken, progress, partial(_itself, image))
    elif way == "bands":
        yield _ready(taken, progress, lambda: open_bands(_places(images)))
    else:
        yield _ready(taken, progress, lambda: _mosaic(images, taken, progress))


def _itself(image: SkyImage) -> SkyImage:
    return image


def _places(images: Sequence[SkyImage]) -> list[str]:
    """Where images lie, as words that open the same HDUs again."""
    return [f"{ref.place}[{ref.hdu}]" for image in images if (ref := image.reference)]


def _mosaic(images: Sequence[SkyImage], wish: Wish, progress: Progress) -> SkyImage:
    return open_mosaic(images, match_background=wish.match_background, progress=progress)


def _ready(wish: Wish, progress: Progress, make: Callable[[], SkyImage]) -> Ready | Refused:
    """The layers of an image, what will be drawn first read ahead; a sentence if that fails."""
    try:
        image = make()
        progress(f"reading {image.name}", 0, None)
        prepared = all_layers(image)
        layers.read_ahead(prepared[0], wish.canvas)
    except AstroSegError as error:
        return Refused(str(error))
    return Ready(wish, tuple(prepared))
