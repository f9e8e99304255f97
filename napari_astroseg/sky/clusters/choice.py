"""Choice: which classes of non-bubbles are shown, and how often; a file beside the data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_astroseg.errors import DataError
from napari_astroseg.sky.clusters.kmeans import Classes
from napari_astroseg.sky.datasets.dataset import Dataset, Stamp
from napari_astroseg.sky.datasets.occupied import Fill
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.window import Window

FILE = "non_bubbles.json"

SMALLEST, LARGEST = 0.01, 1000.0
"""Of weights."""

Place = tuple[str, int, int, Annotated[int, Field(ge=1)]]
"""Name of the tile, first column, first row and side of a crop, px."""


class CropClass(BaseModel):
    """Crops that look alike.

    Attributes
    ----------
    dropped
        Whether a network is shown none of them.
    weight
        How often one of them is shown, in comparison with the other classes.
    crops
        Those nearest to the middle of the class first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dropped: bool = False
    weight: float = Field(1.0, ge=SMALLEST, le=LARGEST)
    crops: tuple[Place, ...] = Field(min_length=1)


class Choice(BaseModel):
    """The non-bubbles of a folder.

    Attributes
    ----------
    data
        Digest of the folder that they were drawn from, whichever share of it validates.
    count, seed, fill
        As they were drawn; see `draw_negatives`.
    features
        What parted them: `plain`, or the name of a network.
    classes
        In the order of their size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field(pattern="^[0-9a-f]{32}$")
    count: int = Field(ge=1)
    seed: int = Field(ge=0)
    fill: Fill = "circle"
    features: str = "plain"
    classes: tuple[CropClass, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Choice:
        every = [place for each in self.classes for place in each.crops]
        if len(set(every)) < len(every):
            raise ValueError("a crop is in it twice")
        return self

    @property
    def digest(self) -> str:
        """32 hexadecimal digits of all that it says."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]

    @property
    def kept(self) -> tuple[int, ...]:
        """The classes that are shown."""
        return tuple(n for n, each in enumerate(self.classes) if not each.dropped)

    def changed(
        self,
        dropped: Sequence[int] | None = None,
        weights: Mapping[int, float] | None = None,
    ) -> Choice:
        """The same crops with other classes dropped, or other weights; None leaves as it is.

        Raises
        ------
        DataError
            When there is no such class, or a weight is none.
        """
        for number in {*(dropped or ()), *(weights or {})}:
            if not 0 <= number < len(self.classes):
                raise DataError(
                    f"there is no class {number + 1}; name one from 1 to {len(self.classes)}"
                )
        for weight in (weights or {}).values():
            if not SMALLEST <= weight <= LARGEST:
                raise DataError(
                    f"{weight:g} is no weight; give one from {SMALLEST:g} to {LARGEST:g}, or drop "
                    "the class"
                )
        classes = []
        for number, each in enumerate(self.classes):
            out = each.dropped if dropped is None else number in dropped
            weight = (weights or {}).get(number, each.weight)
            classes.append(each.model_copy(update={"dropped": out, "weight": float(weight)}))
        return self.model_copy(update={"classes": tuple(classes)})

    def stamps(self, dataset: Dataset) -> tuple[tuple[Stamp, ...], NDArray[np.float64]]:
        """All crops that are shown, and how likely each is drawn; the sum is 1.

        Classes are drawn by their weights, and of a class each crop alike.

        Raises
        ------
        DataError
            When every class is dropped, or they are of another folder.
        """
        self.require(dataset)
        if not self.kept:
            raise DataError(
                "every class of non-bubbles is dropped, so that none is left to learn from; keep "
                "one at least"
            )
        numbers = {item.name: number for number, item in enumerate(dataset.items)}
        stamps: list[Stamp] = []
        shares: list[float] = []
        for number in self.kept:
            own = self.classes[number]
            for name, x, y, side in own.crops:
                stamps.append(Stamp(numbers[name], Window(x, y, side, side)))
                shares.append(own.weight / len(own.crops))
        chances = np.array(shares)
        return tuple(stamps), chances / chances.sum()

    def require(self, dataset: Dataset) -> None:
        """Refuse a folder that it is not of.

        Raises
        ------
        DataError
            When the folder has another digest, or lacks a tile; when a crop is not inside one, or
            one of a tile that validates.
        """
        numbers = {item.name: number for number, item in enumerate(dataset.items)}
        places = [place for each in self.classes for place in each.crops]
        names = {place[0] for place in places}
        # Another share may validate now; crops on tiles that do are refused below.
        same = self.data in (dataset.unparted_digest, dataset.digest)
        if not same or not names <= numbers.keys():
            raise DataError(
                f"the non-bubbles were drawn when {dataset.folder.name} held other files; "
                "draw and choose them anew"
            )
        tiles = {name: Window.whole(dataset.items[numbers[name]].image.shape) for name in names}
        trained = {name for name in names if numbers[name] in dataset.of("training")}
        for name, x, y, side in places:
            crop = Window(x, y, side, side)
            if name not in trained or tiles[name].overlap(crop) != crop:
                raise DataError(
                    f"a non-bubble of {side} px at x = {x}, y = {y} does not lie inside {name} as "
                    "a tile that is trained on; draw and choose them anew"
                )

    def write(self, path: Path) -> Path:
        """Write it as JSON, whole or not at all; `path` may be the folder of the data.

        Raises
        ------
        OutputError
            When it cannot be written.
        """
        path = path / FILE if path.is_dir() else path
        with replacing(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Choice:
        """What `write` wrote; `path` may be the folder of the data.

        Raises
        ------
        DataError
            When it is not there, or cannot be read.
        """
        path = path / FILE if path.is_dir() else path
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError(
                f"{path} cannot be read ({(error.strerror or str(error)).lower()}); draw and "
                "choose non-bubbles first"
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "its text"
            raise DataError(
                f"{path} is no choice of non-bubbles ({where}: {first['msg'].lower()}); draw and "
                "choose them anew"
            ) from error


def choice_of(
    dataset: Dataset,
    stamps: Sequence[Stamp],
    classes: Classes,
    *,
    count: int,
    seed: int,
    fill: Fill = "circle",
    features: str = "plain",
) -> Choice:
    """Every class kept, with the same weight.

    Parameters
    ----------
    stamps
        One for each crop that was parted.
    """
    names = [item.name for item in dataset.items]
    parted = []
    for number in range(len(classes)):
        own = [stamps[n] for n in classes.members(number).tolist()]
        crops = tuple(
            (names[each.item], each.window.x, each.window.y, each.window.width) for each in own
        )
        parted.append(CropClass(crops=tuple(dict.fromkeys(crops))))
    return Choice(
        data=dataset.unparted_digest,
        count=count,
        seed=seed,
        fill=fill,
        features=features,
        classes=tuple(parted),
    )
