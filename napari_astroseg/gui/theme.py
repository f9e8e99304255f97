"""Theme: colours of words that are read on the light theme as well as on the dark one."""

from __future__ import annotations

from napari.settings import get_settings
from napari.utils.theme import get_system_theme, get_theme

_ON_DARK, _ON_LIGHT = "#ff8f6b", "#a83208"
_MIDDLE = 128


def trouble_colour() -> str:
    """The colour of a sentence that says what is wrong, on napari's theme of now."""
    name = get_settings().appearance.theme
    theme = get_theme(get_system_theme() if name == "system" else name)
    red, green, blue = theme.background.as_rgb_tuple(alpha=False)
    return _ON_LIGHT if (red + green + blue) / 3 > _MIDDLE else _ON_DARK
