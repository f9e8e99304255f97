"""Reopening: from what a project says of a layer to layers as napari takes them; any thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_astroseg.errors import AstroSegError, ImageError
from napari_astroseg.gui import layers
from napari_astroseg.gui.drawn.layerdata import footprint_data
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.look.colourdata import METADATA as COLOURS
from napari_astroseg.gui.look.colourdata import colour_data, native_data
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.project import Layer
from napari_astroseg.projects.sources import (
    BandsSource,
    ColourSource,
    ImageSource,
    KeptSource,
    LabelsSource,
    Look,
    MosaicSource,
    PointsSource,
    Source,
)
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.image import Axis, SkyImage
from napari_astroseg.sky.looks.colour import Lupton, Tuning
from napari_astroseg.sky.looks.colourlevels import ColourLevel
from napari_astroseg.sky.looks.limits import LIMIT_RULES, Limits
from napari_astroseg.sky.mosaics.mosaic import footprint, open_mosaic
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.pyramids.pyramid import DisplayLevel
from napari_astroseg.sky.stack import stacked


@dataclass
class Reopening:
    """Opens the layers of one project; what several of them draw is opened once.

    Parameters
    ----------
    found
        Where its places are now.
    canvas
        (height, width), to read ahead what will be drawn first; (0, 0) if not known.
    progress
        Hears what is being opened.
    """

    found: FoundPlaces
    canvas: tuple[int, int] = (0, 0)
    progress: Progress = silent
    _images: dict[str, SkyImage] = field(default_factory=dict)

    def data(self, told: Layer) -> layers.LayerData:
        """A layer as napari takes it, with its name and its look.

        Raises
        ------
        AstroSegError
            When what it draws cannot be opened; the sentence says why.
        """
        assert told.source is not None
        data, arguments, kind = self._data(told.source, told.look)
        if arguments.get("multiscale") and told.visible:
            layers.read_ahead((data, arguments, kind), self.canvas)
        worn: dict[str, Any] = {
            "name": told.name,
            "visible": told.visible,
            "opacity": told.opacity,
        }
        if told.blending:
            worn["blending"] = told.blending
        return data, {**arguments, **worn, **_lying(told, (data, arguments, kind))}, kind

    def image(self, source: Source) -> SkyImage:
        """The image of a source that has one, whatever its role.

        Raises
        ------
        AstroSegError
            When it cannot be opened.
        """
        plain = source.model_copy(update={"role": ""}) if hasattr(source, "role") else source
        key = plain.model_dump_json()
        if key not in self._images:
            self._images[key] = self._open(plain)
        return self._images[key]

    def _data(self, source: Source, look: Look | None) -> layers.LayerData:
        if isinstance(source, PointsSource):
            at = np.array(source.at, float).reshape(-1, 2)
            return at, {"size": source.size}, "points"
        if isinstance(source, LabelsSource):
            image = open_image(self._where(source.place))
            values = np.asarray(image.pixels[:, :])
            labels = np.nan_to_num(values).astype(np.int32)
            return labels, {}, "labels"
        if isinstance(source, ColourSource):
            return self._colours(source)
        image = self.image(source)
        role = getattr(source, "role", "")
        if role == "footprint":
            return footprint_data(footprint(image))
        if role:
            made = layers.all_layer_data(image)
            found = (each for each in made if each[1]["metadata"].get(layers.ROLE) == role)
            prepared = next(found, None)
            if prepared is None:
                raise ImageError(f"{image.name} has no {role} any more; open it anew")
            return prepared if look is None else _worn(prepared, look)
        prepared = layers.layer_data(image)
        return prepared if look is None else _worn(prepared, look)

    def _colours(self, source: ColourSource) -> layers.LayerData:
        red, green, blue = (self.image(band) for band in source.bands)
        if source.mapping is None:
            return native_data(_whole(self, source, red))
        told = source.mapping
        fitted = Lupton(told.minimum, told.weights, told.stretch, told.q)
        data, arguments, kind = colour_data(red, green, blue, fitted)
        tuned = source.tuned
        tuning = Tuning(tuned.stretch, tuned.q, tuned.black, tuned.gains)
        colours = replace(arguments["metadata"][COLOURS], tuning=tuning)
        metadata = {**arguments["metadata"], COLOURS: colours}
        drawn = [ColourLevel(level.bands, colours.paint) for level in data]
        return drawn, {**arguments, "metadata": metadata}, kind

    def _open(self, source: Any) -> SkyImage:
        if isinstance(source, ImageSource):
            return self._file(source)
        if isinstance(source, MosaicSource):
            tiles = [self._file(each) for each in source.tiles]
            match = source.match_background
            return open_mosaic(tiles, match_background=match, progress=self.progress)
        if isinstance(source, BandsSource):
            bands = [self._file(each) for each in source.images]
            labels = source.labels
            if len(labels) != len(bands):
                raise ImageError("the project names other bands than it has images; correct it")
            return stacked(bands, labels, source.name or bands[0].name)
        assert isinstance(source, KeptSource)
        image = open_image(self._where(source.place))
        return replace(image, name=source.name or image.name)

    def _file(self, source: ImageSource) -> SkyImage:
        where = self._where(source.place)
        image = open_image(Address(where, source.hdu), progress=self.progress)
        if source.plane is not None:
            image = image.plane(source.plane)
        if source.band:
            image = replace(image, axis=Axis("band", "band", (source.band,)))
        return replace(image, name=source.name) if source.name else image

    def _where(self, key: str) -> str:
        where = self.found.where(key)
        if not where:
            state = self.found.state(key)
            why = "was not allowed" if state == "refused" else "is not where it was"
            raise ImageError(f"its file {why}; open the project again, and find or allow it")
        return where


def sentence(told: Layer, error: AstroSegError) -> str:
    """Why a layer is not there."""
    return f"{told.name}: {error}"


def _worn(prepared: layers.LayerData, look: Look) -> layers.LayerData:
    """The same, drawn with a look; where its rule gives the limits, with those of today."""
    data, arguments, kind = prepared
    known = looks.sampled(data[-1].level)
    rule = look.rule if look.rule in LIMIT_RULES else ""
    limits = known.limits(rule) if rule else Limits(look.low, look.high)
    stretch = known.stretch(look.stretch, limits)
    drawn = [DisplayLevel(each.level, stretch) for each in data]
    worn = {"colormap": looks.colormap_named(look.colormap), "gamma": look.gamma}
    return drawn, {**arguments, **worn, "contrast_limits": (0.0, 1.0)}, kind


def _lying(told: Layer, prepared: layers.LayerData) -> dict[str, Any]:
    """Where a layer lies, in the words of a new one; as scale and translation where these do."""
    if told.placed is None:
        return {}
    data, arguments, kind = prepared
    leading = len(data[0].shape) - 2 - arguments["rgb"] if kind == "image" else 0
    whole = np.eye(leading + 3)
    whole[leading:-1, leading:] = told.placed
    linear, corner = whole[:-1, :-1], whole[:-1, -1]
    if np.array_equal(linear, np.diag(np.diag(linear))):
        return {"scale": np.diag(linear), "translate": corner}
    return {"affine": whole}


def _whole(reopening: Reopening, source: ColourSource, red: SkyImage) -> SkyImage:
    """The picture with its own colours, of which the three bands are planes."""
    first = source.bands[0]
    if not isinstance(first, ImageSource):
        raise ImageError(f"{red.name} is no picture with colours of its own; open it anew")
    whole = first.model_copy(update={"plane": None, "name": ""})
    return reopening.image(whole)
