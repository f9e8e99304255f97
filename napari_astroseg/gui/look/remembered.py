"""Remembered: how the user last drew each image, in one small file of the user's configuration.

A look is kept by the image's identity, so that a file changed on disk starts anew. The kind of
stretch used last serves images that were never seen before. Whatever stands in the file that is
no look is passed over: a look lost costs a click.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from napari_astroseg.errors import ImageError
from napari_astroseg.gui.settings import user_folder
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.limits import LIMIT_RULES, Limits
from napari_astroseg.sky.looks.stretch import KINDS, Kind

MOST = 500
"""So many images are remembered; those not touched for longest are forgotten."""

FIRST_RULE = "zscale"
GREY = "gray"


@dataclass(frozen=True)
class Look:
    """How an image is drawn.

    Parameters
    ----------
    kind
        Of stretch.
    limits
        The raw values drawn darkest and brightest; None where `rule` says it.
    rule
        The rule that gives the limits; None where they are the user's own.
    colormap
        A name that napari knows.
    gamma
        napari's.
    """

    kind: Kind = KINDS[0]
    limits: Limits | None = None
    rule: str | None = FIRST_RULE
    colormap: str = GREY
    gamma: float = 1.0


class Remembered:
    """Looks by image, newest last, and the stretch used last.

    It may be read in any thread.

    Parameters
    ----------
    folder
        Where its file lies; the user's configuration folder by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or user_folder()) / "looks.json"

    @property
    def kind(self) -> Kind:
        """The kind of stretch used last."""
        kind = self._told().get("kind")
        return kind if kind in KINDS else KINDS[0]

    def look(self, image: SkyImage) -> Look | None:
        """How this image was last drawn; None for one that nobody has touched."""
        told = self._looks().get(image.pixels.identity or "")
        return None if told is None else _read(told)

    def keep(self, image: SkyImage, look: Look) -> None:
        """Remember a look, and its stretch for images to come."""
        looks, identity = self._looks(), image.pixels.identity
        if identity is not None:
            looks.pop(identity, None)
            looks[identity] = _told(look)
        self._write({"kind": look.kind, "looks": looks})

    def use(self, kind: Kind) -> None:
        """Draw images to come with this stretch."""
        self._write({"kind": kind, "looks": self._looks()})

    def forget(self, image: SkyImage) -> None:
        """Draw this image as one never seen before, the next time."""
        looks = self._looks()
        if looks.pop(image.pixels.identity or "", None) is not None:
            self._write({**self._told(), "looks": looks})

    def _looks(self) -> dict[str, Any]:
        looks = self._told().get("looks")
        return looks if isinstance(looks, dict) else {}

    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}

    def _write(self, told: dict[str, Any]) -> None:
        told["looks"] = dict(list(told["looks"].items())[-MOST:])
        temporary = self._file.with_suffix(".tmp")
        with suppress(OSError):  # a home that cannot be written costs the memory, no more
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(told, indent=1), encoding="utf-8")
            temporary.replace(self._file)


def _told(look: Look) -> dict[str, Any]:
    limits = None if look.limits is None else [look.limits.low, look.limits.high]
    return {**asdict(look), "limits": limits}


def _read(told: Any) -> Look | None:
    """A look as `_told` writes it; None for anything else."""
    if not isinstance(told, Mapping):
        return None
    kind, rule, limits = told.get("kind"), told.get("rule"), _limits(told.get("limits"))
    colormap, gamma = told.get("colormap"), told.get("gamma")
    rule = rule if isinstance(rule, str) and rule in LIMIT_RULES else None
    if kind not in KINDS or (rule is None and limits is None):
        return None
    fair = isinstance(gamma, float | int) and math.isfinite(gamma) and 0.0 < gamma <= 10.0
    return Look(
        kind,
        limits,
        rule,
        colormap if isinstance(colormap, str) else GREY,
        float(gamma) if fair else 1.0,  # type: ignore[arg-type]
    )


def _limits(told: Any) -> Limits | None:
    try:
        low, high = told
        return Limits(float(low), float(high))
    except (TypeError, ValueError, OverflowError, ImageError):
        return None
