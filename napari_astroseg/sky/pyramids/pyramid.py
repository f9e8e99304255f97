"""Pyramid: an image at halved and halved-again resolution, read only where it is drawn.

A level is a light array-like object over the file: no graph, nothing kept but a bounded number
of decoded chunks. Level k shows blocks of 2^k × 2^k pixels, and its values are

* *block means*, NaN-aware, once `grow` has made them: now or in an earlier session, from whose
  cache they are read;
* until then *sampled*: the mean of the four pixels around the middle of every block, missing
  ones left out. Their centre of mass is the block's centre, so every level shows the same sky
  at the same place, and only two rows of a block need reading. For blocks of 2 × 2 it is the
  true block mean.

`levels(image)` gives both kinds: a level answers each request wholly from the best there is at
that moment, so it can be drawn while it is grown, from any thread.

One pass makes all levels, since reading is what costs: a pass for each level would read the file
as often as there are levels, and the coarse ones would not come earlier than they do now. What
stands for "coarse first" is the sampled level at once; at the end of the pass the means land
from the coarsest to the finest, and `Landed` tells of each.

A stack has levels of three axes, (planes, rows, columns); its planes are grown one by one.
"""

from __future__ import annotations

from collections.abc import Callable

from napari_astroseg.sky.files.fitspixels import CompressedPixels, FitsPixels
from napari_astroseg.sky.files.handle import LocalHandle
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.pyramids.chunks import ChunkCache
from napari_astroseg.sky.pyramids.grown import COARSEST, layout_of, means_of
from napari_astroseg.sky.pyramids.growthprocess import grow_apart
from napari_astroseg.sky.pyramids.level import Level
from napari_astroseg.sky.pyramids.stacklevel import AnyLevel, DisplayLevel, StackLevel, StackView

__all__ = [
    "COARSEST",
    "AnyLevel",
    "DisplayLevel",
    "Landed",
    "Level",
    "StackLevel",
    "StackView",
    "grow",
    "grown",
    "levels",
    "worth_growing",
]

CACHE_BYTES = 256 * 2**20
"""Decoded chunks kept per image."""

_EXACT = 2
"""Up to this factor sampled values are block means already."""

Landed = Callable[[int], None]
"""Told the factor of each level whose block means have landed, in the thread that grows."""


def levels(image: SkyImage) -> list[AnyLevel]:
    """The image's levels, finest first; nothing is read yet.

    Level 0 is the image itself, padded with missing data on its high sides to a multiple of
    the coarsest block, so that the levels' pixel *edges* coincide exactly.

    Returns
    -------
    `Level`s of shape (rows, columns); for a stack `StackLevel`s (planes, rows, columns).
    """
    layout = layout_of(image.shape)
    cache = ChunkCache(CACHE_BYTES)
    factors = [*reversed(layout.factors)]
    if image.planes is not None:
        shapes = {f: (image.count, *layout.level_shape(f)) for f in (1, *factors)}
        return [StackLevel(image, f, shape, cache) for f, shape in shapes.items()]
    means = means_of(image)
    return [Level(image, f, layout.level_shape(f), cache, means) for f in (1, *factors)]


def grow(
    image: SkyImage,
    progress: Progress = silent,
    plane: int = 0,
    landed: Landed | None = None,
    apart: bool = False,
) -> tuple[str, ...]:
    """Make the block means of all levels of a plane, and keep them for later sessions.

    Takes seconds to minutes: call it in a thread of its own. Levels that exist, of this and of
    any other image of the same pixels, use the means as soon as this returns.

    Parameters
    ----------
    progress
        Told image rows done and to do; raising `Stopped` from it ends the work, and nothing
        half-made is left.
    plane
        Of a stack.
    landed
        Told each level that has landed, coarsest first. Viewers that keep what they have drawn
        should then ask again.
    apart
        Work in a process of its own, where the image has a file: for windows, whose thread would
        otherwise wait for the compiler.

    Returns
    -------
    Sentences to tell the user: why the means could not be kept on disk, for example.

    Raises
    ------
    ImageError
        When the image cannot be read any more.
    """
    if grown(image, plane):
        return ()
    means = means_of(image, plane)
    notes: tuple[str, ...] = ()
    if not (apart and image.reference and grow_apart(image.reference, plane, means, progress)):
        from napari_astroseg.sky.pyramids.growth import grow_plane  # it compiles: numba

        pixels = image.pixels if image.planes is None else image.planes[plane]
        notes = grow_plane(pixels, means, progress)
    store = means.store
    if landed is not None and store is not None:
        for factor in store.layout.factors:
            landed(factor)
    return notes


def grown(image: SkyImage, plane: int = 0) -> bool:
    """Whether the coarse levels of a plane are block means already."""
    means = means_of(image, plane)
    return means.layout.top <= _EXACT or means.store is not None


def worth_growing(image: SkyImage, plane: int = 0) -> bool:
    """Whether growing a plane unasked serves the user.

    It does where it is not grown and its pixels are on this machine as they are. Growing a
    remote image would fetch all of it, growing a mosaic or a projection compute all of it.
    """
    pixels = image.pixels
    if isinstance(pixels, FitsPixels):
        local = isinstance(pixels.handle, LocalHandle)
    elif isinstance(pixels, CompressedPixels):
        local = isinstance(pixels.file.handle, LocalHandle)
    else:
        local = isinstance(pixels, ArrayPixels)
    return local and not grown(image, plane)
