"""DockState: what the Compare dock gives to a project: what was brought onto what, and the pair.

Surveys come again from the cache, or from the network where it has lost them; so they are among the
project's places, and a stranger's are asked about first.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from napari_astroseg.gui.comparing.brought import compared
from napari_astroseg.gui.comparing.origins import FromFile, FromLayer, FromSurvey, Origin
from napari_astroseg.gui.look.remembered import Look as Worn
from napari_astroseg.gui.sessions.dock import named
from napari_astroseg.gui.sessions.layersource import look_told
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.record import Key, Name, Record, Share, line
from napari_astroseg.projects.sources import Look
from napari_astroseg.sky.files.address import HduKey
from napari_astroseg.sky.grids.align import align
from napari_astroseg.sky.looks.limits import Limits
from napari_astroseg.sky.surveys.field import Field as SurveyField
from napari_astroseg.sky.surveys.survey import survey

_MOST = 50
_Degrees = Annotated[float, Field(ge=-360.0, le=360.0)]
_Side = Annotated[int, Field(ge=1, le=4096)]
Hdu = Annotated[tuple[int | Name, ...], Field(max_length=2)]


class FieldState(Record):
    """As `sky.surveys.field.Field`."""

    lon_deg: _Degrees
    lat_deg: _Degrees
    frame: Literal["galactic", "icrs"]
    width_px: _Side
    height_px: _Side
    pixel_arcsec: Annotated[float, Field(gt=0.0, le=1e7)]


class OriginState(Record):
    """Something that lies over a reference: of a survey, a file, or another layer."""

    reference: Name
    layer: Name
    survey: Key = ""
    field: FieldState | None = None
    file: Key = ""
    hdu: Hdu = ()
    from_layer: Name = ""
    look: Look | None = None


class CompareState(Record):
    """All of the dock."""

    reference: Name = ""
    brought: Annotated[tuple[OriginState, ...], Field(max_length=_MOST)] = ()
    first: Name = ""
    second: Name = ""
    blink_all: bool = False
    rate_hz: Annotated[float, Field(ge=0.1, le=60.0)] = 2.0
    amount_percent: Annotated[int, Field(ge=0, le=100)] = 50
    swiped: bool = False
    divider: Share = 0.5


def told(dock: Any, places: Places) -> CompareState:
    """What the dock is set to, and what lies over its references or is on its way there."""
    seeing = dock.seeing
    pair = seeing.pair
    reference = dock.bring.layer
    brought = [
        state
        for layer, origin, onto in dock.origins()
        if (state := _origin_told(layer, origin, onto, places)) is not None
    ]
    return CompareState(
        reference=named(reference),
        brought=tuple(brought[:_MOST]),
        first="" if pair is None else named(pair[0]),
        second="" if pair is None else named(pair[1]),
        blink_all=seeing.controls.pair.all.isChecked(),
        rate_hz=round(float(seeing.controls.rate.value()), 2),
        amount_percent=seeing.controls.amount.value(),
        swiped=seeing.swipe.on,
        divider=float(seeing.swipe.place) if seeing.swipe.on else 0.5,
    )


def told_again(state: CompareState, found: FoundPlaces, places: Places) -> CompareState:
    """A state that is still being restored, for another project."""
    brought = tuple(
        each.model_copy(
            update={
                "survey": places.key(found.where(each.survey), "survey"),
                "file": places.key(found.where(each.file)),
            }
        )
        for each in state.brought
    )
    return state.model_copy(update={"brought": brought})


def asked_again(dock: Any, state: OriginState, places: FoundPlaces) -> Origin | None:
    """The origin that a state speaks of; None where it may not be opened, or is gone."""
    if state.survey:
        hips = places.where(state.survey)
        if not hips or state.field is None:
            return None
        return FromSurvey(survey(hips), SurveyField(**state.field.model_dump()))
    if state.file:
        where = places.where(state.file)
        return FromFile(where, _hdu(state.hdu)) if where else None
    layer = next((each for each in dock.viewer_layers if each.name == state.from_layer), None)
    image = None if layer is None else dock.image_of(layer)
    return None if layer is None or image is None else FromLayer(image, layer.name, layer)


def worn(look: Look | None) -> Worn | None:
    """How it was drawn, as what brings it takes it."""
    if look is None:
        return None
    limits = None if look.rule else Limits(look.low, look.high)
    return Worn(look.stretch, limits, look.rule or None, look.colormap, look.gamma)


def settle(dock: Any, state: CompareState) -> None:
    """The settings, once everything has come."""
    seeing = dock.seeing
    by_name = {layer.name: layer for layer in dock.viewer_layers}
    dock.bring.images.choose_named(state.reference)
    seeing.controls.rate.setValue(state.rate_hz)
    seeing.controls.amount.setValue(state.amount_percent)
    seeing.controls.pair.all.setChecked(state.blink_all)
    first, second = by_name.get(state.first), by_name.get(state.second)
    if first is not None and second is not None:
        seeing.set_pair(first, second)
        if state.swiped and not seeing.swipe.on:
            seeing.toggle_swipe()
            seeing.swipe.set_place(state.divider)


def _origin_told(layer: Any, origin: Origin, onto: Any, places: Places) -> OriginState | None:
    about = compared(layer)
    known: dict[str, Any] = {
        "reference": named(onto),
        "layer": named(layer),
        "look": look_told(layer),
    }
    if isinstance(origin, FromSurvey):
        field = (about.field if about is not None else None) or origin.field
        if field is None:
            return None
        names = ("lon_deg", "lat_deg", "frame", "width_px", "height_px", "pixel_arcsec")
        told_ = FieldState(**{name: getattr(field, name) for name in names})
        key = places.key(origin.survey.hips, "survey")
        return OriginState(survey=key, field=told_, **known)
    if isinstance(origin, FromFile):
        hdu = origin.hdu
        parts = () if hdu is None else hdu if isinstance(hdu, tuple) else (hdu,)
        return OriginState(file=places.key(origin.place), hdu=parts, **known)
    if origin.match is not align:  # by points that were set by hand: they are no setting
        return None
    return OriginState(from_layer=line(origin.name), **known)


def _hdu(told_: tuple[int | str, ...]) -> HduKey | None:
    if len(told_) == 2 and isinstance(told_[0], str) and isinstance(told_[1], int):
        return told_[0], told_[1]
    return told_[0] if told_ else None
