"""Looks: the stretch and the limits that a layer is drawn with.

Limits move by the graphics card's contrast limits alone: nothing is read or computed again.
Another kind of stretch is computed for what is in view. Neither touches the raw values, and both
hold for a single image and for all planes of a stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image, Layer
from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap, ensure_colormap

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.look.remembered import FIRST_RULE, GREY, Look, Remembered
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.equalise import Curve
from napari_astroseg.sky.looks.limits import LIMIT_RULES, Limits, Values, sample
from napari_astroseg.sky.looks.stretch import Kind, Stretch
from napari_astroseg.sky.pyramids.pyramid import AnyLevel, DisplayLevel


class Sampled:
    """An image's sampled values, and what rules make of them; sampled once, then frozen."""

    def __init__(self, level: AnyLevel) -> None:
        self.values: Values = sample(level)
        self._ruled: dict[str, Limits] = {}

    def limits(self, rule: str) -> Limits:
        """What a rule gives."""
        if rule not in self._ruled:
            self._ruled[rule] = LIMIT_RULES[rule](self.values)
        return self._ruled[rule]

    def stretch(self, kind: Kind, limits: Limits) -> Stretch:
        """A stretch for this image."""
        return Stretch(kind, limits, self._curve if kind == "histogram" else None)

    @cached_property
    def _curve(self) -> Curve:
        return Curve.of(self.values)


_SAMPLED: WeakKeyDictionary[AnyLevel, Sampled] = WeakKeyDictionary()


def sampled(level: Any) -> Sampled:
    """What is known of a coarsest level; the first call reads it. Any thread."""
    level = getattr(level, "level", level)  # what a patient level has not read yet counts, too
    known = _SAMPLED.get(level)
    if known is None:
        known = _SAMPLED[level] = Sampled(level)
    return known


def first_look(
    image: SkyImage, coarsest: AnyLevel, kind: Kind | None = None, rule: str | None = None
) -> tuple[Stretch, dict[str, Any]]:
    """The stretch for a new layer, and napari's arguments that go with it.

    What is not asked for is as the user last had it with this image, or else the stretch used
    last and zscale. The coarsest level is read; any thread.
    """
    memory = Remembered()
    look = memory.look(image) or Look(memory.kind)
    known = sampled(coarsest)
    limits = look.limits if rule is None and look.rule is None else None
    if limits is None:
        limits = known.limits(rule or look.rule or FIRST_RULE)
    arguments = {"contrast_limits": (0.0, 1.0), "gamma": look.gamma}
    if look.colormap != GREY:
        arguments["colormap"] = colormap_named(look.colormap)
    return known.stretch(kind or look.kind, limits), arguments


def look_of(layer: Layer | None) -> Look | None:
    """How one of our layers is drawn."""
    stretch, limits = stretch_of(layer), raw_limits(layer)
    if layer is None or stretch is None or limits is None:
        return None
    return Look(stretch.kind, limits, rule_of(layer), layer.colormap.name, float(layer.gamma))


def wear(layer: Layer, look: Look) -> None:
    """Draw one of our layers so."""
    limits = look.limits if look.rule is None else ruled_limits(layer, look.rule)
    if limits is not None:
        layer = bare(layer)
        layer.colormap, layer.gamma = colormap_named(look.colormap), look.gamma
        draw_between(layer, look.kind, limits)


def stretch_of(layer: Layer | None) -> Stretch | None:
    """The stretch that a layer is drawn with, if it is one of ours."""
    drawn = drawn_levels(layer)
    return drawn[0].stretch if drawn else None


def set_stretch(layer: Layer, kind: Kind) -> None:
    """Draw a layer with another kind of stretch, between the same raw values."""
    limits = raw_limits(layer)
    if limits is not None:
        draw_between(layer, kind, limits)


def draw_between(layer: Layer, kind: Kind, limits: Limits) -> None:
    """Draw a layer with a stretch that is 0 and 1 at these limits, computed for what is in view."""
    drawn = drawn_levels(layer)
    if not drawn:
        return
    layer = bare(layer)
    stretch = sampled(drawn[-1].level).stretch(kind, limits)
    if stretch != drawn[0].stretch:
        give_levels(layer, [DisplayLevel(each.level, stretch) for each in drawn])
    set_limits(layer, limits)


def give_levels(layer: Layer, drawn: Sequence[Any]) -> None:
    """Draw a layer from other levels of the same shapes; camera and limits stay."""
    layer = bare(layer)
    # napari turns to the coarsest level at once, and to the right level and part of it before it
    # paints: a single pixel is all that the first needs to have.
    layer.corner_pixels = np.zeros((2, layer.ndim), int)
    layer.data = list(drawn)


def raw_limits(layer: Layer | None) -> Limits | None:
    """The raw values at a layer's contrast limits."""
    stretch = stretch_of(layer)
    if stretch is None or layer is None:
        return None
    if tuple(layer.contrast_limits) == (0.0, 1.0):
        return stretch.limits
    return stretch.raw_limits(*layer.contrast_limits)


def set_limits(layer: Layer, limits: Limits | None) -> None:
    """Move a layer's contrast limits to raw values; nothing is read again."""
    stretch = stretch_of(layer)
    if stretch is not None and limits is not None:
        layer = bare(layer)
        same = limits == stretch.limits
        layer.contrast_limits = (0.0, 1.0) if same else stretch.display_limits(limits)
        give_room(layer)


def ruled_limits(layer: Layer, rule: str) -> Limits | None:
    """The limits that a rule gives for a layer's image, from its coarsest level."""
    drawn = drawn_levels(layer)
    return sampled(drawn[-1].level).limits(rule) if drawn else None


def rule_of(layer: Layer) -> str | None:
    """The rule that gives a layer's limits; None where no rule does."""
    limits = raw_limits(layer)
    for rule in LIMIT_RULES:
        ruled = ruled_limits(layer, rule)
        if limits is not None and ruled is not None and limits.close_to(ruled):
            return rule
    return None


def sampled_values(layer: Layer | None) -> Values:
    """Sampled values of a layer's image; none for a layer that is not ours."""
    drawn = drawn_levels(layer)
    return sampled(drawn[-1].level).values if drawn else np.empty(0)


def drawn_levels(layer: Layer | None) -> list[DisplayLevel]:
    """The display levels of one of our layers; none for another."""
    if not isinstance(layer, Image) or not layer.multiscale:
        return []
    data = list(bare(layer).data)
    return data if all(isinstance(each, DisplayLevel) for each in data) else []


def give_room(layer: Layer) -> None:
    """Let the limits' slider of one of our layers go beyond the limits."""
    if drawn_levels(layer):
        low, high = layer.contrast_limits
        room = high - low
        layer.contrast_limits_range = (min(low - room / 2, -0.5), max(high + room, 2.0))


def invert_colormap(layer: Layer) -> None:
    """Turn a layer's colours round: dark sky on white, or back."""
    layer = bare(layer)
    name = layer.colormap.name
    layer.colormap = colormap_named(name.removesuffix("_r") if name.endswith("_r") else f"{name}_r")


def colormap_named(name: str) -> Colormap:
    """A colormap, grey for a name that napari does not know; `NAME_r` is NAME turned round."""
    if name in AVAILABLE_COLORMAPS:
        return ensure_colormap(name)
    there = AVAILABLE_COLORMAPS.get(name.removesuffix("_r"))
    if there is None or not name.endswith("_r"):
        return ensure_colormap(GREY)
    controls = 1.0 - np.asarray(there.controls)[::-1]
    return Colormap(there.colors[::-1], name=name, controls=controls)
