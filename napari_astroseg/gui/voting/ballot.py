"""Ballot: the votes on one field as the dock shows them, read in any thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_astroseg.errors import VoteError
from napari_astroseg.gui.drawn.layerdata import LayerData, all_layer_data
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.contents import contents
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.votes.gz3d import Gz3d, gz3d_of
from napari_astroseg.sky.votes.opening import open_votes
from napari_astroseg.sky.votes.votemap import VoteMap


@dataclass(frozen=True, eq=False)
class Ballot:
    """Votes on one field.

    Parameters
    ----------
    name
        What to call it.
    maps
        What was marked → how often.
    place
        The file; None for a layer.
    galaxy
        The file of Galaxy Zoo 3D, with what each volunteer drew; None for plain counts.
    picture
        What the volunteers saw, as napari takes it; None where it is not at hand.
    """

    name: str
    maps: dict[str, VoteMap]
    place: Path | None = None
    galaxy: Gz3d | None = None
    picture: LayerData | None = None

    @property
    def first(self) -> str:
        """The kind to begin with: spiral arms where there are any, else what was marked most."""
        if "spiral" in self.maps and self.maps["spiral"].most:
            return "spiral"
        return max(self.maps, key=lambda kind: self.maps[kind].most)


def open_ballot(place: str | Path) -> Ballot:
    """The votes of a file, all of them read and checked.

    Raises
    ------
    ImageError
        When the file cannot be read.
    VoteError
        When it holds no counts.
    """
    address = Address.of(place)
    if not address.is_folder:
        with opened(address) as file:
            found = contents(file)
            if found.kind == "votes" and address.hdu is None:
                galaxy = gz3d_of(file, found)
                for votes in galaxy.votes.values():
                    votes.counts  # noqa: B018 (read here, not in the window's thread)
                picture = all_layer_data(galaxy.picture)[0]
                return Ballot(address.name, galaxy.votes, Path(place), galaxy, picture)
    return Ballot(address.name, open_votes(address), Path(place))


def ballot_of(image: SkyImage) -> Ballot:
    """The votes of an image that is open already.

    Raises
    ------
    VoteError
        When it holds anything but counts.
    """
    if image.planes is not None:
        raise VoteError(f"{image.name} is a stack of {image.count}; choose one plane of it")
    votes = VoteMap(image, image.name)
    votes.counts  # noqa: B018 (this tells counts from others)
    reference = image.reference
    place = None if reference is None else Path(str(reference.place))
    return Ballot(image.name, {"votes": votes}, place)
