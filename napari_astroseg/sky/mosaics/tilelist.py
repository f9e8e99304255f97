"""Tile list: from files, folders and patterns to the tiles of a mosaic, in a settled order."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address

_ENDINGS = tuple(
    f".{kind}{packed}"
    for kind in ("fits", "fit", "fts")
    for packed in ("", ".fz", ".gz", ".bz2", ".z")
)


def tile_places(words: Sequence[str | Path]) -> list[str]:
    """Every tile that is named, once.

    Parameters
    ----------
    words
        Files, `FILE[n]` and URLs as they are; a folder for the FITS files in it; a pattern such
        as `tile*.fits`, where the shell has left one, for the files that it matches.

    Raises
    ------
    ImageError
        When a folder or pattern yields nothing.
    """
    found: dict[str, None] = {}
    for word in map(str, words):
        address = Address.of(word) if not _is_pattern(word) else None
        if address is None:
            files = sorted(glob.glob(word))  # noqa: PTH207 (Path.glob takes no absolute patterns)
            remedy = f"no file is called {word}; check the pattern"
        elif not address.remote and address.path.is_dir():
            listed = sorted(address.path.iterdir())
            files = [str(path) for path in listed if _is_fits(path)]
            remedy = f"{word} has no FITS files in it; name the folder that has"
        else:
            files, remedy = [word], ""
        if not files:
            raise ImageError(remedy)
        found.update(dict.fromkeys(files))
    return list(found)


def _is_pattern(word: str) -> bool:
    return any(sign in word for sign in "*?") and "://" not in word and not Path(word).exists()


def _is_fits(path: Path) -> bool:
    return path.name.lower().endswith(_ENDINGS) and not path.name.startswith(".")
